package kernbench

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xsmbench/bench"
	"xsmbench/bench/benchtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestLoads(t *testing.T) {
	tests := []struct{ cpus, half, optimal int }{
		{1, 1, 4}, {2, 1, 8}, {3, 1, 12}, {4, 3, 16}, {5, 3, 20}, {6, 3, 24}, {8, 4, 32}, {16, 8, 64},
	}
	for _, tt := range tests {
		if h, o := halfLoad(tt.cpus), optimalLoad(tt.cpus); h != tt.half || o != tt.optimal {
			t.Errorf("%d CPUs: half %d, optimal %d; want %d and %d", tt.cpus, h, o, tt.half, tt.optimal)
		}
	}
}

func TestCPUs(t *testing.T) {
	for _, n := range []int{1, 2, 5, 32} {
		d := benchtest.New(0)
		d.VCPUs = n
		if got := cpus(d.Hypercalls()); got != n {
			t.Errorf("counted %d vCPUs of %d", got, n)
		}
	}
}

func TestFigures(t *testing.T) {
	f := newFigures(2*time.Second, bench.Usage{
		User: time.Second, System: 500 * time.Millisecond, Voluntary: 7, Involuntary: 3,
	})
	want := Figures{Elapsed: 2, User: 1, System: 0.5, PercentCPU: 75, ContextSwitches: 3, Sleeps: 7}
	if f != want {
		t.Errorf("figures %+v, want %+v", f, want)
	}
	values := f.Values()
	if len(values) != 6 || values[0] != (bench.Value{Value: 2e9, Unit: "ns/op"}) {
		t.Errorf("values %v", values)
	}
	if back, ok := FiguresOf(values); !ok || back != want {
		t.Errorf("figures of values %+v, %v", back, ok)
	}
	var units []string
	for _, v := range f.deviations() {
		units = append(units, fmt.Sprint(v.Value, " ", v.Unit))
	}
	if got := strings.Join(units, ", "); got != "2 elapsed-s-sd, 1 user-s-sd, 0.5 system-s-sd, 75 percent-cpu-sd, 3 ctx-switches-sd, 7 sleeps-sd" {
		t.Errorf("as deviations: %s", got)
	}
	if _, ok := FiguresOf(values[:5]); ok {
		t.Error("figures of values without sleeps")
	}
}

func TestMean(t *testing.T) {
	mean, sd := Mean([]Figures{{Elapsed: 1, Sleeps: 10}, {Elapsed: 2, Sleeps: 10}, {Elapsed: 3, Sleeps: 10}})
	if mean.Elapsed != 2 || math.Abs(sd.Elapsed-1) > 1e-12 || mean.Sleeps != 10 || sd.Sleeps != 0 {
		t.Errorf("mean %+v, deviation %+v", mean, sd)
	}
	if _, sd := Mean([]Figures{{Elapsed: 1}}); sd != (Figures{}) {
		t.Errorf("one run deviates by %+v", sd)
	}
}

