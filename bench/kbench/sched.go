package kbench

import (
	"xsmbench/abi"
	"xsmbench/bench"
)

// registerScheduling registers sched_op, vcpu_op and set_timer_op, none of
// which Xen 3.2 checks: negative controls.
func registerScheduling() {
	hypercall{
		op: "sched_yield", doc: "give the physical CPU to another vCPU, if one waits",
		source: "common/schedule.c:do_sched_op",
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			return []step{zero("yield", abi.SchedOp, &abi.Args{R: [4]uint64{uint64(abi.SCHEDOPYield)}})}, nil, nil
		},
	}.register()
	hypercall{
		op: "vcpu_is_up", doc: "query whether vCPU 0 is up",
		source: "common/domain.c:do_vcpu_op",
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			return []step{one("ask for vCPU", abi.VCPUOp, &abi.Args{R: [4]uint64{uint64(abi.VCPUOPIsUp)}})}, nil, nil
		},
	}.register()
	hypercall{
		op: "vcpu_runstate", doc: "read the run state of vCPU 0",
		source: "common/domain.c:do_vcpu_op",
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			args := &abi.Args{R: [4]uint64{uint64(abi.VCPUOPGetRunstateInfo)}, H: &abi.VCPURunstateInfo{}}
			return []step{zero("read run state", abi.VCPUOp, args)}, nil, nil
		},
	}.register()
	hypercall{
		op: "set_timer", doc: "set the vCPU's one-shot timer to a time that is never reached",
		source: "common/schedule.c:do_set_timer_op",
		ready:  setTimer,
	}.register()
}

// setTimer leaves the timer due at once, so that a guest that had set it gets
// its interrupt.
func setTimer(hc bench.Hypercalls) ([]step, func(), error) {
	const never, past = 1 << 61, 1
	fire := func() { do(hc, "set timer", abi.SetTimerOp, &abi.Args{R: [4]uint64{past}}) }
	return []step{zero("set timer", abi.SetTimerOp, &abi.Args{R: [4]uint64{never}})}, fire, nil
}
