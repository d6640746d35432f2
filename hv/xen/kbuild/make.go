package kbuild

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"xsmbench/hv/child"
)

// make runs make in the tree's xen directory. Its processes hold the
// workspace's lock: if this program is killed, the next one waits for them.
func (b *builder) make(ctx context.Context, step string, args ...string) error {
	cmd := exec.CommandContext(ctx, "make", append([]string{"-C", filepath.Join(b.tree(), "xen")}, args...)...)
	cmd.Env = append(Surroundings(), environment(b.tree())...)
	cmd.ExtraFiles = []*os.File{b.space.LockFile()}
	return Run(ctx, step, b.log(), cmd)
}

// Run runs a command of a step of a build, whose output is appended to a log. An
// *Error has the first thing that the command complained of.
func Run(ctx context.Context, step, logFile string, cmd *exec.Cmd) error {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("%s Xen: %w", step, err)
	}
	defer log.Close()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = log, io.MultiWriter(log, &said)
	if err := child.Run(cmd); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return &Error{Step: step, First: firstError(said.String()), Log: logFile, Err: err}
	}
	return nil
}

// inSource is how the compiler complains of a line of the source. Of other
// things, such as a full disk or its own death, it complains in another way.
var inSource = regexp.MustCompile(`^[^ :]+:\d+(:\d+)?: (fatal )?error: `)

// OfSource says that the source is at fault: Kconfig or the compiler, and not
// make, complained. Then what was made before is good.
func (e *Error) OfSource() bool {
	var refused refusedError
	return errors.As(e.Err, &refused) || e.Step == "compile" && inSource.MatchString(e.First)
}

// errorMarks are what compilers, linkers, shells and make put into a complaint.
var errorMarks = []string{"error:", "Error:", "undefined reference", "*** ", "not found"}

// firstError finds the first line that a compiler, a linker or make reports
// as an error, or the last line if none does. Make's word that a command failed
// says less than the command's own last one.
func firstError(out string) string {
	before := ""
	first := child.FirstLine(out, func(line string) bool {
		if slices.ContainsFunc(errorMarks, func(mark string) bool { return strings.Contains(line, mark) }) {
			return true
		}
		before = line
		return false
	})
	if strings.Contains(first, "*** [") && before != "" && !strings.HasPrefix(before, "make") {
		return before // of the command that make says has failed
	}
	return cmp.Or(first, before, "it failed without a message")
}
