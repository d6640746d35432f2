package results

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/hv"
)

func testRun() Run {
	return Run{
		Tool: "test", Started: time.Date(2008, 1, 17, 0, 0, 0, 0, time.UTC),
		Spec: Spec{
			Target: "model", Workload: "idle", Rounds: 2,
			Builds:  []hv.Build{{Name: "native", Arch: "amd64"}, {Name: "dummy", Arch: "amd64"}},
			Domains: []string{"dom0", "domU"}, Benchmarks: []string{"Lmbench/lat_proc/op=fork"},
		},
		Images: []hv.Image{{Build: hv.Build{Name: "native", Arch: "amd64"}, Hash: "5d41"}},
	}
}

func measurement(domain string, v float64) bench.Measurement {
	return bench.Measurement{
		Domain: domain, Benchmark: "Lmbench/lat_proc/op=fork", Iterations: 110,
		Values:  []bench.Value{{Value: v, Unit: "ns/op"}, {Value: 12, Unit: "hooks/op"}},
		Windows: []float64{v - 1, v, v + 1.5},
	}
}

// boot measures one value in each domain.
func boot(t *testing.T, d *Dir, number, round int, build string, v float64) {
	t.Helper()
	w := begin(t, d, number, round, build)
	for _, domU := range d.run.Spec.SampleDomUs() {
		for _, domain := range []string{"dom0", "domU"} {
			m := measurement(domain, v)
			m.DomU = domU
			if err := w.Add(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
}

func begin(t *testing.T, d *Dir, number, round int, build string) *BootWriter {
	t.Helper()
	w, err := d.Begin(Boot{Boot: number, Round: round, Order: 1, Image: "5d41", Seed: -3}, hv.Build{Name: build, Arch: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func create(t *testing.T) *Dir {
	t.Helper()
	d, err := Create(filepath.Join(t.TempDir(), "run"), testRun())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestWriteAndRead(t *testing.T) {
	d := create(t)
	boot(t, d, 1, 1, "native", 1000)
	boot(t, d, 2, 1, "dummy", 1000.0000000001)
	c, err := Open(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	want := testRun()
	want.Schema = Schema
	if diff := cmp.Diff(want, c.Run); diff != "" {
		t.Errorf("run.json: %s", diff)
	}
	if len(c.Problems) > 0 {
		t.Errorf("problems: %v", c.Problems)
	}
	if len(c.Samples) != 4 {
		t.Fatalf("%d samples, want 4", len(c.Samples))
	}
	m := measurement("dom0", 1000.0000000001)
	got := c.Samples[0]
	wantSample := Sample{
		Boot: Boot{Boot: 2, Round: 1, Order: 1, Image: "5d41", Seed: -3}, Target: "model", Arch: "amd64",
		Build: "dummy", Domain: "dom0", Workload: "idle", Benchmark: m.Benchmark, Iterations: 110,
		Values: m.Values, Windows: m.Windows, Ended: true,
		Run: d.Path(), File: filepath.Join(d.Path(), "results", "dummy-amd64-dom0.txt"), Line: 7,
	}
	if diff := cmp.Diff(wantSample, got); diff != "" {
		t.Errorf("sample: %s", diff)
	}
}

func TestManyWindowsAndWarnings(t *testing.T) {
	d := create(t)
	m := measurement("dom0", 5)
	m.Windows = nil
	for i := range 1234 {
		m.Windows = append(m.Windows, float64(i)/7)
	}
	m.Warnings = []string{"clock ticks\n# end: boot=1", "second"}
	w := begin(t, d, 1, 1, "native")
	if err := w.Add(m); err != nil {
		t.Fatal(err)
	}
	missing := bench.Measurement{Domain: "dom0", Benchmark: "Lmbench/lat_sh", Warnings: []string{"no shell"}}
	if err := w.Add(missing); err != nil {
		t.Fatal(err)
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	samples, problems, err := ReadFiles(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Windows, samples[0].Windows); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"clock ticks # end: boot=1", "second"}, samples[0].Warnings); diff != "" {
		t.Error(diff)
	}
	if len(problems) != 1 || !strings.Contains(problems[0].String(), "not measured: Lmbench/lat_sh no shell") {
		t.Errorf("problems: %v", problems)
	}
}

func TestAddRefuses(t *testing.T) {
	nan := measurement("dom0", 1)
	nan.Values[0].Value = 0
	nan.Values[0].Value /= nan.Values[0].Value
	spaced := measurement("dom0", 1)
	spaced.Benchmark = "a b"
	unit := measurement("dom0", 1)
	unit.Values[0].Unit = ""
	domain := measurement("../dom0", 1)
	d := create(t)
	w := begin(t, d, 1, 1, "native")
	for _, m := range []bench.Measurement{nan, spaced, unit, domain} {
		if err := w.Add(m); err == nil {
			t.Errorf("Add accepts %+v", m)
		}
	}
	if err := w.End(); err == nil {
		t.Error("End accepts a boot without samples")
	}
	if len(d.Done()) != 0 {
		t.Errorf("done: %v", d.Done())
	}
	for _, name := range []string{"", "../x", "a b", "a/b", ".x"} {
		if _, err := d.Begin(Boot{Boot: 9, Round: 1}, hv.Build{Name: name}); err == nil {
			t.Errorf("Begin accepts build %q", name)
		}
	}
	if _, err := d.Begin(Boot{Boot: 1, Round: 1}, hv.Build{Name: "native"}); err == nil {
		t.Error("Begin accepts a number twice")
	}
}

func TestCreateRefuses(t *testing.T) {
	d := create(t)
	if _, err := Create(d.Path(), testRun()); !isLocked(err) {
		t.Errorf("second writer: %v", err)
	}
	if _, err := Resume(d.Path()); !isLocked(err) {
		t.Errorf("resume beside a writer: %v", err)
	}
	d.Close()
	if _, err := Create(d.Path(), testRun()); !errors.Is(err, ErrExists) {
		t.Errorf("second run: %v", err)
	}
	if _, err := Resume(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("resume nothing: %v", err)
	}
	occupied := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(occupied, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(filepath.Join(occupied, "run"), testRun()); err == nil {
		t.Error("Create makes a run below a file")
	}
}

func isLocked(err error) bool {
	var locked *LockedError
	return errors.As(err, &locked) && locked.PID == fmt.Sprint(os.Getpid())
}

func TestReadRunNamesTheLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"{\n\"schema\": 1,\n\"tool\": }", "run.json:3: "},
		{"{\n\"schema\": \"x\"}", "run.json:2: "},
		{"", "run.json:1: "},
		{`{"schema": 99}`, "schema 99, this program reads 1"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "run.json"), []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRun(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

func TestResume(t *testing.T) {
	d := create(t)
	boot(t, d, 1, 1, "native", 1000)
	w := begin(t, d, 2, 1, "dummy")
	if err := w.Add(measurement("dom0", 2000)); err != nil {
		t.Fatal(err)
	}
	if err := w.Fail(errors.New("machine died")); err != nil {
		t.Fatal(err)
	}
	d.Close()

	samples, problems, err := ReadFiles(d.Path())
	if err != nil || len(samples) != 3 || len(problems) != 2 {
		t.Fatalf("interrupted: %d samples, %v, %v", len(samples), problems, err)
	}
	d, err = Resume(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if diff := cmp.Diff(map[Key]bool{{1, "native", "amd64"}: true}, d.Done()); diff != "" {
		t.Error(diff)
	}
	if d.LastBoot() != 2 {
		t.Errorf("last boot %d, want 2", d.LastBoot())
	}
	boot(t, d, 3, 1, "dummy", 2001)
	samples, _, err = ReadFiles(d.Path())
	if err != nil || len(samples) != 4 {
		t.Fatalf("resumed: %d samples, %v", len(samples), err)
	}
	for _, s := range samples {
		if s.Build == "dummy" && (s.Boot.Boot != 3 || s.Values[0].Value != 2001 || !s.Ended) {
			t.Errorf("sample of the dead boot: %+v", s)
		}
	}
}

// TestKill cuts the files of a run after every byte, as a crash may leave
// them: reading never fails, no finished boot is lost, nothing that was cut
// is taken for a figure, and the run can be resumed and completed.
func TestKill(t *testing.T) {
	whole := create(t)
	boot(t, whole, 1, 1, "native", 1000)
	boot(t, whole, 2, 2, "native", 1234.5)
	whole.Close()
	name := filepath.Join("results", "native-amd64-dom0.txt")
	text, err := os.ReadFile(filepath.Join(whole.Path(), name))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(filepath.Join(whole.Path(), "results", "native-amd64-domU.txt"))
	if err != nil {
		t.Fatal(err)
	}
	firstEnd := strings.Index(string(text), "# end: boot=1")
	firstEnd += strings.Index(string(text[firstEnd:]), "\n") + 1
	for n := range len(text) + 1 {
		dir := filepath.Join(t.TempDir(), "run")
		d, err := Create(dir, testRun())
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		write := func(name string, text []byte) {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		write(name, text[:n])
		write(filepath.Join("results", "native-amd64-domU.txt"), other)
		checkCut(t, dir, n, n >= firstEnd, n == len(text))
		if t.Failed() {
			return
		}
	}
}

func checkCut(t *testing.T, dir string, n int, first, both bool) {
	t.Helper()
	check := func(when string) {
		t.Helper()
		samples, _, err := ReadFiles(dir)
		if err != nil {
			t.Fatalf("cut at %d, %s: %v", n, when, err)
		}
		ended := 0
		for _, s := range samples {
			if want := map[int]float64{1: 1000, 2: 1234.5, 3: 1000, 4: 1234.5}[s.Boot.Boot]; s.Values[0].Value != want || s.Values[0].Unit != "ns/op" || s.Build != "native" {
				t.Errorf("cut at %d, %s: %+v", n, when, s)
			}
			if s.Ended && s.Domain == "dom0" {
				ended++
			}
		}
		if first && ended < 1 || both && ended < 2 {
			t.Errorf("cut at %d, %s: %d finished boots", n, when, ended)
		}
	}
	check("read")
	d, err := Resume(dir)
	if err != nil {
		t.Fatalf("cut at %d: %v", n, err)
	}
	defer d.Close()
	want := map[Key]bool{}
	for round, done := range map[int]bool{1: first, 2: both} {
		if done {
			want[Key{round, "native", "amd64"}] = true
		}
	}
	if diff := cmp.Diff(want, d.Done()); diff != "" {
		t.Errorf("cut at %d: done: %s", n, diff)
	}
	check("mended")
	for round, v := range map[int]float64{1: 1000, 2: 1234.5} {
		if !want[Key{round, "native", "amd64"}] {
			boot(t, d, d.LastBoot()+1, round, "native", v)
		}
	}
	samples, _, err := ReadFiles(dir)
	if err != nil || len(samples) != 4 {
		t.Fatalf("cut at %d, completed: %d samples, %v", n, len(samples), err)
	}
	for _, s := range samples {
		if want := map[int]float64{1: 1000, 2: 1234.5}[s.Round]; !s.Ended || s.Values[0].Value != want || s.Build != "native" {
			t.Errorf("cut at %d, completed: %+v", n, s)
		}
	}
}
