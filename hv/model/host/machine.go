package host

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
	"strconv"
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

// limits are the times after which a machine is given up. They are far above
// what a loaded computer needs, since giving up costs a sample.
type limits struct {
	hello   time.Duration // from the start to the first domain's hello
	silence time.Duration // between two records
}

const (
	perBenchmark  = 30 * time.Second // added to the whole time, for each benchmark of each domain
	dyingLimit    = 5 * time.Second  // for the process to end after its last record
	dumpLimit     = 2 * time.Second  // for it to print its stacks
	eventsInQueue = 64
)

// machine is the model as a process: its standard output carries records, its
// standard error the console.
type machine struct {
	img   *hv.Image
	plan  bench.Plan
	limit time.Duration // for the whole measurement
	limits
	settings []string // of the run-time system, "GOMAXPROCS=1"
	repeat   string
	cmd      *exec.Cmd
	console  *console
	events   chan event
	read     <-chan struct{} // closed when standard output has been read
	stop     chan struct{}   // closed to end the reader
	close    sync.Once

	hellos, ends int // sessions begun and ended
	stoodStill   bool
}

type event struct {
	wire.Event
	err error
}

// Boot starts an image's program and hands it the plan.
func (t *Target) Boot(ctx context.Context, img *hv.Image, spec hv.BootSpec) (hv.Machine, error) {
	if spec.Accel == icount {
		return t.bootCounting(ctx, img, spec)
	}
	if s, err := t.opened(); err == nil {
		s.Settle(ctx, spec.Say) // what is put into a shared store would be timed, too
	}
	m, err := t.launch(img, spec, nil)
	if err != nil {
		return nil, fmt.Errorf("boot %s: %w", img.Build.Name, err)
	}
	return m, nil
}

// launch starts the program, under an emulator if there is a command for it.
func (t *Target) launch(img *hv.Image, spec hv.BootSpec, emulate []string) (*machine, error) {
	plan, err := json.Marshal(spec.Plan)
	if err != nil {
		return nil, fmt.Errorf("write plan: %w", err)
	}
	args, err := t.arguments(img, spec)
	if err != nil {
		return nil, err
	}
	args = slices.Concat(emulate, []string{img.Path}, args)
	m := &machine{
		img:     img,
		plan:    spec.Plan,
		limit:   spec.Timeout,
		limits:  t.limits,
		repeat:  repeatCommand(plan, args),
		console: &console{to: spec.Console},
		events:  make(chan event, eventsInQueue),
		stop:    make(chan struct{}),
	}
	if emulate != nil {
		m.settings = steady
		m.limits = t.emulated
	}
	if m.limit == 0 {
		n := len(spec.Plan.Domains) * len(spec.Plan.Benchmarks)
		m.limit = m.hello + time.Duration(n)*perBenchmark
	}
	if err := m.start(plan, args); err != nil {
		return nil, m.failed(hv.BootFailed, err)
	}
	return m, nil
}

// arguments are those of the model's program.
func (t *Target) arguments(img *hv.Image, spec hv.BootSpec) ([]string, error) {
	policy := ""
	if img.Build.Policy != "" {
		if img.Policy == "" {
			return nil, errors.New("the image has no policy")
		}
		var err error
		if policy, err = t.policy(img.Policy); err != nil {
			return nil, err
		}
	}
	args := append([]string{"-plan", "-"}, policyArguments(img.Build, policy)...)
	if spec.Seed != 0 {
		args = append(args, "-seed", strconv.FormatInt(spec.Seed, 10))
	}
	return args, nil
}

// policyArguments are those about the policy, which is in a file; "" for none.
func policyArguments(b hv.Build, file string) (args []string) {
	for _, a := range [][2]string{{"-policy", file}, {"-label", b.Label}, {"-unknown", b.Unknown}} {
		if a[1] != "" {
			args = append(args, a[0], a[1])
		}
	}
	return args
}

// steady are the settings of Go's run-time system by which one thread at a
// time executes the program's code, and nothing interrupts it.
var steady = []string{"GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1"}

func repeatCommand(plan []byte, args []string) string {
	return shellescape.QuoteCommand([]string{"echo", string(plan)}) + " | " + shellescape.QuoteCommand(args)
}

