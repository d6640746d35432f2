package symbols

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"xsmbench/hv/count/code"
)

// role is what places in Xen's code are to the counting. Releases have other
// names for them: a build has one of the symbols, or several.
type role struct {
	what    string // for messages
	kind    code.EventKind
	symbols []string // the newest first
	need    need
}

// need says what it means if a build has none of a role's symbols.
type need string

const (
	// always: every Xen has the role. Without it windows would not begin or
	// end where they should, and counts would be wrong without a sign of it.
	always need = ""
	// newer: releases before a certain one lack it.
	newer need = "newer"
)

// option is the need of a role that builds without a Kconfig option lack.
func option(name string) need { return need(name) }

// roles are where Xen is entered and left (arch/x86/x86_64/entry.S, its
// compat/entry.S and entry-fred.S, arch/x86/hvm/svm/entry.S and vmx/entry.S),
// from 4.15 on.
var roles = []role{
	{"the entry of interrupts", code.Enter, []string{"common_interrupt"}, always},
	{"the entry of exceptions", code.Enter, []string{"handle_exception"}, always},
	{"the entry of NMIs and machine checks", code.Enter, []string{"handle_ist_exception"}, always},
	{"the entry of double faults", code.Enter, []string{"entry_DF", "double_fault"}, always},
	{"the entry of system calls", code.Enter, []string{"lstar_enter"}, always},
	{"the entry of 32-bit system calls", code.Enter, []string{"cstar_enter"}, option("PV")},
	{"the entry of SYSENTER", code.Enter, []string{"sysenter_entry"}, option("PV")},
	{"the entry of INT 0x80", code.Enter, []string{"entry_int80", "int80_direct_trap"}, option("PV")},
	{"the entry of 32-bit hypercalls", code.Enter, []string{"entry_int82"}, option("PV32")},
	{"the exit of SVM guests", code.Enter, []string{"svm_vmexit_handler"}, option("AMD_SVM")},
	{"the exit of VMX guests", code.Enter, []string{"vmx_vmexit_handler"}, option("INTEL_VMX")},
	{"the entry of FRED events from guests", code.Enter, []string{"entry_FRED_R3"}, newer},
	{"the entry of FRED events from Xen", code.Enter, []string{"entry_FRED_R0"}, newer},

	{"the return to guests", code.Leave, []string{"restore_all_guest"}, always},
	{"the return to guests by IRET", code.Leave, []string{"iret_exit_to_guest"}, always},
	{"the return to 32-bit guests", code.Leave, []string{"compat_restore_all_guest"}, option("PV32")},
	{"the return to guests by ERETU", code.Leave, []string{"eretu_exit_to_guest"}, newer},
	{"the entry of SVM guests", code.Leave, []string{"svm_asm_do_resume"}, option("AMD_SVM")},
	{"the entry of VMX guests", code.Leave, []string{"vmx_asm_do_vmentry"}, option("INTEL_VMX")},

	{"the return to what was interrupted in Xen", code.Resume, []string{"restore_all_xen"}, always},
	{"the return by ERETS to what was interrupted in Xen", code.Resume, []string{"entry_FRED_R0"}, newer},
}

// signs are functions, by name, whose entry makes a window unclean
// (arch/x86/irq.c, arch/x86/domain.c).
var signs = []struct{ what, function string }{
	{"the entry of interrupts", "common_interrupt"},
	{"the handler of interrupts", "do_IRQ"},
	{"the switch to another vCPU", "context_switch"},
}

// probes are these functions.
func probes() []string {
	var names []string
	for _, s := range signs {
		names = append(names, s.function)
	}
	return names
}

// MissingError tells that counting needs something of Xen's code that is not
// found in a build.
type MissingError struct {
	What    string
	Symbols []string // where it was looked for
}

// Error names what is missing and the symbols.
func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is not found at %s. This Xen names it otherwise, and counts would be wrong without it: "+
		"hv/xen/symbols has the names that are known", e.What, strings.Join(e.Symbols, " or "))
}

// present are the addresses of a role's symbols in a build.
func (r role) present(symbols map[string]uint64) []uint64 {
	var at []uint64
	for _, name := range r.symbols {
		if a, ok := symbols[name]; ok && !slices.Contains(at, a) {
			at = append(at, a)
		}
	}
	return at
}

// hasRole reports whether a symbol is one of a role's.
func hasRole(symbol string) bool {
	return slices.ContainsFunc(roles, func(r role) bool { return slices.Contains(r.symbols, symbol) })
}

// absence is what to say of a role that a build lacks; "" if that is no news.
func (r role) absence() string {
	switch r.need {
	case always, newer:
		return ""
	}
	return fmt.Sprintf("%s (%s; CONFIG_%s)", r.what, strings.Join(r.symbols, " or "), r.need)
}

// addresses are those of all symbols of code, by name.
func addresses(f *elf.File, list []elf.Symbol) map[string]uint64 {
	at := map[string]uint64{}
	for _, s := range list {
		if int(s.Section) >= len(f.Sections) || f.Sections[s.Section].Flags&elf.SHF_EXECINSTR == 0 {
			continue
		}
		_, name, ok := strings.Cut(s.Name, "#") // of a file
		if !ok {
			name = s.Name
		}
		at[name] = s.Value
	}
	return at
}
