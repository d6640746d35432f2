package kbuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"xsmbench/hv/child"
)

// make runs make in the tree's xen directory. Its processes hold the
// workspace's lock: if this program is killed, the next one waits for them.
func (b *builder) make(ctx context.Context, step string, args ...string) error {
	log, err := os.OpenFile(b.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("%s Xen: %w", step, err)
	}
	defer log.Close()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "make", append([]string{"-C", filepath.Join(b.tree(), "xen")}, args...)...)
	cmd.Env = append(surroundings(), environment(b.tree())...)
	cmd.Stdout, cmd.Stderr = log, io.MultiWriter(log, &said)
	cmd.ExtraFiles = []*os.File{b.space.LockFile()}
	if err := child.Run(cmd); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return &Error{Step: step, First: firstError(said.String()), Log: b.log(), Err: err}
	}
	return nil
}

// inSource is how the compiler complains of a line of the source. Of other
// things, such as a full disk or its own death, it complains in another way.
var inSource = regexp.MustCompile(`^[^ :]+:\d+(:\d+)?: (fatal )?error: `)

// ofSource says that the source is at fault: Kconfig or the compiler, and not
// make, complained. Then what was made before is good.
func (e *Error) ofSource() bool {
	var refused refusedError
	return errors.As(e.Err, &refused) || e.Step == "compile" && inSource.MatchString(e.First)
}

// firstError finds the first line that a compiler, a linker or make reports
// as an error, or the last line if none does. Make's word that a command failed
// says less than the command's own last one.
func firstError(out string) string {
	said := ""
	for line := range strings.Lines(out) { // however long they are
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		for _, mark := range []string{"error:", "Error:", "undefined reference", "*** ", "not found"} {
			if !strings.Contains(line, mark) {
				continue
			}
			if strings.Contains(line, "*** [") && said != "" && !strings.HasPrefix(said, "make") {
				return said // of the command that make says has failed
			}
			return line
		}
		said = line
	}
	if said != "" {
		return said
	}
	return "it failed without a message"
}