func (m *machine) start(plan []byte, args []string) error {
	m.cmd = exec.Command(args[0], args[1:]...)
	m.cmd.Env = append(environment(), m.settings...)
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

// environment is this program's without what steers Go's run-time system:
// the program under test must not depend on the caller's settings.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{"GODEBUG", "GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GOTRACEBACK", "GORACE"}, name)
	})
}

// receive turns standard output into events until it ends or is damaged.
func (m *machine) receive(out *os.File, read chan<- struct{}) {
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
func (m *machine) Measure(ctx context.Context, emit func(bench.Measurement) error) error {
	whole := time.NewTimer(m.limit)
	defer whole.Stop()
	silence := time.NewTimer(m.hello)
	defer silence.Stop()
	for m.ends < len(m.plan.Domains) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-whole.C:
			return m.stuck(hv.TimedOut, fmt.Errorf("not done after %v", m.limit))
		case <-silence.C:
			if m.hellos == 0 {
				return m.stuck(hv.BootFailed, fmt.Errorf("no domain reported within %v", m.hello))
			}
			return m.stuck(hv.NoProgress, fmt.Errorf("no record for %v", m.silence))
		case e := <-m.events:
			if e.err != nil {
				return m.ended(e.err)
			}
			if err := m.handle(e.Event, emit); err != nil {
				return err
			}
			if _, noise := e.Event.(wire.Noise); !noise {
				silence.Reset(m.silence)
			}
		}
	}
	return nil
}

func (m *machine) handle(e wire.Event, emit func(bench.Measurement) error) error {
	switch e := e.(type) {
	case wire.Hello:
		m.hellos++
		if e.Plan != "" && e.Plan != m.plan.Hash() {
			return m.failed(hv.BadProtocol, fmt.Errorf("domain %s measures plan %s, not %s", e.Domain, e.Plan, m.plan.Hash()))
		}
	case wire.Sample:
		return emit(e.Measurement)
	case wire.Warning:
		fmt.Fprintf(m.console, "warning: %s\n", e.Text)
	case wire.Skip:
		fmt.Fprintf(m.console, "skipped: %s: %s\n", e.Benchmark, e.Reason)
	case wire.Failure:
		return m.failed(hv.GuestFailed, errors.New(e.Text))
	case wire.End:
		m.ends++
	case wire.Noise:
		fmt.Fprintln(m.console, e.Text)
	}
	return nil
}

// ended says what the end of the stream, or damage to it, means.
func (m *machine) ended(err error) error {
	var truncated *wire.TruncatedError
	if !errors.As(err, &truncated) && err != io.EOF {
		return m.failed(hv.BadProtocol, err)
	}
	status := m.wait()
	switch {
	case m.hellos == 0:
		if status == nil {
			status = errors.New("the program ended before any domain reported")
		}
		return m.failed(hv.BootFailed, status)
	case status != nil:
		return m.failed(hv.GuestFailed, status)
	case truncated != nil:
		return m.failed(hv.BadProtocol, err)
	}
	return m.failed(hv.BadProtocol, fmt.Errorf("%d of %d domains reported", m.ends, len(m.plan.Domains)))
}

// wait gives a process whose output has ended a moment to end by itself.
func (m *machine) wait() error {
	timer := time.AfterFunc(dyingLimit, m.kill)
	defer timer.Stop()
	return m.cmd.Wait()
}

func (m *machine) failed(kind hv.BootErrorKind, err error) error {
	return &hv.BootError{Kind: kind, Image: m.img, Console: m.console.last(), Repeat: m.repeat, Err: err}
}

// stuck is failed for a program that still runs: it is made to print its
// stacks to the console first, where they show what it waits for.
func (m *machine) stuck(kind hv.BootErrorKind, err error) error {
	failure := m.failed(kind, err)
	m.stoodStill = true
	m.cmd.Process.Signal(syscall.SIGQUIT)
	timer := time.AfterFunc(dumpLimit, m.kill)
	defer timer.Stop()
	m.cmd.Wait()
	return failure
}

// kill ends the process group.
func (m *machine) kill() {
	if m.cmd.Process != nil {
		_ = child.Kill(m.cmd)
	}
}

// Close stops the program, if it still runs, and waits for it.
func (m *machine) Close() error {
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
