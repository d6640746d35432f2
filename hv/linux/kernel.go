package linux

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// kernel is what the running kernel says of itself.
type kernel struct {
	release     string // 6.1.0-18-amd64
	version     string // all of /proc/version
	commandLine string
}

// readKernel reads it below a directory, /proc.
func readKernel(proc string) (k kernel, err error) {
	for file, to := range map[string]*string{"sys/kernel/osrelease": &k.release, "version": &k.version, "cmdline": &k.commandLine} {
		text, err := os.ReadFile(filepath.Join(proc, file))
		if err != nil {
			return k, fmt.Errorf("find out what the kernel is: %w", err)
		}
		*to = strings.TrimSpace(string(text))
	}
	return k, nil
}

// compiler is what the kernel was compiled with, "" if it does not say so in the
// usual place: the second of the parentheses of
//
//	Linux version RELEASE (WHO) (COMPILER, LINKER) #BUILD
func (k kernel) compiler() string {
	_, rest, ok := strings.Cut(k.version, ") (")
	if !ok {
		return ""
	}
	depth := 1
	for i, c := range rest {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 1:
			return rest[:i]
		}
		if depth == 0 {
			return rest[:i]
		}
	}
	return ""
}

// build is the kernel's number and date of compilation, with its model of
// pre-emption.
func (k kernel) build() string {
	_, after, ok := strings.Cut(k.version, " #")
	if !ok {
		return ""
	}
	return "#" + after
}

// fileSystem is the type of the file system that a directory lies in, by a list of
// mounts as /proc/self/mounts has it; "" if it is not known.
func fileSystem(mounts, dir string) string {
	best, found := -1, ""
	for line := range strings.Lines(mounts) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		point := strings.ReplaceAll(f[1], `\040`, " ")
		below := point == "/" || dir == point || strings.HasPrefix(dir, point+"/")
		if below && len(point) >= best {
			best, found = len(point), f[2]
		}
	}
	return found
}
