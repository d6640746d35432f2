package symbols

import (
	"bytes"

	"xsmbench/hv/count/code"
	"xsmbench/hv/count/program"
)

// probes are functions of Xen 4.17 that a clean window never enters
// (arch/x86/x86_64/entry.S, arch/x86/domain.c).
var probes = []string{"common_interrupt", "context_switch"}

// Where Xen is entered and left (arch/x86/x86_64/entry.S, arch/x86/hvm/svm/entry.S
// and vmx/entry.S).
var (
	entries = []string{
		"common_interrupt", "handle_exception", "handle_ist_exception", "lstar_enter", "cstar_enter",
		"sysenter_entry", "int80_direct_trap", "entry_int82", "double_fault",
		"svm_vmexit_handler", "vmx_vmexit_handler",
	}
	exits = []string{"restore_all_guest", "restore_all_compat", "iret_exit_to_guest", "svm_asm_do_resume", "vmx_asm_do_vmentry"}
	// ownEnd ends in the return from an interrupt or a fault of Xen's own.
	ownEnd = "restore_all_xen"
)

// handlers are where a visit turns to what it came for: hypercalls
// (include/hypercall-defs.c), faults and traps (arch/x86/traps.c), interrupts
// and what is left to do before Xen returns.
var handlers = []string{
	"do_set_trap_table", "do_mmu_update", "do_set_gdt", "do_stack_switch", "do_set_callbacks",
	"do_fpu_taskswitch", "do_sched_op_compat", "do_platform_op", "do_set_debugreg", "do_get_debugreg",
	"do_update_descriptor", "do_memory_op", "do_multicall", "do_update_va_mapping", "do_set_timer_op",
	"do_event_channel_op_compat", "do_xen_version", "do_console_io", "do_physdev_op_compat",
	"do_grant_table_op", "do_vm_assist", "do_update_va_mapping_otherdomain", "do_iret", "do_vcpu_op",
	"do_set_segment_base", "do_mmuext_op", "do_xsm_op", "do_nmi_op", "do_sched_op", "do_callback_op",
	"do_xenoprof_op", "do_event_channel_op", "do_physdev_op", "do_hvm_op", "do_sysctl", "do_domctl",
	"do_kexec_op", "do_argo_op", "do_xenpmu_op", "do_dm_op", "do_hypfs_op", "do_mca",
	"do_paging_domctl_cont", "hvm_memory_op", "hvm_grant_table_op", "hvm_physdev_op",

	"do_page_fault", "do_general_protection", "do_trap", "do_invalid_op", "do_int3", "do_debug",
	"do_device_not_available", "do_nmi", "do_entry_CP",

	"do_IRQ", "do_softirq",
}

// iretq is its code.
var iretq = []byte{0x48, 0xcf}

// boundaries notes the entries, the exits and the handlers.
func boundaries(p *program.Program) {
	is := map[string]code.EventKind{}
	for _, name := range entries {
		is[name] = code.Enter
	}
	for _, name := range exits {
		is[name] = code.Leave
	}
	for _, name := range handlers {
		is[name] = code.Handle
	}
	for _, f := range p.Functions {
		kind, ok := is[f.Name]
		switch {
		case f.Name == ownEnd:
			endOwn(p, f)
		case ok && kind == code.Handle:
			p.Handle(f, f.Name)
		case ok:
			p.Event(f.Lo, kind, 0)
		}
	}
}

// endOwn notes the instruction that returns to what was interrupted. It
// executes after the return.
func endOwn(p *program.Program, f program.Function) {
	p.Map.Outside = []string{f.Name}
	if i := bytes.LastIndex(p.Bytes(f), iretq); i >= 0 {
		p.Event(f.Lo+uint64(i), code.Resume, 0)
	}
}
