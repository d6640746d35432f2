package profile

// rule is why a hook of Xen 3.2, whose rules the model has, and one of a modern
// Xen (4.15 and later) stand against each other. An empty name is no hook at all.
type rule struct {
	old, modern string
	why         string
}

// Reasons for differences.
const (
	renamed     = "another name"
	onePerEntry = "3.2 has a hook for each domctl and sysctl; today's Xen asks one for all at the hypercall's entry"
	alsoEntry   = "today's Xen asks at the hypercall's entry, too"
	noHook      = "3.2 has no hook there"
	eachMMUExt  = "3.2 asks for pinned tables only, today's Xen for each mmuext_op: flushes, and the switch to another address space"
	otherCall   = "XenLinux 2.6.18 maps a page by update_va_mapping, today's Linux by mmu_update"
	otherKernel = "another guest kernel: it maps, pins and flushes other numbers of pages for the same operation"
	twice       = "Linux's gntdev maps a page twice, for its kernel and for the program"
)

// rules are the differences that are known, by hooks. Those without an old
// hook are of hooks that 3.2 lacks or does not ask there.
var rules = []rule{
	{"mmu_normal_update", "mmu_update", renamed + " (mmu_update asks for a batch at once)"},
	{"mmu_machphys_update", "mmu_update", renamed},
	{"__do_xsm_op", "do_xsm_op", renamed},
	{"update_va_mapping", "mmu_update", otherCall},
	{"pausedomain", "domctl", onePerEntry},
	{"unpausedomain", "domctl", onePerEntry},
	{"physinfo", "sysctl", onePerEntry},
	{"sched_id", "sysctl", onePerEntry},
	{"perfcontrol", "sysctl", onePerEntry},
	{"tbufcontrol", "sysctl", onePerEntry},
	{"", "domctl", alsoEntry},
	{"", "sysctl", alsoEntry},
	{"", "xen_version", noHook},
	{"", "mmuext_op", eachMMUExt},
	{"", "mmu_update", otherKernel},
	{"", "update_va_mapping", otherKernel},
	{"", "memory_pin_page", otherKernel},
	{"mmu_normal_update", "", otherKernel},
	{"memory_pin_page", "", otherKernel},
	{"update_va_mapping", "", otherKernel},
}

// counts are why the same hook is crossed another number of times.
var counts = map[string]string{
	"grant_mapref": twice, "grant_unmapref": twice,
	"update_va_mapping": otherKernel, "memory_pin_page": otherKernel, "mmu_normal_update": otherKernel,
}

// whyOf finds the reason.
func whyOf(old, modern string) string {
	for _, r := range rules {
		if r.old == old && r.modern == modern {
			return r.why
		}
	}
	return ""
}
