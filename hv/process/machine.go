// Package process is a machine that is a program on this host: it gets its plan
// on standard input, its standard output carries records of package wire, and its
// standard error is the console. It ends with this process (package child).
package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"al.essio.dev/pkg/shellescape"

	"xsmbench/bench"
	"xsmbench/bench/wire"
	"xsmbench/hv"
	"xsmbench/hv/child"
)

// Limits are the times after which a machine is given up. They are far above
// what a loaded computer needs, since giving up costs a sample.
type Limits struct {
	Hello   time.Duration // from the start to the first domain's hello
	Silence time.Duration // between two records
}

const (
	perBenchmark  = 30 * time.Second // added to the whole time, for each benchmark of each domain
	dyingLimit    = 5 * time.Second  // for the process to end after its last record
	dumpLimit     = 2 * time.Second  // for it to print its stacks
	eventsInQueue = 64
)

// Spec says what to start.
type Spec struct {
	Image *hv.Image
	Boot  hv.BootSpec // Plan, Timeout and Console count
	// Command is the program with its arguments.
	Command []string
	// Settings are variables of its environment besides this program's, of
	// which those that steer Go's run-time system are left out.
	Settings []string
	Limits
}

// Machine is such a program.
type Machine struct {
	spec    Spec
	plan    bench.Plan
	limit   time.Duration // for the whole measurement
	repeat  string
	cmd     *exec.Cmd
	console *Console
	events  chan event
	read    <-chan struct{} // closed when standard output has been read
	stop    chan struct{}   // closed to end the reader
	close   sync.Once

	hellos, ends int // sessions begun and ended
	stoodStill   bool
}

type event struct {
	wire.Event
	err error
}

// Start starts the program and hands it the plan.
func Start(s Spec) (*Machine, error) {
	plan, err := json.Marshal(s.Boot.Plan)
	if err != nil {
		return nil, fmt.Errorf("write plan: %w", err)
	}
	m := &Machine{
		spec:    s,
		plan:    s.Boot.Plan,
		limit:   s.Boot.Timeout,
		repeat:  repeatCommand(plan, s.Command),
		console: &Console{to: s.Boot.Console},
		events:  make(chan event, eventsInQueue),
		stop:    make(chan struct{}),
	}
	if m.limit == 0 {
		m.limit = s.Hello
		for _, b := range m.plan.Benchmarks {
			m.limit += time.Duration(len(m.plan.Domains)) * (perBenchmark + patience(b))
		}
	}
	if err := m.start(plan); err != nil {
		return nil, m.Failed(hv.BootFailed, err)
	}
	return m, nil
}

// patience is what a benchmark asks for beside what all have.
func patience(benchmark string) time.Duration {
	b, _ := bench.Find(benchmark)
	return b.Patience
}

// Console is the program's standard error.
func (m *Machine) Console() io.Writer { return m.console }

// Command is the program with its arguments.
func (m *Machine) Command() []string { return m.spec.Command }

// StoodStill reports whether Measure gave the program up while it ran.
func (m *Machine) StoodStill() bool { return m.stoodStill }

// Ended reports whether the program has ended and was waited for.
func (m *Machine) Ended() bool { return m.cmd.ProcessState != nil }

func repeatCommand(plan []byte, args []string) string {
	return shellescape.QuoteCommand([]string{"echo", string(plan)}) + " | " + shellescape.QuoteCommand(args)
}

func (m *Machine) start(plan []byte) error {
	m.cmd = exec.Command(m.spec.Command[0], m.spec.Command[1:]...)
	m.cmd.Env = append(Environment(), m.spec.Settings...)
	m.cmd.Stdin = bytes.NewReader(append(plan, '\n'))
	m.cmd.Stderr = m.console
	m.cmd.WaitDelay = dyingLimit
	out, w, err := os.Pipe()
	if err != nil {
		return err
	}
	m.cmd.Stdout = w
	err = child.Start(m.cmd)
	w.Close()
	if err != nil {
		out.Close()
		return err
	}
	read := make(chan struct{})
	m.read = read
	go m.receive(out, read)
	return nil
}

// Environment is this program's without what steers Go's run-time system:
// the program under test must not depend on the caller's settings.
func Environment() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{"GODEBUG", "GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GOTRACEBACK", "GORACE"}, name)
	})
}

// receive turns standard output into events until it ends or is damaged.
func (m *Machine) receive(out *os.File, read chan<- struct{}) {
	defer close(read)
	defer out.Close()
	r := wire.NewReader(out)
	for {
		e, err := r.Next()
		select {
		case m.events <- event{e, err}:
		case <-m.stop:
			return
		}
		if err != nil {
			return
		}
	}
}

