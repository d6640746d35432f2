package profile

import (
	"slices"

	"xsmbench/bench"
)

// newest are handlers' newest names, by those that they had or have beside it.
// Reports show handlers by these names, so that those of different releases of
// Xen, and the model's, stand in one line (arch/x86/traps.c).
var newest = map[string]string{
	"do_page_fault": "handle_PF", // until 4.21
	"handle_PF_IDT": "handle_PF", // reads CR2 for it
	"do_debug":      "handle_DB", // until 4.21
	"handle_DB_IDT": "handle_DB", // reads DR6 for it

	"do_reserved_trap": "do_unhandled_trap", // until 4.16
}

// newestName is a handler's name in reports.
func newestName(name string) string {
	if n, ok := newest[name]; ok {
		return n
	}
	return name
}

// isNewest reports whether other names are shown as this one.
func isNewest(name string) bool {
	for _, n := range newest {
		if n == name {
			return true
		}
	}
	return false
}

// named is a profile with the newest names.
func named(p bench.Profile) bench.Profile {
	p.Paths = slices.Clone(p.Paths)
	for i := range p.Paths {
		x := &p.Paths[i]
		x.Handler, x.Function = newestName(x.Handler), newestName(x.Function)
	}
	return p
}
