//go:build linux && (amd64 || 386)

package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"xsmbench/hv/count/mark"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/bench/wire"
	"xsmbench/hv/xen/domain/linux"
	"xsmbench/hv/xen/domain/native"
)

func TestParseModules(t *testing.T) {
	tests := []struct {
		text string
		want []module
	}{
		{"", nil},
		{"\n \n", nil},
		{"/lib/a.ko \n/lib/b.ko unrestricted=1\n", []module{{"/lib/a.ko", ""}, {"/lib/b.ko", "unrestricted=1"}}},
		{"/lib/a.ko  x=1 y=2", []module{{"/lib/a.ko", "x=1 y=2"}}},
	}
	for _, tt := range tests {
		if d := cmp.Diff(tt.want, parseModules(tt.text), cmp.AllowUnexported(module{})); d != "" {
			t.Errorf("%q: %s", tt.text, d)
		}
	}
}

// report makes the records of one benchmark and reads them.
func report(t *testing.T, counting bool, index int) ([]wire.Event, error) {
	t.Helper()
	var stream bytes.Buffer
	out := wire.NewWriter(&stream)
	if err := out.Hello(wire.Hello{Domain: "dom0"}); err != nil {
		t.Fatal(err)
	}
	r := &reporter{Writer: out, os: linux.New(linux.Config{}), counting: counting, now: func() uint64 { return 0 }}
	if err := r.Begin("Lmbench/lat_pipe", index, index); err != nil {
		return nil, err
	}
	m := bench.Measurement{
		Domain: "dom0", Benchmark: "Lmbench/lat_pipe", Iterations: 3, Values: []bench.Value{{Value: 5, Unit: "ns/op"}},
		Windows: []float64{4, 5, 6}, Warnings: []string{"the clock is coarse"},
	}
	if err := errors.Join(r.Sample(m), out.End()); err != nil {
		t.Fatal(err)
	}
	var events []wire.Event
	for in := wire.NewReader(&stream); ; {
		e, err := in.Next()
		if err == io.EOF {
			return events, nil
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
}

// TestReporter checks that what only timing needs is left out where windows
// are counted.
func TestReporter(t *testing.T) {
	for _, counting := range []bool{false, true} {
		events, err := report(t, counting, 1)
		if err != nil || len(events) != 4 {
			t.Fatalf("%v, %v", events, err)
		}
		m := events[2].(wire.Sample).Measurement
		if has := m.Windows != nil || m.Warnings != nil; has == counting || m.Iterations != 3 {
			t.Errorf("counting %v: %+v", counting, m)
		}
	}
}

// TestReporterSlots checks that every benchmark that a plan may have gets
// slots, and one more none.
func TestReporterSlots(t *testing.T) {
	tests := []struct {
		counting bool
		index    int
		ok       bool
	}{
		{true, 1, true}, {true, mark.Fit(native.Slots), true}, {true, mark.Fit(native.Slots) + 1, false},
		{false, mark.Fit(native.Slots) + 1, true}, // nothing is marked
	}
	for _, tt := range tests {
		if _, err := report(t, tt.counting, tt.index); (err == nil) != tt.ok {
			t.Errorf("counting %v: benchmark %d: error %v", tt.counting, tt.index, err)
		}
	}
}

// TestFirstComplaint checks that an error does not begin with what xl writes
// before.
func TestFirstComplaint(t *testing.T) {
	for _, tt := range []struct{ said, want string }{
		{"got a tsc mode string: \"native\"\nlibxl: error: libxl_create.c:1: no memory\nand more\n", "libxl: error: libxl_create.c:1: no memory\nand more"},
		{"Parsing config from /etc/xen/domU.cfg\n\n failed \n", "failed"}, {"", ""},
	} {
		if got := complaints(tt.said); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.said, got, tt.want)
		}
	}
}

// TestComplaints checks that what a program says is kept at
// its beginning only, and taken whole: the program must not find a broken pipe.
func TestComplaints(t *testing.T) {
	words, line := &tail{b: &strings.Builder{}}, []byte("a complaint of some length\n")
	for range 1000 {
		if n, err := words.Write(line); n != len(line) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	if n := words.b.Len(); n < 2000 || n > 2000+len(line) {
		t.Errorf("%d bytes are kept", n)
	}
}

func FuzzParseModules(f *testing.F) {
	f.Add("/lib/a.ko \n/lib/b.ko unrestricted=1\n")
	f.Add(" \r\n\x00 x")
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range parseModules(text) {
			if m.path == "" || strings.ContainsAny(m.path+m.args, "\n") || m.args != strings.TrimSpace(m.args) {
				t.Errorf("%q: a module %+v", text, m)
			}
		}
	})
}

func TestReclaims(t *testing.T) {
	for _, tt := range []struct {
		text string
		want uint64
	}{
		{"", 0},
		{"nr_free_pages 355\npageoutrun 3\nallocstall_dma 1\nallocstall_normal 20\npgfree 77\n", 24},
		{"pageoutrun\npageoutruns 4\nallocstall_dma32 x\npageoutrun 5", 5},
	} {
		if got := reclaimsIn([]byte(tt.text)); got != tt.want {
			t.Errorf("%q: %d, want %d", tt.text, got, tt.want)
		}
	}
}

// TestOutOfMemory: a count during which the kernel reclaimed memory is not called exact.
func TestOutOfMemory(t *testing.T) {
	for _, more := range []uint64{0, 1} {
		var stream bytes.Buffer
		r := &reporter{Writer: wire.NewWriter(&stream), os: linux.New(linux.Config{}), counting: true, now: func() uint64 { return 7 }}
		if err := r.Begin("Lmbench/lat_pipe", 1, 1); err != nil {
			t.Fatal(err)
		}
		r.now = func() uint64 { return 7 + more }
		if err := r.Sample(bench.Measurement{Domain: "domU", Benchmark: "Lmbench/lat_pipe", Warnings: []string{"the clock is coarse"}}); err != nil {
			t.Fatal(err)
		}
		if said := strings.Contains(stream.String(), outOfMemory); said != (more > 0) {
			t.Errorf("%d more: it says so: %v", more, said)
		}
	}
}