func TestLog(t *testing.T) {
	l := Log{
		Date: "Mon Dec 11 12:00:00 UTC 2006", Kernel: "2.6.18-xen0",
		Loads: []Load{
			{Name: "Half load -j 3", Runs: []Figures{
				{100.5, 150.25, 30, 179, 1200, 2400},
				{101.5, 150.75, 31, 180, 1300, 2600},
				{102.5, 151.25, 32, 178, 1100, 2500},
			}},
			{Name: "Optimal load -j 16", Runs: []Figures{
				{80, 150, 40, 237, 123456, 2345678},
				{80.125, 150.5, 40, 237, 123458, 2345678},
			}},
		},
	}
	var b bytes.Buffer
	if n, err := l.WriteTo(&b); err != nil || n != int64(b.Len()) {
		t.Fatalf("%d bytes of %d, error %v", n, b.Len(), err)
	}
	golden := filepath.Join("testdata", "kernbench.log")
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("log is\n%swant\n%s", b.Bytes(), want)
	}
	if _, err := l.WriteTo(fullDisk{}); !errors.Is(err, errShort) {
		t.Errorf("error %v from a full disk", err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errShort }

// TestBuild compiles a small tree at several loads and looks at what is left.
func TestBuild(t *testing.T) {
	for _, jobs := range []int{1, 2, 3, 16} {
		d := benchtest.New(0)
		tr := tree{sources: 5, headers: 3}
		if err := tr.create(d.OS()); err != nil {
			t.Fatal(err)
		}
		f, err := tr.build(d.OS(), jobs)
		if err != nil {
			t.Fatalf("-j%d: %v", jobs, err)
		}
		if f.Elapsed <= 0 || f.User <= 0 || f.Sleeps <= 0 {
			t.Errorf("-j%d: figures %+v", jobs, f)
		}
		var objects, others int
		for _, path := range d.Files() {
			switch {
			case strings.HasPrefix(path, treeDir+"o") && !strings.HasSuffix(path, ".tmp"):
				objects++
			case strings.HasSuffix(path, ".tmp"), strings.HasPrefix(path, treeDir+"s"):
				others++
			}
		}
		if objects != 5 || others != 0 {
			t.Errorf("-j%d: %d objects and %d files that should be gone: %v", jobs, objects, others, d.Files())
		}
		if err := tr.clean(d.OS()); err != nil {
			t.Errorf("-j%d: %v", jobs, err)
		}
		tr.remove(d.OS())
		if n, files := d.Processes(), d.Files(); n != 0 || len(files) != 0 {
			t.Errorf("-j%d: %d processes and files %v are left", jobs, n, files)
		}
	}
}

// TestBuildFails takes a source away: the failure must come through four
// programs, and no job may be left.
func TestBuildFails(t *testing.T) {
	for _, jobs := range []int{1, 4} {
		d := benchtest.New(0)
		tr := tree{sources: 8, headers: 2}
		if err := tr.create(d.OS()); err != nil {
			t.Fatal(err)
		}
		if err := d.OS().Unlink(sourcePath(3)); err != nil {
			t.Fatal(err)
		}
		if _, err := tr.build(d.OS(), jobs); err == nil || !strings.Contains(err.Error(), "status 1") {
			t.Errorf("-j%d: error %v", jobs, err)
		}
		if n := d.Processes(); n != 0 {
			t.Errorf("-j%d: %d processes are left", jobs, n)
		}
	}
}

// TestObjectsDependOnSources finds out whether anything is computed: another
// source gives another object.
func TestObjectsDependOnSources(t *testing.T) {
	object := func(change bool) []byte {
		d := benchtest.New(0)
		os := d.OS()
		tr := tree{sources: 1, headers: 1}
		if err := tr.create(os); err != nil {
			t.Fatal(err)
		}
		if change {
			fd, err := os.Open(sourcePath(0), bench.O_WRONLY)
			if err != nil {
				t.Fatal(err)
			}
			os.Write(fd, []byte{99})
			os.Close(fd)
		}
		if _, err := tr.build(os, 1); err != nil {
			t.Fatal(err)
		}
		fd, err := os.Open(objectPath(0), bench.O_RDONLY)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 64)
		if n, err := os.Read(fd, b); n != len(b) || err != nil {
			t.Fatalf("read object: %d bytes, %v", n, err)
		}
		return b
	}
	if bytes.Equal(object(false), object(true)) {
		t.Error("the object does not depend on the source")
	}
	if !bytes.Equal(object(false), object(false)) {
		t.Error("the same source gives different objects")
	}
}

func TestProgramsRefuseBadArguments(t *testing.T) {
	os := benchtest.New(0).OS()
	for _, args := range [][]string{
		{makePath}, {makePath, "-j", "x", "1", "1"}, {makePath, "-k", "1", "1", "1"}, {makePath, "-j", "-1", "1", "1"},
		{driverPath, "-c"}, {driverPath, "-S", "1", "1"}, {cc1Path}, {asPath, "a"}, {ldPath, "1", "2"},
	} {
		if status := os.Exec(args[0], args...); status != exitUsage {
			t.Errorf("%v: status %d", args, status)
		}
	}
}
