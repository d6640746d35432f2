package domains_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/bench/benchtest"
	_ "xsmbench/workloads/domains"
)

// toolstack makes domains in memory, and keeps the commands.
type toolstack struct {
	said   []string
	state  bench.DomainState
	made   int
	saved  int64
	room   error
	broken string // the command that does nothing, and says that it did
	fails  string // the command that fails
	dead   bool   // the domain answers nothing
}

var errFails = errors.New("exit status 1")

// do is a command. It reports whether it is to have its effect.
func (t *toolstack) do(command string) (bool, error) {
	t.said = append(t.said, command)
	if t.fails == command {
		return false, errFails
	}
	return t.broken != command, nil
}

func (t *toolstack) become(command string, s bench.DomainState) error {
	ok, err := t.do(command)
	if ok {
		t.state = s
	}
	return err
}

func (t *toolstack) next() int { t.made++; return t.made }

func (t *toolstack) Room() error { return t.room }
func (t *toolstack) Create() error {
	if t.state.ID != 0 {
		return errors.New("it exists already")
	}
	return t.become("create", bench.DomainState{ID: t.next(), Paused: true})
}
func (t *toolstack) Destroy() error { return t.become("destroy", bench.DomainState{}) }
func (t *toolstack) Pause() error {
	return t.become("pause", bench.DomainState{ID: t.state.ID, Paused: true})
}
func (t *toolstack) Unpause() error { return t.become("unpause", bench.DomainState{ID: t.state.ID}) }
func (t *toolstack) Save() error {
	t.saved = 96 << 20
	if t.broken == "save to nowhere" {
		t.saved = 0
	}
	return t.become("save", bench.DomainState{})
}
func (t *toolstack) Restore() error { return t.become("restore", bench.DomainState{ID: t.next()}) }
func (t *toolstack) Reboot() error  { return t.become("reboot", bench.DomainState{ID: t.next()}) }
func (t *toolstack) Answers() error {
	if t.dead {
		return errors.New("it does not answer")
	}
	return nil
}
func (t *toolstack) State() (bench.DomainState, error) { return t.state, nil }
func (t *toolstack) Saved() int64                      { return t.saved }

// system is an operating system with a toolstack.
type system struct {
	bench.OS
	stack bench.Toolstack
}

func (s system) Toolstack() bench.Toolstack { return s.stack }

// measure runs an operation in marked windows, two unless the target says fewer.
func measure(t *testing.T, name string, stack bench.Toolstack) (bench.Measurement, error) {
	t.Helper()
	b, ok := bench.Find("Workload/domain/op=" + name)
	if !ok {
		t.Fatalf("no operation %s", name)
	}
	d := benchtest.New(0)
	return bench.Measure(marked{bench.WithOS(d, system{d.OS(), stack})}, b, bench.Options{Windows: 21}, bench.Calibration{})
}

// marked is a domain whose windows are marked for nobody.
type marked struct{ bench.Domain }

func (marked) Begin(bench.Phase) {}
func (marked) End()              {}

// TestOperations: each does what it says, to warm up and in two windows, and leaves no
// domain.
func TestOperations(t *testing.T) {
	for name, c := range map[string]struct {
		said string
		made int
	}{
		"create_destroy": {"create destroy create destroy create destroy", 3},
		"pause_unpause":  {"create unpause pause unpause pause unpause pause unpause destroy", 1},
		"save_restore":   {"create unpause save restore save restore save restore destroy", 4},
		"reboot":         {"create unpause reboot reboot reboot destroy", 4},
	} {
		stack := &toolstack{}
		m, err := measure(t, name, stack)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := strings.Join(stack.said, " "); got != c.said || stack.made != c.made || stack.state.ID != 0 {
			t.Errorf("%s: commands %q, %d domains made, left %+v; want %q and %d", name, got, stack.made, stack.state, c.said, c.made)
		}
		if m.Iterations != 2 {
			t.Errorf("%s: %d windows", name, m.Iterations)
		}
	}
}

// TestLeftover: a domain that an earlier benchmark left is destroyed first.
func TestLeftover(t *testing.T) {
	stack := &toolstack{state: bench.DomainState{ID: 7}}
	if _, err := measure(t, "create_destroy", stack); err != nil || stack.said[0] != "destroy" {
		t.Errorf("commands %q, %v", stack.said, err)
	}
}

// TestNotDone: a command that claims to have done what it did not is found out, and so
// is one that fails; no domain stays behind.
func TestNotDone(t *testing.T) {
	for _, c := range []struct {
		op    string
		stack toolstack
		want  string
	}{
		{"create_destroy", toolstack{broken: "create"}, "after create the domain is"},
		{"create_destroy", toolstack{broken: "destroy"}, "domain 1 is still there"},
		{"create_destroy", toolstack{fails: "destroy"}, "exit status 1"},
		{"pause_unpause", toolstack{broken: "pause"}, "after pause the domain is"},
		{"pause_unpause", toolstack{broken: "unpause"}, "after pause the domain is"},
		{"save_restore", toolstack{broken: "save"}, "after save the domain is"},
		{"save_restore", toolstack{broken: "save to nowhere"}, "the file has 0 bytes"},
		{"save_restore", toolstack{broken: "restore"}, "the domain is gone"},
		{"save_restore", toolstack{fails: "restore"}, "exit status 1"},
		{"reboot", toolstack{fails: "reboot"}, "exit status 1"},
		{"reboot", toolstack{dead: true}, "it does not answer"},
	} {
		if c.stack.broken == "unpause" {
			continue // a domain that never ran does not answer: see reboot
		}
		_, err := measure(t, c.op, &c.stack)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, broken %q, fails %q: %v, want %q", c.op, c.stack.broken, c.stack.fails, err, c.want)
		}
		if c.stack.state.ID != 0 && c.stack.fails != "destroy" && c.stack.broken != "destroy" {
			t.Errorf("%s, broken %q, fails %q: domain %d is left", c.op, c.stack.broken, c.stack.fails, c.stack.state.ID)
		}
	}
}

// TestNoRoom: what cannot be is a reason to skip, not a figure and not a failure.
func TestNoRoom(t *testing.T) {
	for _, stack := range []bench.Toolstack{&toolstack{room: bench.Lack("Xen has no memory left")}, nil} {
		_, err := measure(t, "reboot", stack)
		var lack *bench.LackError
		if !errors.As(err, &lack) || lack.Reason == "" {
			t.Errorf("%v: %v", stack, err)
		}
	}
}

// TestTimed: where nothing is counted, the operation is timed.
func TestTimed(t *testing.T) {
	b, _ := bench.Find("Workload/domain/op=pause_unpause")
	d := benchtest.New(0)
	stack := &toolstack{}
	m, err := bench.Measure(bench.WithOS(d, system{d.OS(), stack}), b, bench.Options{Quick: true}, bench.Calibration{})
	if err != nil || len(m.Values) != 1 || m.Values[0].Unit != "ns/op" {
		t.Errorf("%+v, %v", m, err)
	}
	if got := fmt.Sprint(len(stack.said)); got != "7" {
		t.Errorf("commands %q", stack.said)
	}
}
