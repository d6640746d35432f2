package xen

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/count"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/qemu"
)

// counted is a sample of the fake's windows: 16 instructions in the hook's site,
// the rest of XSM's in the module.
func counted(domain, benchmark string, iterations int64, xen, xsm, guest, all float64) bench.Measurement {
	hook := bench.Path{Handler: "do_event_channel_op", Hook: "evtchn_send"}
	site, body := hook, hook
	site.Function, site.Part, site.Calls, site.Instructions = "do_event_channel_op", bench.PartSite, 1, 16
	body.Function, body.Part, body.Calls, body.Instructions = "flask_evtchn_send", bench.PartBody, 1, int64(xsm)-16
	paths := []bench.Path{site, body}
	if body.Instructions == 0 {
		paths = paths[:1]
	}
	var executed []string
	for _, x := range paths {
		executed = append(executed, x.Function) // in the order of their names, as paths are
	}
	return bench.Measurement{
		Domain: domain, Benchmark: benchmark, Iterations: iterations, Values: []bench.Value{
			{Value: xen, Unit: count.UnitXen}, {Value: xsm, Unit: count.UnitXSM}, {Value: 1, Unit: count.UnitHooks},
			{Value: guest, Unit: count.UnitGuest}, {Value: all, Unit: count.UnitAll},
		},
		Profile: &bench.Profile{Windows: 1, Ops: 1, Paths: paths, Executed: executed},
	}
}

