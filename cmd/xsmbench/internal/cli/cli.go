// Package cli is the command line of xsmbench: commands, flags, the
// experiment file, progress and exit codes. It finds targets and benchmarks in
// their registries and does no measuring itself.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	ExitPass         = 0
	ExitRegression   = 1
	ExitInconclusive = 2   // or not judged
	ExitFailed       = 3   // the tool or its input failed, or lacks what was planned
	ExitInterrupted  = 130 // as shells show SIGINT; what was measured is kept
)

// exitError ends the program with a code; Err is nil if all was said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// errInterrupted is the cause of a context that a signal ended.
var errInterrupted = errors.New("interrupted")

// Run executes a command line and returns the exit code.
func Run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := interruptible(context.Background())
	defer stop()
	root := newRoot(stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitPass
	}
	var exit *exitError
	code := ExitFailed
	switch {
	case errors.As(err, &exit):
		code = exit.code
		if exit.err == nil {
			return code
		}
	case errors.Is(err, errInterrupted):
		code = ExitInterrupted
	}
	fmt.Fprintf(stderr, "xsmbench: %s\n", strings.TrimSpace(err.Error()))
	return code
}

// interruptible returns a context that SIGINT or SIGTERM ends, with
// errInterrupted as its cause. A second signal ends the program at once.
func interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case <-signals:
			signal.Stop(signals)
			cancel(errInterrupted)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "xsmbench",
		Short: "Measure what XSM security hooks cost a hypervisor",
		Long: `xsmbench builds a hypervisor three ways (native, XSM with the dummy module, XSM
with FLASK), runs lmbench- and kbench-compatible benchmarks from dom0 and domU,
and compares the builds.

Exit codes: 0 pass; 1 regression; 2 inconclusive or not judged; 3 xsmbench failed,
its input is damaged, or a planned sample is missing; 130 interrupted (what was
measured is kept).`,
		Args:             cobra.NoArgs,
		PersistentPreRun: func(c *cobra.Command, _ []string) { sayNewerNames(c) },
		SilenceUsage:     true,
		SilenceErrors:    true,
		Version:          versionText(),
		RunE:             func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate("xsmbench {{.Version}}\n")
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w (see %s --help)", err, c.CommandPath())
	})
	root.Args = unknownCommand
	root.AddCommand(newDoctor(), newList(), newBuild(), newRun(), newPlan(), newMerge(), newCompare(), newHooks(), newReport(), newGate(), newSelftest(), newHistory(), newSite(), newSeries(), newBisect(), newWatch(), newCache(), newMan(), newVersion())
	return root
}

// unknownCommand names the command that was perhaps meant.
func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return fmt.Errorf("unknown command %q%s", args[0], suggest(args[0], names))
}
