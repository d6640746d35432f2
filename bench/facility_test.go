package bench_test

import (
	"testing"

	"xsmbench/bench"
	"xsmbench/bench/benchtest"
)

// bare is an operating system without facilities.
type bare struct{ bench.OS }

func TestFacilities(t *testing.T) {
	all := []bench.Facility{bench.Seeking, bench.FIFOs, bench.Locking, bench.Semaphores, bench.Sleeping, bench.Networking, bench.Disks, bench.DynamicPrograms}
	whole := benchtest.New(0).OS()
	for _, f := range all {
		if !bench.Has(whole, f) {
			t.Errorf("the fake lacks %s", f)
		}
		if bench.Has(bare{whole}, f) {
			t.Errorf("bare bench.OS has %s", f)
		}
	}
	b := bench.Benchmark{Needs: []bench.Facility{bench.Seeking, bench.Disks}}
	for _, c := range []struct {
		has  []bench.Facility
		want bench.Facility
	}{
		{all, ""}, {nil, bench.Seeking}, {[]bench.Facility{bench.Seeking}, bench.Disks}, {[]bench.Facility{bench.Disks}, bench.Seeking},
	} {
		has := func(f bench.Facility) bool {
			for _, h := range c.has {
				if h == f {
					return true
				}
			}
			return false
		}
		if got := b.Lacking(has); got != c.want {
			t.Errorf("with %v it lacks %q, want %q", c.has, got, c.want)
		}
	}
}
