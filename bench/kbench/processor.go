package kbench

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// registerProcessor registers the operations on a vCPU's registers that a
// context switch makes, and those on interrupts: negative controls.
func registerProcessor() {
	hypercall{
		op: "fpu_taskswitch", doc: "clear the task-switched flag",
		source: "arch/x86/traps.c:do_fpu_taskswitch",
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			return []step{zero("clear flag", abi.FPUTaskSwitch, &abi.Args{})}, nil, nil
		},
	}.register()
	hypercall{
		op: "stack_switch", doc: "set the kernel stack, to the scratch page's end",
		source: "arch/x86/mm.c:do_stack_switch",
		ready: func(hc bench.Hypercalls) ([]step, func(), error) {
			scratch, err := hc.Scratch()
			if err != nil {
				return nil, nil, fmt.Errorf("find scratch page: %w", err)
			}
			args := &abi.Args{R: [4]uint64{kernelSS, scratch.VA + abi.PageSize}}
			return []step{zero("set stack", abi.StackSwitch, args)}, nil, nil
		},
	}.register()
	hypercall{
		op: "get_debugreg", doc: "read debug register 7",
		source: "arch/x86/traps.c:do_get_debugreg",
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			return []step{positive("read register", abi.GetDebugreg, &abi.Args{R: [4]uint64{7}})}, nil, nil
		},
	}.register()
	hypercall{
		op: "physdev_irq_status", doc: "query whether an interrupt needs an end-of-interrupt",
		source: "arch/x86/physdev.c:do_physdev_op", dom0: true,
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			args := &abi.Args{R: [4]uint64{abi.PHYSDEVOPIRQStatusQuery}, H: &abi.PhysdevIRQStatus{IRQ: 9}}
			return []step{zero("ask for interrupt", abi.PhysdevOp, args)}, nil, nil
		},
	}.register()
}

// kernelSS is FLAT_KERNEL_SS of Xen's public headers: ring 3 for a 64-bit
// kernel, ring 1 for a 32-bit one.
const kernelSS = 0xe021 + (abi.PTLevels-3)*0xa
