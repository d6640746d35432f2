package xen

import (
	"testing"

	"xsmbench/bench"
	"xsmbench/hv/count/mark"
	"xsmbench/hv/xen/domain/native"
)

// TestAllFits: a run of all that is offered fits into the marks of every
// program, and has only what the guests have and what can be counted in windows.
func TestAllFits(t *testing.T) {
	list, err := bench.SelectSuite("", ".")
	if err != nil {
		t.Fatal(err)
	}
	target, offered := New(), 0
	for _, b := range list {
		if !target.Offers(b) {
			continue
		}
		offered++
		if b.Run != nil && b.Job == nil {
			t.Errorf("%s measures itself and is offered", b.FullName())
		}
		if f := b.Lacking(func(f bench.Facility) bool { return f != bench.Disks }); f != "" {
			t.Errorf("%s needs %s and is offered", b.FullName(), f)
		}
	}
	if most := mark.Fit(native.Slots); offered == 0 || offered > most {
		t.Errorf("%d benchmarks are offered, the marks suffice for %d", offered, most)
	}
	t.Logf("%d benchmarks of %d are offered", offered, len(list))
}