func TestMeasureCounted(t *testing.T) {
	t.Parallel()
	s := started(t, "flask", qemu.ICount, scenario{})
	target, sp := patientTarget(), spec()
	var console bytes.Buffer
	sp.Console = &console
	for round := range 2 {
		got, err := whole(context.Background(), target, s, sp)
		if err != nil {
			t.Fatal(err)
		}
		want := []bench.Measurement{
			counted("dom0", "Target/plain", 3, 1000, 116, 300, 1302),
			counted("dom0", "Target/less", 6, 900, 116, 290, 1190),
			counted("dom0", "Target/control", 3, 1000, 116, 300, 1302),
			counted("domU", "Target/plain", 3, 1000, 116, 300, 1302),
			counted("domU", "Target/less", 6, 900, 116, 290, 1190),
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		// The snapshot is made once, each round resumes it for each domain.
		if n, want := len(pids(s)), 1+2*(round+1); n != want {
			t.Errorf("round %d: %d QEMUs, want %d", round, n, want)
		}
	}
	for _, line := range []string{
		"console of the boot to the snapshot", "(XEN) Xen version 4.17.5", "console while dom0 measured", "console while domU measured",
		"[xsmbench] skipped in domU: Target/control: only the control domain may", "[xsmbench] warning from dom0: the clock is coarse",
		`[xsmbench] dom0 facts: {"module":"flask","enforcing":true}`, "[xsmbench] domU: some noise",
	} {
		if !strings.Contains(console.String(), line) {
			t.Errorf("the console log lacks %q:\n%s", line, console.String())
		}
	}
}

// TestMeasureTimed measures under an accelerator without snapshots, where the
// domains measure one after the other.
func TestMeasureTimed(t *testing.T) {
	t.Parallel()
	s := started(t, "native", qemu.TCG, scenario{})
	sp := spec()
	sp.Plan.Options.Windows = 0
	got, err := whole(context.Background(), patientTarget(), s, sp)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 5 || got[0].Values[0] != (bench.Value{Value: 5, Unit: "ns/op"}) {
		t.Errorf("measured %+v", got)
	}
	if n := len(pids(s)); n != 1 {
		t.Errorf("%d QEMUs, want 1", n)
	}
}

// TestFailedBenchmark has a benchmark fail in its domain; the boot does not.
func TestFailedBenchmark(t *testing.T) {
	t.Parallel()
	s := started(t, "native", qemu.ICount, scenario{})
	sp := spec()
	sp.Plan.Benchmarks = []string{"Target/fails", "Target/plain"}
	got, err := whole(context.Background(), patientTarget(), s, sp)
	if err != nil {
		t.Fatal(err)
	}
	want := []bench.Measurement{
		{Domain: "dom0", Benchmark: "Target/fails", Error: "no memory"}, counted("dom0", "Target/plain", 3, 1000, 16, 300, 1302),
		{Domain: "domU", Benchmark: "Target/fails", Error: "no memory"}, counted("domU", "Target/plain", 3, 1000, 16, 300, 1302),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// failure is a scenario with the error that it must end in.
type failure struct {
	play scenario
	kind hv.BootErrorKind
	text string // in the error
}

// anytime are failures both of the boot and of measuring, named in the field
// Measure.
var anytime = []failure{
	{scenario{Measure: "kernel panic"}, hv.GuestFailed, "Kernel panic - not syncing: Attempted to kill init!"},
	{scenario{Measure: "xen panic"}, hv.GuestFailed, "Panic on CPU 0"},
	{scenario{Measure: "agent gives up"}, hv.GuestFailed, "dom0's agent gave up: run /usr/lib/xsmbench/toolstack/xl create: exit status 1: out of memory"},
	{scenario{Measure: "agent gives up in silence"}, hv.GuestFailed, "did not say why"},
}

func onBoot() []failure {
	list := []failure{
		{scenario{Boot: "killed"}, hv.BootFailed, "QEMU was ended by killed"},
		{scenario{Boot: "usage"}, hv.BootFailed, "QEMU ended with status 1: qemu-system-x86_64: -machine foo: unsupported machine type"},
		{scenario{Boot: "disk full"}, hv.BootFailed, "No space left on device"},
	}
	for _, f := range anytime {
		list = append(list, failure{scenario{Boot: f.play.Measure}, f.kind, f.text})
	}
	return list
}

func TestBootFails(t *testing.T) {
	t.Parallel()
	for _, f := range onBoot() {
		t.Run(f.play.Boot, func(t *testing.T) {
			t.Parallel()
			s := started(t, "dummy", qemu.ICount, f.play)
			got, err := whole(context.Background(), patientTarget(), s, spec())
			checkFailure(t, err, f)
			if len(got) != 0 {
				t.Errorf("%d samples", len(got))
			}
			if _, err := lookupSnapshot(t, s); !errors.Is(err, store.ErrAbsent) {
				t.Errorf("the failed boot has left a snapshot (%v)", err)
			}
			// Nothing of it keeps the next boot from working.
			setScenario(t, s, scenario{})
			if got, err := whole(context.Background(), patientTarget(), s, spec()); err != nil || len(got) != 5 {
				t.Errorf("the next boot: %d samples, %v", len(got), err)
			}
		})
	}
}

// A boot that fails leaves its whole console in its log. Where the guest would
// fail again in the same way, there is no second boot.
func TestFailedBoot(t *testing.T) {
	t.Parallel()
	for play, boots := range map[string]int{"agent gives up": 1, "killed": 2} {
		s, target := started(t, "dummy", qemu.ICount, scenario{Boot: play}), patientTarget()
		for range 2 {
			var console strings.Builder
			sp := spec()
			sp.Console = &console
			if _, err := target.boot(t.Context(), s, sp); err == nil {
				t.Fatalf("%s: the boot does not fail", play)
			}
			if text := console.String(); !strings.Contains(text, "console of the boot to the snapshot, which failed:\n(XEN) Xen version 4.17.5") {
				t.Errorf("%s: the console's log is %q", play, text)
			}
		}
		if n := len(pids(s)); n != boots {
			t.Errorf("%s: %d boots, want %d", play, n, boots)
		}
	}
}

func whileMeasuring() []failure {
	return append([]failure{
		{scenario{Measure: "killed"}, hv.GuestFailed, "QEMU was ended by killed"},
		{scenario{Measure: "usage"}, hv.GuestFailed, "unsupported machine type"},
		{scenario{Measure: "a byte flips"}, hv.BadProtocol, "checksum"},
		{scenario{Measure: "a record is lost"}, hv.BadProtocol, "records 3 to 3 are lost"},
		{scenario{Measure: "the stream is cut off"}, hv.BadProtocol, "malformed record"},
		{scenario{Measure: "the stream has no end"}, hv.BadProtocol, "without an end record"},
		{scenario{Measure: "the stream is empty"}, hv.BadProtocol, "without a hello record"},
		{scenario{Measure: "the kernel prints into a record"}, hv.BadProtocol, "line"},
		{scenario{Measure: "other plan"}, hv.BadProtocol, "measures plan 0123456789abcdef"},
		{scenario{Measure: "agent reports a failure"}, hv.GuestFailed, "store results: no memory"},
		{scenario{Measure: "permissive"}, hv.GuestFailed, "FLASK does not enforce its policy"},
		{scenario{Measure: "allowed", Domain: "domU"}, hv.GuestFailed, "domU was allowed what only dom0 may"},
	}, anytime...)
}

// ofWindows are failures where windows are counted.
var ofWindows = []failure{
	{scenario{Measure: "no windows file"}, hv.BadProtocol, "no such file"},
	{scenario{Measure: "windows cut off"}, hv.BadProtocol, "cut off"},
	{scenario{Measure: "windows cut off in a line"}, hv.BadProtocol, "is not a window"},
	{scenario{Measure: "windows damaged"}, hv.BadProtocol, "is not a window"},
	{scenario{Measure: "windows of another table"}, hv.BadProtocol, "cell 77, handler 0, hook -1, the map only 4, 1 and 1"},
	{scenario{Measure: "windows cannot be written"}, hv.BadProtocol, "window plug-in: cannot write the windows"},
}

func TestMeasuringFails(t *testing.T) {
	t.Parallel()
	for accel, list := range map[qemu.Accel][]failure{qemu.TCG: whileMeasuring(), qemu.ICount: append(whileMeasuring(), ofWindows...)} {
		for _, f := range list {
			t.Run(string(accel)+" "+f.play.Measure, func(t *testing.T) {
				t.Parallel()
				s := started(t, "flask", accel, f.play)
				_, err := whole(context.Background(), patientTarget(), s, spec())
				checkFailure(t, err, f)
			})
		}
	}
}

// checkFailure checks an error's type, and that people can do something with
// it.
func checkFailure(t *testing.T, err error, want failure) {
	t.Helper()
	var boot *hv.BootError
	if !errors.As(err, &boot) {
		t.Fatalf("error %v, want a boot error", err)
	}
	if boot.Kind != want.kind || !strings.Contains(boot.Err.Error(), want.text) {
		t.Errorf("%s: %v; want %s: %s", boot.Kind, boot.Err, want.kind, want.text)
	}
	if !strings.HasPrefix(boot.Repeat, qemu.Program+" -nodefaults") {
		t.Errorf("command to repeat it: %q", boot.Repeat)
	}
	if boot.Image == nil {
		t.Error("the error names no image")
	}
	lines := strings.Split(boot.Console, "\n")
	printed := want.play.Boot != "" && want.play.Boot != "usage" && want.play.Boot != "no monitor"
	if printed && (len(lines) != tailLines || strings.Contains(boot.Console, "\r")) {
		t.Errorf("console's end of %d lines:\n%s", len(lines), boot.Console)
	}
}

func exist(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestSalvage checks that what dom0 measured stands when domU fails, where one
// machine runs both and times them.
func TestSalvage(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"killed", "kernel panic", "agent gives up", "agent reports a failure"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := started(t, "dummy", qemu.TCG, scenario{Measure: how, Domain: "domU"})
			got, err := whole(context.Background(), patientTarget(), s, spec())
			var boot *hv.BootError
			if !errors.As(err, &boot) || boot.Kind != hv.GuestFailed {
				t.Errorf("error %v", err)
			}
			n := 0
			for _, m := range got {
				if m.Domain == "dom0" {
					n++
				}
			}
			if n != 3 {
				t.Errorf("%d samples of dom0 stand, want 3", n)
			}
		})
	}
}

// TestWindowsMissing checks that samples whose windows never came say so.
func TestWindowsMissing(t *testing.T) {
	t.Parallel()
	s := started(t, "native", qemu.ICount, scenario{Measure: "no windows", Domain: "domU"})
	got, err := whole(context.Background(), patientTarget(), s, spec())
	if err != nil || len(got) != 5 {
		t.Fatalf("%d samples, %v", len(got), err)
	}
	for _, m := range got {
		if (m.Error != "") != (m.Domain == "domU") || (len(m.Values) == 0) != (m.Domain == "domU") {
			t.Errorf("%+v", m)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		play   scenario
		limits limits
		spec   func(*hv.BootSpec)
		kind   hv.BootErrorKind
		text   string
	}{
		{"silent boot", scenario{Boot: "hang"}, limits{boot: time.Minute, silence: 20 * time.Millisecond}, nil, hv.NoProgress, "the console printed nothing for 400ms"},
		{"endless boot", scenario{Boot: "babble"}, limits{boot: 100 * time.Millisecond, silence: time.Minute}, nil, hv.TimedOut, "dom0 and domU were not ready"},
		{"no monitor", scenario{Boot: "no monitor"}, limits{boot: 20 * time.Millisecond, silence: time.Minute}, nil, hv.TimedOut, "it takes too long"},
		{"deaf monitor", scenario{Measure: "deaf"}, limits{boot: 300 * time.Millisecond, silence: time.Minute}, nil, hv.TimedOut, "it takes too long"},
		{"silent domain", scenario{Measure: "hang"}, limits{boot: time.Minute, silence: 20 * time.Millisecond, measure: time.Minute}, nil, hv.NoProgress, "no sign of life for 400ms"},
		{"endless measuring", scenario{Measure: "babble"}, patient, func(s *hv.BootSpec) { s.Timeout = 300 * time.Millisecond }, hv.TimedOut, "not done after 300ms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := started(t, "dummy", qemu.ICount, tt.play)
			target, sp := patientTarget(), spec()
			target.limits = tt.limits
			if tt.spec != nil {
				tt.spec(&sp)
			}
			begun := time.Now()
			_, err := whole(context.Background(), target, s, sp)
			checkFailure(t, err, failure{tt.play, tt.kind, tt.text})
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestDamagedSnapshot checks that a snapshot that cannot be loaded costs one
// boot.
func TestDamagedSnapshot(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(string) error{
		"other bytes": func(path string) error { return os.WriteFile(path, []byte("of another QEMU"), 0o644) },
		"cut off":     func(path string) error { return os.Truncate(path, 3) },
		"empty":       func(path string) error { return os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, target := started(t, "native", qemu.ICount, scenario{}), patientTarget()
			if _, err := whole(context.Background(), target, s, spec()); err != nil {
				t.Fatal(err)
			}
			e, err := lookupSnapshot(t, s)
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(e.Path(stateFile)); err != nil {
				t.Fatal(err)
			}
			_, err = whole(context.Background(), target, s, spec())
			checkFailure(t, err, failure{scenario{}, hv.BootFailed, "the snapshot does not fit this QEMU, or is damaged"})
			if _, err := lookupSnapshot(t, s); !errors.Is(err, store.ErrAbsent) {
				t.Errorf("the snapshot is still used (%v)", err)
			}
			if got, err := whole(context.Background(), target, s, spec()); err != nil || len(got) != 5 {
				t.Errorf("the next boot: %d samples, %v", len(got), err)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	for _, play := range []scenario{{Boot: "hang"}, {Boot: "babble"}, {Measure: "hang"}, {Measure: "babble"}} {
		for _, accel := range []qemu.Accel{qemu.ICount, qemu.TCG} {
			t.Run(string(accel)+" "+play.Boot+play.Measure, func(t *testing.T) {
				t.Parallel()
				s := started(t, "silo", accel, play)
				ctx, cancel := context.WithCancelCause(context.Background())
				var at time.Time
				time.AfterFunc(500*time.Millisecond, func() { at = time.Now(); cancel(enough) })
				_, err := whole(ctx, patientTarget(), s, spec())
				if !errors.Is(err, enough) {
					t.Errorf("error %v, want %v", err, enough)
				}
				if took := time.Since(at); took > 5*time.Second {
					t.Errorf("it took %v to end", took)
				}
				for _, pid := range pids(s) {
					if !gone(pid) {
						t.Errorf("QEMU %s lives on", pid)
					}
				}
			})
		}
	}
}

// TestEmitFails checks that a receiver that fails ends measuring with its
// error.
func TestEmitFails(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	s := started(t, "native", qemu.ICount, scenario{})
	m, err := patientTarget().boot(context.Background(), s, spec())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	n := 0
	err = m.Measure(context.Background(), func(bench.Measurement) error {
		if n++; n == 2 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || n != 2 {
		t.Errorf("error %v after %d samples", err, n)
	}
}

// TestClose ends what runs.
func TestClose(t *testing.T) {
	t.Parallel()
	s := started(t, "native", qemu.TCG, scenario{Measure: "hang"})
	m, err := patientTarget().boot(context.Background(), s, spec())
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(300*time.Millisecond, func() { m.Close() })
	if err := m.Measure(context.Background(), func(bench.Measurement) error { return nil }); err == nil {
		t.Error("measuring goes on in a machine that was closed")
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if exist(m.(*machine).dir) {
		t.Error("its files are still there")
	}
}

func TestTooManyBenchmarks(t *testing.T) {
	sp := spec()
	sp.Plan.Benchmarks = make([]string, 2000)
	_, err := New().Boot(context.Background(), &hv.Image{Build: hv.Build{Name: "native"}}, sp)
	if err == nil || !strings.Contains(err.Error(), "--bench") {
		t.Errorf("error %v", err)
	}
}