// Measure passes measurements on until every domain of the plan has ended.
func (m *Machine) Measure(ctx context.Context, emit func(bench.Measurement) error) error {
	whole := time.NewTimer(m.limit)
	defer whole.Stop()
	silent := m.spec.Silence
	silence := time.NewTimer(m.spec.Hello)
	defer silence.Stop()
	for m.ends < len(m.plan.Domains) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-whole.C:
			return m.stuck(hv.TimedOut, fmt.Errorf("not done after %v", m.limit))
		case <-silence.C:
			if m.hellos == 0 {
				return m.stuck(hv.BootFailed, fmt.Errorf("no domain reported within %v", m.spec.Hello))
			}
			return m.stuck(hv.NoProgress, fmt.Errorf("no record for %v", silent))
		case e := <-m.events:
			if e.err != nil {
				return m.ended(e.err)
			}
			if err := m.handle(e.Event, emit); err != nil {
				return err
			}
			if _, noise := e.Event.(wire.Noise); !noise {
				silent = m.spec.Silence
				if b, begins := e.Event.(wire.Begin); begins {
					silent += patience(b.Benchmark)
				}
				silence.Reset(silent)
			}
		}
	}
	return nil
}

func (m *Machine) handle(e wire.Event, emit func(bench.Measurement) error) error {
	switch e := e.(type) {
	case wire.Hello:
		m.hellos++
		if e.Plan != "" && e.Plan != m.plan.Hash() {
			return m.Failed(hv.BadProtocol, fmt.Errorf("domain %s measures plan %s, not %s", e.Domain, e.Plan, m.plan.Hash()))
		}
	case wire.Sample:
		return emit(e.Measurement)
	case wire.Warning:
		fmt.Fprintf(m.console, "warning: %s\n", e.Text)
	case wire.Skip:
		fmt.Fprintf(m.console, "skipped: %s: %s\n", e.Benchmark, e.Reason)
	case wire.Failure:
		return m.Failed(hv.GuestFailed, errors.New(e.Text))
	case wire.End:
		m.ends++
	case wire.Noise:
		fmt.Fprintln(m.console, e.Text)
	}
	return nil
}

// ended says what the end of the stream, or damage to it, means.
func (m *Machine) ended(err error) error {
	var truncated *wire.TruncatedError
	if !errors.As(err, &truncated) && err != io.EOF {
		return m.Failed(hv.BadProtocol, err)
	}
	status := m.Wait()
	switch {
	case m.hellos == 0:
		if status == nil {
			status = errors.New("the program ended before any domain reported")
		}
		return m.Failed(hv.BootFailed, status)
	case status != nil:
		return m.Failed(hv.GuestFailed, status)
	case truncated != nil:
		return m.Failed(hv.BadProtocol, err)
	}
	return m.Failed(hv.BadProtocol, fmt.Errorf("%d of %d domains reported", m.ends, len(m.plan.Domains)))
}

// Wait gives a program whose output has ended a moment to end by itself, and
// returns how it ended.
func (m *Machine) Wait() error {
	timer := time.AfterFunc(dyingLimit, m.kill)
	defer timer.Stop()
	return m.cmd.Wait()
}

// Failed is an error of this machine, with its console's end.
func (m *Machine) Failed(kind hv.BootErrorKind, err error) error {
	return &hv.BootError{Kind: kind, Image: m.spec.Image, Console: m.console.last(), Repeat: m.repeat, Err: err}
}

// stuck is Failed for a program that still runs: it is made to print its
// stacks to the console first, where they show what it waits for.
func (m *Machine) stuck(kind hv.BootErrorKind, err error) error {
	failure := m.Failed(kind, err)
	m.stoodStill = true
	m.cmd.Process.Signal(syscall.SIGQUIT)
	timer := time.AfterFunc(dumpLimit, m.kill)
	defer timer.Stop()
	m.cmd.Wait()
	return failure
}

// kill ends the process group.
func (m *Machine) kill() {
	if m.cmd.Process != nil {
		_ = child.Kill(m.cmd)
	}
}

// Close stops the program, if it still runs, and waits for it.
func (m *Machine) Close() error {
	m.close.Do(func() {
		close(m.stop)
		if m.cmd.ProcessState == nil {
			m.kill()
			m.cmd.Wait()
		}
		<-m.read
	})
	return nil
}
