package model

import (
	"testing"

	"xsmbench/abi"
)

// TestTimersEnd: a domain's end stops the timers of a vCPU that never ran. One that is
// armed would hold the whole machine in memory until its time has come.
func TestTimersEnd(t *testing.T) {
	w := newWorld(t)
	set := &abi.VCPUSetSingleshotTimer{TimeoutAbsNS: 1 << 62}
	if rc := w.domU.call(abi.VCPUOp, &abi.Args{R: [4]uint64{uint64(abi.VCPUOPSetSingleshotTimer)}, H: set}); rc != 0 {
		t.Fatalf("arm the timer: %d", rc)
	}
	end(t, w)
	if w.domU.timer.singleshot.Stop() {
		t.Error("the timer of a domain that is gone is armed")
	}
}
