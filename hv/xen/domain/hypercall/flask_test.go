package hypercall

import (
	"errors"
	"strings"
	"testing"
	"time"

	"xsmbench/abi"
	"xsmbench/bench"
)

// fakeFlask answers FLASK's hypercall with a cache of two processors.
type fakeFlask struct {
	threshold   uint32
	nodes       uint32
	slept       int
	unfreed     uint32 // nodes that RCU holds back, one a yield
	value       byte   // of boolean 0
	booleans    bool
	statistics  bool
	privileged  bool
	commits     int
	t           *testing.T
	allocations uint32
}

func (f *fakeFlask) respond(r *request, m memory) int64 {
	if r.op == uint64(abi.SchedOp) {
		if r.args[0] != uint64(abi.SCHEDOPYield) {
			f.t.Errorf("sched_op %d", r.args[0])
		}
		if f.unfreed > 0 {
			f.unfreed--
		}
		return 0
	}
	if r.op != uint64(abi.XSMOp) || m.get32(4) != 1 || len(m.b) < flaskOpSize {
		f.t.Errorf("hypercall %d, version %d, %d bytes", r.op, m.get32(4), len(m.b))
		return -int64(abi.ENOSYS)
	}
	return f.operate(m.get32(0), m.from(8))
}

// operate has the numbers and the places of public/xsm/flask_op.h.
func (f *fakeFlask) operate(cmd uint32, u memory) int64 {
	switch cmd {
	case 2: // FLASK_GETENFORCE
		return 1
	case 11: // FLASK_GETBOOL
		if u.get32(0) != 0 || !f.booleans {
			return -int64(abi.ENOENT)
		}
		u.b[4] = f.value
		return 0
	case 12: // FLASK_SETBOOL
		switch {
		case !f.privileged:
			return -int64(abi.EACCES)
		case u.get32(0) != 0 || u.b[6] != f.value || u.b[7] != 1:
			f.t.Errorf("sets boolean %d to %d, commit %d", u.get32(0), u.b[6], u.b[7])
		}
		f.commits++
		f.unfreed, f.nodes = f.nodes, 0
		return 0
	case 16: // FLASK_GETAVC_THRESHOLD
		return int64(f.threshold)
	case 17: // FLASK_SETAVC_THRESHOLD
		if !f.privileged {
			return -int64(abi.EACCES)
		}
		f.threshold = u.get32(0)
		return 0
	case 18: // FLASK_AVC_HASHSTATS
		for i, v := range []uint32{f.nodes, 3, 512, 2} {
			u.put32(4*i, v)
		}
		return 0
	case 19: // FLASK_AVC_CACHESTATS
		return f.cacheStats(u)
	}
	f.t.Errorf("operation %d", cmd)
	return -int64(abi.ENOSYS)
}

func (f *fakeFlask) cacheStats(u memory) int64 {
	cpu := u.get32(0)
	switch {
	case !f.statistics:
		return -int64(abi.ENOSYS)
	case cpu > 1:
		return -int64(abi.ENOENT)
	}
	frees := f.allocations - f.nodes - f.unfreed
	for i, v := range []uint32{100, 90, 10, f.allocations, 4, frees} {
		if cpu == 1 && (i == 3 || i == 5) {
			v = 0
		}
		u.put32(4+4*i, v)
	}
	return 0
}

func newFakeFlask(t *testing.T) *fakeFlask {
	return &fakeFlask{t: t, threshold: 512, nodes: 7, allocations: 20, value: 1, booleans: true, statistics: true, privileged: true}
}

func mustAVC(t *testing.T, f *fakeFlask) bench.AVC {
	t.Helper()
	a, err := mustDomain(t, newFake(f.respond)).AVC()
	if err != nil {
		t.Fatal(err)
	}
	a.(*avc).sleep = func(time.Duration) { f.slept++ }
	return a
}

func TestAVC(t *testing.T) {
	f := newFakeFlask(t)
	a := mustAVC(t, f)
	for range 2 { // the second time the number of processors is known
		s, err := a.Stats()
		if want := (bench.AVCStats{Lookups: 200, Hits: 180, Misses: 20, Allocations: 20, Reclaims: 8, Frees: 13}); s != want || err != nil {
			t.Errorf("statistics %+v, %v, want %+v", s, err, want)
		}
	}
	if c, err := a.Chains(); c != (bench.AVCChains{Nodes: 7, Used: 3, Buckets: 512, Longest: 2}) || err != nil {
		t.Errorf("chains %+v, %v", c, err)
	}
	if n, err := a.Threshold(); n != 512 || err != nil {
		t.Errorf("threshold %d, %v", n, err)
	}
	if err := a.SetThreshold(6); f.threshold != 6 || err != nil {
		t.Errorf("threshold %d, %v", f.threshold, err)
	}
	if err := a.Flush(); f.commits != 1 || f.unfreed != 7 || err != nil {
		t.Errorf("%d commits, %v", f.commits, err)
	}
	if err := a.Settle(); f.unfreed != 0 || f.slept != 0 || err != nil {
		t.Errorf("%d nodes are not freed, slept %d times, %v", f.unfreed, f.slept, err)
	}
	f.unfreed, f.allocations = fewYields+20, f.allocations+fewYields+20
	if err := a.Settle(); f.unfreed != 0 || f.slept == 0 || err != nil {
		t.Errorf("%d nodes are not freed, slept %d times, %v", f.unfreed, f.slept, err)
	}
}

// TestStatsAllocateNothing: they are read around windows.
func TestStatsAllocateNothing(t *testing.T) {
	x := newFake(newFakeFlask(t).respond)
	a, err := mustDomain(t, x).AVC()
	if err != nil {
		t.Fatal(err)
	}
	x.requests = make([]request, 0, 1<<12)
	if n := testing.AllocsPerRun(100, func() { a.Stats() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAVCFails(t *testing.T) {
	for _, c := range []struct {
		name string
		bad  func(*fakeFlask)
		do   func(bench.AVC) error
		err  error
		text string
	}{
		{"a build without statistics", func(f *fakeFlask) { f.statistics = false }, func(a bench.AVC) error { _, err := a.Stats(); return err }, errors.ErrUnsupported, "keeps none"},
		{"a policy without booleans", func(f *fakeFlask) { f.booleans = false }, bench.AVC.Flush, errors.ErrUnsupported, "no boolean"},
		{"a domU flushes", func(f *fakeFlask) { f.privileged = false }, bench.AVC.Flush, abi.EACCES, "set boolean 0"},
		{"a domU sets the threshold", func(f *fakeFlask) { f.privileged = false }, func(a bench.AVC) error { return a.SetThreshold(1) }, abi.EACCES, "threshold to 1"},
		{"RCU never ends", func(f *fakeFlask) { f.unfreed = 2 * mostYields; f.allocations = 3 * mostYields }, bench.AVC.Settle, nil, "not freed after"},
	} {
		f := newFakeFlask(t)
		c.bad(f)
		err := c.do(mustAVC(t, f))
		if err == nil || c.err != nil && !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: error %v, want %v, %q", c.name, err, c.err, c.text)
		}
	}
}

func TestNoAVC(t *testing.T) {
	for result, want := range map[abi.Errno]error{abi.ENOSYS: errors.ErrUnsupported, abi.EPERM: abi.EPERM} {
		d := mustDomain(t, newFake(func(*request, memory) int64 { return -int64(result) }))
		if _, err := d.AVC(); !errors.Is(err, want) {
			t.Errorf("xsm_op fails with %v: error %v, want %v", result, err, want)
		}
	}
}
