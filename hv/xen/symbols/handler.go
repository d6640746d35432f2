package symbols

import (
	"debug/elf"
	"encoding/binary"
	"slices"
	"strings"

	"golang.org/x/arch/x86/x86asm"
)

// dispatch is where Xen turns a visit to the handler of what it came for.
// Handlers are read from there: up to 4.16 the code called them through tables,
// from then on it calls each directly.
type dispatch struct {
	what              string
	functions, tables []string
}

// dispatches are of hypercalls (arch/x86/pv/hypercall.c, arch/x86/hvm/hypercall.c),
// of exceptions (arch/x86/x86_64/entry.S, arch/x86/traps.c) and of interrupts.
var dispatches = []dispatch{
	{"the handlers of hypercalls", []string{"pv_hypercall", "hvm_hypercall"}, []string{"pv_hypercall_table", "hvm_hypercall_table"}},
	{"the handlers of exceptions", []string{"handle_exception", "handle_exception_saved", "handle_ist_exception"}, []string{"exception_table"}},
	{"the handler of interrupts", []string{"common_interrupt"}, nil},
	{"the handler of soft interrupts", []string{"process_softirqs"}, nil},
}

// hypercalls are those that Xen has had since 4.15 (include/hypercall-defs.c,
// arch/x86/hypercall.c), by their handlers. They tell what a build lacks.
var hypercalls = []string{
	"do_argo_op", "do_callback_op", "do_console_io", "do_dm_op", "do_domctl", "do_event_channel_op",
	"do_event_channel_op_compat", "do_fpu_taskswitch", "do_get_debugreg", "do_grant_table_op", "do_hvm_op",
	"do_hypfs_op", "do_iret", "do_kexec_op", "do_mca", "do_memory_op", "do_mmu_update", "do_mmuext_op",
	"do_multicall", "do_nmi_op", "do_paging_domctl_cont", "do_physdev_op", "do_physdev_op_compat",
	"do_platform_op", "do_sched_op", "do_sched_op_compat", "do_set_callbacks", "do_set_debugreg",
	"do_set_gdt", "do_set_segment_base", "do_set_timer_op", "do_set_trap_table", "do_stack_switch",
	"do_sysctl", "do_update_descriptor", "do_update_va_mapping", "do_update_va_mapping_otherdomain",
	"do_vcpu_op", "do_vm_assist", "do_xen_version", "do_xenpmu_op", "do_xsm_op",
}

// isHandler tells a handler by its name from what its dispatcher calls besides.
func isHandler(name string) bool {
	return strings.HasPrefix(name, "do_") || strings.HasPrefix(name, "handle_") || strings.HasPrefix(name, "compat_") ||
		strings.HasPrefix(name, "hvm_") && strings.HasSuffix(name, "_op")
}

// handlers notes them.
func (b *boundary) handlers() error {
	found := map[string]bool{}
	for _, d := range dispatches {
		before := len(found)
		for _, name := range d.functions {
			b.called(name, found)
		}
		for _, name := range d.tables {
			b.tabled(name, found)
		}
		if len(found) == before {
			return &MissingError{d.what, slices.Concat(d.functions, d.tables)}
		}
	}
	for _, name := range hypercalls {
		if !found[name] {
			b.absent = append(b.absent, "the hypercall "+name)
		}
	}
	for _, f := range b.Functions {
		if found[f.Name] && !f.Part {
			b.Handle(f, f.Name)
		}
	}
	return nil
}

// called finds the handlers that a function calls.
func (b *boundary) called(name string, found map[string]bool) {
	for _, f := range b.Functions {
		if f.Name != name {
			continue
		}
		b.Each(f, func(at uint64, inst x86asm.Inst) {
			to, ok := inst.Args[0].(x86asm.Rel)
			if !ok || inst.Op != x86asm.CALL && inst.Op != x86asm.JMP {
				return
			}
			b.found(at+uint64(inst.Len)+uint64(int64(to)), found)
		})
	}
}

// tabled finds the handlers that a table points to.
func (b *boundary) tabled(name string, found map[string]bool) {
	for _, s := range b.list {
		if baseName(s.Name) != name || elf.ST_TYPE(s.Info) != elf.STT_OBJECT {
			continue
		}
		for data := b.data(s); len(data) >= 8; data = data[8:] {
			b.found(binary.LittleEndian.Uint64(data), found)
		}
	}
}

// found adds the function at an address if it is a handler.
func (b *boundary) found(at uint64, found map[string]bool) {
	if f, ok := b.functionAt(at); ok && f.Lo == at && isHandler(f.Name) && !hasRole(f.Name) {
		found[f.Name] = true
	}
}

// data are a symbol's contents, nil if the file has none.
func (b *boundary) data(s elf.Symbol) []byte {
	if int(s.Section) >= len(b.file.Sections) {
		return nil
	}
	section := b.file.Sections[s.Section]
	data, err := section.Data()
	if err != nil || s.Value < section.Addr || s.Value-section.Addr+s.Size > uint64(len(data)) {
		return nil
	}
	return data[s.Value-section.Addr:][:s.Size]
}
