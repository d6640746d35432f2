package xen

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/hv/xen/qemu"
	"xsmbench/results"
	"xsmbench/workloads"
)

// faked is the target with images that are made up, and a scenario for each.
type faked struct {
	*Target
	starts map[string]*start // by build
}

func (f *faked) Build(_ context.Context, b hv.Build, _ func(string)) (*hv.Image, error) {
	img := *f.starts[b.Name].img
	img.Build = b
	return &img, nil
}

func (f *faked) Boot(ctx context.Context, img *hv.Image, spec hv.BootSpec) (hv.Machine, error) {
	return f.boot(ctx, f.starts[img.Build.Name], spec)
}

// told is an observer that keeps what failed.
type told struct{ failed []string }

func (*told) Booting(experiment.Slot, experiment.Progress)                     {}
func (*told) Measured(experiment.Slot, bench.Measurement, experiment.Progress) {}
func (*told) Ended(experiment.Slot, int, time.Duration, experiment.Progress)   {}
func (*told) GaveUp(string, int)                                               {}
func (l *told) Failed(s experiment.Slot, err error, _ experiment.Progress) {
	l.failed = append(l.failed, fmt.Sprintf("%s: %v", s.Build.Name, err))
}

// ended counts the samples of boots that ended, by build.
func ended(t *testing.T, path string) map[string]int {
	t.Helper()
	samples, _, err := results.ReadFiles(path)
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, s := range samples {
		if s.Ended {
			n[s.Build]++
		}
	}
	return n
}

// TestFailureLeavesOthers runs three builds of which one fails: the others are
// measured, and a resumed run fills in what is missing.
func TestFailureLeavesOthers(t *testing.T) {
	t.Parallel()
	for accel, list := range map[qemu.Accel][]failure{
		qemu.ICount: {
			{scenario{Boot: "killed"}, hv.BootFailed, "QEMU was ended by killed"},
			{scenario{Boot: "kernel panic"}, hv.GuestFailed, "Kernel panic"},
			{scenario{Measure: "killed"}, hv.GuestFailed, "QEMU was ended by killed"},
			{scenario{Measure: "permissive"}, hv.GuestFailed, "FLASK does not enforce its policy"},
			{scenario{Measure: "windows cut off"}, hv.BadProtocol, "cut off"},
		},
		qemu.TCG: {
			{scenario{Measure: "killed"}, hv.GuestFailed, "QEMU was ended by killed"},
			{scenario{Measure: "a record is lost"}, hv.BadProtocol, "records 3 to 3 are lost"},
		},
	} {
		for _, f := range list {
			t.Run(string(accel)+" "+f.play.Boot+f.play.Measure, func(t *testing.T) {
				t.Parallel()
				failsAlone(t, accel, f)
			})
		}
	}
}

func failsAlone(t *testing.T, accel qemu.Accel, f failure) {
	target := &faked{patientTarget(), map[string]*start{}}
	spec := results.Spec{
		Target: "xen", Rounds: 2, Layouts: 1, Accel: string(accel), Domains: []string{"dom0", "domU"},
		Benchmarks: benchmarks, Options: bench.Options{Windows: windows}, Workload: workloads.Default,
	}
	for _, name := range []string{"native", "flask", "silo"} {
		play := scenario{}
		if name == "flask" {
			play = f.play
		}
		target.starts[name] = started(t, name, accel, play)
		spec.Builds = append(spec.Builds, hv.Build{Name: name, Arch: "amd64"})
	}
	images, err := experiment.Build(context.Background(), target, spec, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir()
	dir, err := results.Create(path, results.Run{Spec: spec, Images: images.List(spec)})
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	log := &told{}
	r := &experiment.Runner{Target: target, Dir: dir, Images: images, Observer: log}
	out, err := r.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if out.Done != 4 || out.Failures != 2 {
		t.Errorf("outcome %+v", out)
	}
	if d := cmp.Diff(map[string]int{"native": 10, "silo": 10}, ended(t, path)); d != "" {
		t.Errorf("samples of boots that ended:\n%s", d)
	}
	for _, text := range log.failed {
		if !strings.HasPrefix(text, "flask: boot flask: "+string(f.kind)) || !strings.Contains(text, f.text) ||
			!strings.Contains(text, "to repeat it: qemu-system-x86_64 ") {
			t.Errorf("failed: %s", text)
		}
	}
	setScenario(t, target.starts["flask"], scenario{})
	r.Target = &faked{patientTarget(), target.starts} // a run is resumed by another process
	if out, err := r.Run(context.Background()); err != nil || !out.Complete() {
		t.Fatalf("the second try: %+v, %v", out, err)
	}
	if d := cmp.Diff(map[string]int{"native": 10, "flask": 10, "silo": 10}, ended(t, path)); d != "" {
		t.Errorf("samples after the second try:\n%s", d)
	}
}

// TestInterruptedRun interrupts a run in the middle of a boot and resumes it.
func TestInterruptedRun(t *testing.T) {
	t.Parallel()
	s := started(t, "native", qemu.ICount, scenario{Measure: "hang"})
	target := &faked{patientTarget(), map[string]*start{"native": s}}
	spec := results.Spec{
		Target: "xen", Rounds: 1, Layouts: 1, Domains: []string{"dom0"}, Benchmarks: benchmarks, Workload: workloads.Default,
		Builds: []hv.Build{{Name: "native", Arch: "amd64"}},
	}
	images, err := experiment.Build(context.Background(), target, spec, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := results.Create(t.TempDir(), results.Run{Spec: spec, Images: images.List(spec)})
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(300*time.Millisecond, func() { cancel(stopped) })
	r := &experiment.Runner{Target: target, Dir: dir, Images: images, Observer: &told{}}
	if _, err := r.Run(ctx); !errors.Is(err, stopped) {
		t.Errorf("error %v, want %v", err, stopped)
	}
	setScenario(t, s, scenario{})
	if out, err := r.Run(context.Background()); err != nil || !out.Complete() {
		t.Errorf("resumed: %+v, %v", out, err)
	}
}
