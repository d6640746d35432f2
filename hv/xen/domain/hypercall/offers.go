package hypercall

import "xsmbench/abi"

// Reasons for which operations are refused.
const (
	reasonTables  = "page tables and the TLB are the kernel's, and a process cannot name a table's frame"
	reasonPhysmap = "the pseudo-physical address space is the kernel's"
	reasonTimer   = "the vCPU's timer is the kernel's"
	reasonStack   = "the stack is the kernel's"
	reasonFPU     = "the task-switched flag is the kernel's"

	reasonMemList   = "Xen 4 has no such command: the frames of a domain are mapped, not listed"
	reasonTranslate = "Xen 4 has no such command: dom0 maps a translated domain's frames by their own numbers"
	reasonGiveBack  = "Xen 4 lets a domain give only what it has: dom0 could not give back to itself what it took"
)

// refusedOps are the hypercalls that are refused whatever they ask for.
var refusedOps = map[abi.Hypercall]string{
	abi.MMUUpdateOp:          reasonTables,
	abi.UpdateVAMapping:      reasonTables,
	abi.UpdateVAMappingOther: reasonTables,
	abi.MMUExtOp:             reasonTables,
	abi.SetTimerOp:           reasonTimer,
	abi.StackSwitch:          reasonStack,
	abi.FPUTaskSwitch:        reasonFPU,
}

// refused are the benchmarks of kbench that cannot run, those of notEncoded
// besides. A test compares the table with what Prepare says.
var refused = map[string]string{
	"Kbench/hypercall/op=mmu_update":               reasonTables,
	"Kbench/hypercall/op=mmu_update/entries=16":    reasonTables,
	"Kbench/hypercall/op=mmu_update_machphys":      reasonTables,
	"Kbench/hypercall/op=update_va_mapping":        reasonTables,
	"Kbench/hypercall/op=mmuext_pin_unpin":         reasonTables,
	"Kbench/hypercall/op=mmuext_invlpg":            reasonTables,
	"Kbench/hypercall/op=mmuext_tlb_flush":         reasonTables,
	"Kbench/hypercall/op=memory_populate_decrease": reasonPhysmap,
	"Kbench/hypercall/op=set_timer":                reasonTimer,
	"Kbench/hypercall/op=stack_switch":             reasonStack,
	"Kbench/hypercall/op=fpu_taskswitch":           reasonFPU,
}

// Offers reports whether a benchmark, by its full name, can run with a Domain.
// Benchmarks that make no hypercalls can.
func Offers(name string) bool { return refused[name] == "" }

// Refused says why a benchmark cannot run, "" if it can.
func Refused(name string) string { return refused[name] }
