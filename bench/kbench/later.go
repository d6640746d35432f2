package kbench

import (
	"xsmbench/abi"
	"xsmbench/bench"
)

// registerLater registers operations that Xen 3.2 has not. Their structures are
// named, since they are laid out as the Xen that is measured has them.
func registerLater() {
	registerLaterPhysdev()
	registerLaterMemory()
	registerLaterHVM()
	registerLaterControl()
	registerPCI()
	registerTargets()
	for _, l := range []later{
		{
			op: "hypfs_version", doc: "ask for the version of the hypervisor's file system", source: "common/hypfs.c:do_hypfs_op", hook: "hypfs_op",
			call: abi.HypfsOp, args: &abi.Named{Registers: []abi.Word{abi.Constant("XEN_HYPFS_OP_get_version")}}, result: 1,
		},
		{
			op: "mca_physcpuinfo", doc: "ask the machine-check handler how many processors there are", source: "arch/x86/cpu/mcheck/mce.c:do_mca", hook: "do_mca",
			call: abi.MCAOp, args: &abi.Named{Registers: []abi.Word{abi.Address(abi.Struct("xen_mc",
				abi.Member("cmd", abi.Constant("XEN_MC_physcpuinfo")), abi.Member("interface_version", abi.Constant("XEN_MCA_INTERFACE_VERSION"))))}},
		},
	} {
		l.register()
	}
}

// later is a benchmark of one hypercall of dom0's that changes nothing, or that
// does again what is done already.
type later struct {
	op, doc, source, hook string
	call                  abi.Hypercall
	args                  *abi.Named
	more                  []string // hooks
	// result is what Xen answers, and or are other results that are as good. A refusal
	// by a security module is none of them.
	result int64
	or     []int64
}

func (l later) register() {
	hypercall{
		op: l.op, doc: l.doc, source: l.source, hooks: crosses(append([]string{l.hook}, l.more...)...), dom0: true, full: true, later: true,
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			s := named(l.doc, l.call, l.args, l.result)
			s.or = l.or
			return []step{s}, nil, nil
		},
	}.register()
}

// named is a step that must have one result.
func named(name string, op abi.Hypercall, n *abi.Named, result int64) step {
	return step{name: name, op: op, args: &abi.Args{H: n}, least: result, most: result}
}

// Results of what fails after the hook was asked, and is no refusal by a security
// module.
const (
	noDevice    = -int64(abi.ENODEV)
	unavailable = -int64(abi.EOPNOTSUPP)
	exists      = -int64(abi.EEXIST)
)
