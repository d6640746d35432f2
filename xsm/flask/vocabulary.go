package flask

import (
	"slices"

	"xsmbench/xsm/flask/ss"
)

//go:generate go run ./mapping ../../docs/flask-mapping.md

// Vocabulary returns what policies for Xen 4.0 to 4.22 have in place of what
// 3.2 asks for. docs/flask-mapping.md is made of it.
func Vocabulary() ss.Vocabulary {
	return ss.Vocabulary{StandIns: standIns(), Needless: needless(), Layouts: sidLayouts, Optional: optionalSIDs}
}

// StandIn is what stands for a permission of 3.2's, and why.
type StandIn struct {
	Permission string   // of 3.2's, "class permission"
	By         []string // of later releases', in order of preference
	Why        string
}

// StandIns are the permissions that later releases renamed, merged or dropped
// with the hypercall, each with what comes nearest to it.
var StandIns = []StandIn{
	{"xen scheduler", []string{"xen getscheduler"}, "4.3 split it; what `sched_id` asks for since then"},
	{"xen privprofile", []string{"xen2 pmu_ctrl"}, "4.22 dropped xenoprof; control of the virtual PMU is what succeeded it"},
	{"xen nonprivprofile", []string{"xen2 pmu_use"}, "4.22 dropped xenoprof; use of the virtual PMU is what succeeded it"},
	{"domain setvcpuaffinity", []string{"domain setaffinity"}, "renamed in 4.3"},
	{"domain getvcpuaffinity", []string{"domain getaffinity"}, "renamed in 4.3"},
	{"domain scheduler", []string{"domain2 setscheduler"}, "4.3 split it; the operation that changes something"},
	{"hvm pcilevel", []string{"hvm dm"}, "4.9 merged the operations of device models"},
	{"hvm irqlevel", []string{"hvm dm"}, "4.9 merged the operations of device models"},
	{"hvm pciroute", []string{"hvm dm"}, "4.9 merged the operations of device models"},
	{"event alloc", []string{"event create"}, "merged in 4.0"},
	{"event vector", []string{"resource setup"}, "4.2 dropped it; what PHYSDEVOP_setup_gsi asks for, which took the place of PHYSDEVOP_alloc_irq_vector"},
	{"mmu pagelist", []string{"mmu pageinfo"}, "dropped in 4.11; both tell of a domain's frames"},
	{"mmu translategp", []string{"mmu pageinfo"}, "dropped with XENMEM_translate_gpfn_list in 4.3; both tell of a domain's frames"},
}

// Permissions returns 3.2's permissions, "class permission", in its order.
func Permissions() []string {
	var all []string
	for _, c := range classes {
		for _, p := range c.Permissions {
			all = append(all, c.Name+" "+p)
		}
	}
	return all
}

// InitialSIDs returns the names of 3.2's initial SIDs, from 1 up.
func InitialSIDs() []string { return slices.Clone(initialSIDs) }

func standIns() map[string][]string {
	m := make(map[string][]string)
	for _, s := range StandIns {
		m[s.Permission] = s.By
	}
	return m
}

func needless() map[string]bool {
	m := make(map[string]bool)
	for p := range Needless {
		m[p] = true
	}
	return m
}

// Needless are the permissions that a policy need not have, and why.
var Needless = map[string]string{
	"domain transition":     noHook,
	"event close":           noHook,
	"event notify":          noHook,
	"event unmask":          noHook,
	"mmu mfnlist":           noHook,
	"xen tbufcontrol":       noHook, // its hook asks for scheduler, an oddity of 3.2's
	"security compute_user": "4.8 dropped the operation, which is denied without it",
}

const noHook = "no hook asks for it"

// sidLayouts are the orders of the initial SIDs of 4.0, 4.2, 4.6 and 4.17, each
// until the next; 3.2's is initialSIDs. Later releases' irq is 3.2's pirq.
var sidLayouts = [][]string{
	{"xen", "dom0", "domU", "domio", "domxen", "unlabeled", "security", "ioport", "iomem", "pirq", "device"},
	{"xen", "dom0", "domio", "domxen", "unlabeled", "security", "ioport", "iomem", "pirq", "device"},
	{"xen", "dom0", "domio", "domxen", "unlabeled", "security", "ioport", "iomem", "pirq", "device", "domU", "domDM"},
	{sidNameXenBoot, "xen", "dom0", "domio", "domxen", "unlabeled", "security", "ioport", "iomem", "pirq", "device", "domU", "domDM"},
}

// sidNameXenBoot is the label that the hypervisor has from 4.17 on until dom0
// is there.
const sidNameXenBoot = "xenboot"

// optionalSIDs are initial SIDs that no hook needs.
var optionalSIDs = map[string]bool{"domU": true, "vcpu": true, "virq": true}
