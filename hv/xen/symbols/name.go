package symbols

import (
	"strings"

	"xsmbench/hv/count/program"
)

// spec says how Xen names things.
var spec = program.Spec{
	Area: area, Rest: Stubs,
	Name:       func(symbol string) (string, bool) { return baseName(symbol), isPart(symbol) },
	HookOf:     hookOf,
	Module:     isModule,
	Operations: []string{"xsm_ops", "xsm_operations"}, // xsm/xsm.h; the latter up to 4.15
	Probes:     probes(),
	Waits:      waits,
	// What Xen makes at boot of a call through a pointer (arch/x86/alternative.c):
	// up to 4.20 a direct call, followed by a one-byte nop; then one with a
	// prefix, as long as the first.
	Patched: []uint64{5, 6},
	// arch/x86/xen.lds.S
	Alternatives: [2]string{"__alt_instructions", "__alt_instructions_end"},
}

// prefix is that of the hooks' wrappers.
const prefix = "xsm_"

// hookOf tells a hook's wrapper. xsm_default_action is the body that the
// wrappers share; it belongs to the wrapper it is inlined into.
func hookOf(name string) (string, bool) {
	hook, ok := strings.CutPrefix(name, prefix)
	return hook, ok && name != "xsm_default_action"
}

// isModule tells functions that have wrappers' names but are the dummy
// module's (local ones of Xen's directory of modules), or global ones.
func isModule(file string) bool { return file == "" || strings.HasPrefix(file, "xsm/") }

// baseName drops what qualifies a symbol: its file, and the suffix of a part
// that the compiler split off or specialised.
func baseName(symbol string) string {
	if _, name, ok := strings.Cut(symbol, "#"); ok {
		symbol = name
	}
	name, _, _ := strings.Cut(symbol, ".")
	if name == "" {
		return symbol
	}
	return name
}

// isPart tells a part that the compiler moved out of a function's way.
func isPart(symbol string) bool {
	return strings.Contains(symbol, ".cold") || strings.Contains(symbol, ".part.")
}
