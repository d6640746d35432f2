package progress

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"xsmbench/bench"
	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/results"
)

func TestMinutes(t *testing.T) {
	for s, want := range map[float64]string{0: "0 s", 59.4: "59 s", 60: "1 min 00 s", 125: "2 min 05 s", 3700: "1 h 01 min"} {
		if got := minutes(time.Duration(s * float64(time.Second))); got != want {
			t.Errorf("%v s: %s, want %s", s, got, want)
		}
	}
}

// TestScreen: a run is told in lines where no bar can be drawn, and a
// benchmark without a sample once for each build and domain.
func TestScreen(t *testing.T) {
	var out bytes.Buffer
	s := New(&out)
	spec := results.Spec{Rounds: 2, Domains: []string{"dom0", "domU"}, Benchmarks: []string{"a", "b"},
		Builds: []hv.Build{{Name: "native"}, {Name: "flask"}, {Name: "native2", ControlOf: "native"}}}
	slot := experiment.Slot{Round: 1, Build: hv.Build{Name: "flask"}}
	p := experiment.Progress{Boots: 4, BootsDone: 1, Left: 90 * time.Second}
	s.Building("flask: built")
	s.Begins("out", spec)
	s.Booting(slot, p)
	s.Building("flask: booting to a snapshot")
	for range 2 {
		s.Measured(slot, bench.Measurement{Domain: "dom0", Benchmark: "a", Error: "too slow"}, p)
	}
	s.Ended(slot, 3, 2*time.Second, p)
	s.Failed(slot, &hv.BootError{Kind: hv.TimedOut, Err: errors.New("silence"), Console: "one\ntwo\n", Repeat: "qemu"}, p)
	s.GaveUp("flask", 2)
	s.Looked(results.Budget{Looks: []int{4, 6}, Taken: []results.Look{{Rounds: 4, Rows: 5, Open: 2}}})
	s.Ends()
	want := `flask: built
run out: 2 rounds of native, flask, controls native2; 2 benchmarks from dom0, domU
flask: booting to a snapshot
no sample: flask, dom0, a: too slow
[1/4] round 1, flask: 3 samples in 2.0 s, 1 min 30 s left
[1/4] round 1, flask: FAILED: time-out: silence
  console ends:
    one
    two
  to repeat it: qemu
flask failed 2 times in a row: its remaining boots are left for --resume
look 1 of at most 2, after 4 rounds: 2 of 5 rows are open
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	out.Reset()
	spec.Budget = &results.Budget{Time: time.Hour, Looks: []int{4, 6, 9}}
	if s.Begins("out", spec); !strings.HasPrefix(out.String(), "run out: up to 1 h 00 min or 9 rounds of native") {
		t.Errorf("got %s", out.String())
	}
}
