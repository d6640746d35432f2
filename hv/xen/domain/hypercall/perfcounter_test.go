package hypercall

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/abi"
	"xsmbench/bench"
)

// fakeCounters are as XEN_SYSCTL_perfc_op gives them: a single counter of two
// processors and an array of three.
type fakeCounters struct {
	t                *testing.T
	x                *fakeXen
	counters, values uint32
	first            uint32 // values of the first counter
	result           int64
}

func (f *fakeCounters) respond(r *request, m memory) int64 {
	if r.op != uint64(abi.SysctlOp) || m.get32(0) != 5 || m.get32(4) != 0x15 || m.get32(8) != 2 {
		f.t.Errorf("hypercall %d, sysctl %d, version %d, command %d", r.op, m.get32(0), m.get32(4), m.get32(8))
	}
	if f.result != 0 {
		return f.result
	}
	m.put32(12, f.counters)
	m.put32(16, f.values)
	desc, values := m.get64(24), m.get64(32)
	if desc == 0 {
		return 0
	}
	d := m.from(int(desc - m.at))
	copy(d.b, "exceptions")
	d.put32(80, f.first)
	d = d.from(84)
	copy(d.b, "hypercalls")
	d.put32(80, 3)
	v := m.from(int(values - m.at))
	for i := range f.values {
		v.put32(4*int(i), i+uint32(len(f.x.requests))*10)
	}
	return 0
}

func newFakeCounters(t *testing.T) (*fakeCounters, *fakeXen) {
	f := &fakeCounters{t: t, counters: 2, values: 5, first: 2}
	f.x = newFake(f.respond)
	return f, f.x
}

func TestPerfCounters(t *testing.T) {
	_, x := newFakeCounters(t)
	read, err := mustDomain(t, x).PerfCounters()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		list, err := read()
		if err != nil {
			t.Fatal(err)
		}
		n := uint32(len(x.requests)) * 10
		want := []bench.PerfCounter{{Name: "exceptions", Values: []uint32{n, n + 1}}, {Name: "hypercalls", Values: []uint32{n + 2, n + 3, n + 4}}}
		if diff := cmp.Diff(want, list); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestNoPerfCounters(t *testing.T) {
	for _, c := range []struct {
		name string
		bad  func(*fakeCounters)
		err  error
	}{
		{"a build without", func(f *fakeCounters) { f.result = -int64(abi.ENOSYS) }, errors.ErrUnsupported},
		{"refused", func(f *fakeCounters) { f.result = -int64(abi.EACCES) }, abi.EACCES},
		{"none", func(f *fakeCounters) { f.counters = 0 }, nil},
		{"far too many values", func(f *fakeCounters) { f.values = 1 << 30 }, nil},
	} {
		f, x := newFakeCounters(t)
		d := mustDomain(t, x)
		c.bad(f)
		if _, err := d.PerfCounters(); err == nil || c.err != nil && !errors.Is(err, c.err) || c.err == nil && errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.err)
		}
	}
	f, x := newFakeCounters(t)
	d := mustDomain(t, x)
	read, err := d.PerfCounters()
	if err != nil {
		t.Fatal(err)
	}
	f.first = 3 // more than there are
	if list, err := read(); err == nil {
		t.Errorf("read %v", list)
	}
	d.privileged = false
	if _, err := d.PerfCounters(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("in a domU: error %v", err)
	}
}
