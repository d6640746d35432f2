package hypercall

import (
	"fmt"

	"xsmbench/abi"
)

// platform plans platform_op.
func (i *Interface) platform(a *abi.Args) (plan, error) {
	h, err := handle[abi.PlatformOpArgs](abi.PlatformOp, a)
	if err != nil {
		return plan{}, err
	}
	command, fields := platformFields(h)
	if command == "" {
		return plan{}, unknown(abi.PlatformOp, uint64(h.Cmd))
	}
	return i.named(abi.PlatformOp, platformOp(command, fields...))
}

// platformOp is the hypercall of a command with some fields of struct
// xen_platform_op.
func platformOp(command string, fields ...abi.NamedField) *abi.Named {
	return &abi.Named{Registers: []abi.Word{abi.Address(abi.Struct("xen_platform_op", append(fields,
		abi.Member("cmd", abi.Constant(command)), abi.Member("interface_version", abi.Constant("XENPF_INTERFACE_VERSION")))...))}}
}

// platformFields are a command's name and its fields, "" for what is not known.
func platformFields(h *abi.PlatformOpArgs) (command string, fields []abi.NamedField) {
	member := func(name string, w abi.Word) abi.NamedField { return abi.Member("u."+name, w) }
	switch h.Cmd {
	case abi.XENPFSettime:
		return "XENPF_settime32", []abi.NamedField{
			member("settime32.secs", abi.Variable(&h.Secs)), member("settime32.nsecs", abi.Variable(&h.NSecs)), member("settime32.system_time", abi.Variable(&h.SystemTime)),
		}
	case abi.XENPFAddMemtype:
		return "XENPF_add_memtype", []abi.NamedField{
			member("add_memtype.mfn", abi.Variable(&h.MFN)), member("add_memtype.nr_mfns", abi.Variable(&h.NrMFNs)), member("add_memtype.type", abi.Variable(&h.Type)),
			member("add_memtype.handle", abi.Variable(&h.Handle)), member("add_memtype.reg", abi.Variable(&h.Reg)),
		}
	case abi.XENPFDelMemtype:
		return "XENPF_del_memtype", []abi.NamedField{
			member("del_memtype.handle", abi.Variable(&h.Handle)), member("del_memtype.reg", abi.Variable(&h.Reg)),
		}
	case abi.XENPFReadMemtype:
		return "XENPF_read_memtype", []abi.NamedField{
			member("read_memtype.reg", abi.Variable(&h.Reg)), member("read_memtype.mfn", abi.Variable(&h.MFN)),
			member("read_memtype.nr_mfns", abi.Variable(&h.NrMFNs)), member("read_memtype.type", abi.Variable(&h.Type)),
		}
	}
	return "", nil
}

// profiler plans the commands of xenoprof_op that take no argument, and the first.
func (i *Interface) profiler(a *abi.Args) (plan, error) {
	h, err := handle[abi.XenoprofArgs](abi.XenoprofOp, a)
	if err != nil {
		return plan{}, err
	}
	if a.R[0] == abi.XENOPROFInit {
		return i.named(abi.XenoprofOp, abi.Command("XENOPROF_init", abi.Struct("xenoprof_init", abi.Member("num_events", abi.Variable(&h.NumEvents)))))
	}
	command, ok := profilerCommands[a.R[0]]
	if !ok {
		return plan{}, unknown(abi.XenoprofOp, a.R[0])
	}
	return i.named(abi.XenoprofOp, &abi.Named{Registers: []abi.Word{abi.Constant(command)}})
}

var profilerCommands = map[uint64]string{
	abi.XENOPROFReserveCounters: "XENOPROF_reserve_counters", abi.XENOPROFReleaseCounters: "XENOPROF_release_counters", abi.XENOPROFShutdown: "XENOPROF_shutdown",
}

// kexec plans the question for a range.
func (i *Interface) kexec(a *abi.Args) (plan, error) {
	h, err := handle[abi.KexecArgs](abi.KexecOp, a)
	if err != nil {
		return plan{}, err
	}
	if a.R[0] != abi.KEXECCmdGetRange {
		return plan{}, unsupported(abi.KexecOp, fmt.Sprintf("command %d would load or start a kernel", a.R[0]))
	}
	return i.named(abi.KexecOp, abi.Command("KEXEC_CMD_kexec_get_range", abi.Struct("xen_kexec_range",
		abi.Member("range", abi.Variable(&h.Range)), abi.Member("nr", abi.Variable(&h.Nr)),
		abi.Member("start", abi.Variable(&h.Start)), abi.Member("size", abi.Variable(&h.Size)))))
}
