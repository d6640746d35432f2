package hypercall

// Reasons for which operations of the full suite are not offered.
const (
	reasonCounters  = "Xen is built without performance counters, but for --witness"
	reasonPrints    = "Xen prints a line on its console each time, and no window is clean"
	reasonTransfer  = "the policy that Xen carries lets no domain transfer pages"
	reasonMicrocode = "the update is made after the hypercall has returned, and QEMU's processor takes none"
)

// notEncoded are the operations of the full suite, by why they cannot run.
var notEncoded = map[string][]string{
	reasonCounters:  {"sysctl_perfc"},
	reasonMicrocode: {"platform_microcode"},
	reasonPrints:    {"platform_quirk"},
	reasonTransfer:  {"grant_transfer"},
	reasonGiveBack:  {"domctl_iomem_permission", "domctl_ioport_permission", "domctl_irq_permission"},
	reasonMemList:   {"domctl_getmemlist"},
	reasonTranslate: {"memory_translate_gpfn_list"},
}

func init() {
	for reason, ops := range notEncoded {
		for _, op := range ops {
			refused["Kbench/hypercall/op="+op] = reason
		}
	}
}
