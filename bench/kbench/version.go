package kbench

import (
	"xsmbench/abi"
	"xsmbench/bench"
)

// nullCalls is the length of the multicall batch.
const nullCalls = 8

// registerVersion registers what does nothing: the way into the hypervisor
// and back, alone and in a batch.
func registerVersion() {
	hypercall{
		op: "xen_version", doc: "query the version: the null hypercall",
		source: "common/kernel.c:do_xen_version",
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			return []step{positive("xen_version", abi.XenVersion, &abi.Args{R: [4]uint64{abi.XENVERVersion}})}, nil, nil
		},
	}.register()
	hypercall{
		op: "multicall", doc: "a multicall of 8 null hypercalls",
		source: "common/multicall.c:do_multicall",
		ready:  multicall,
	}.register()
	hypercall{
		op: "xsm_op", doc: "ask the security module for its mode (FLASK_GETENFORCE); -ENOSYS, without a module that answers, and -EINVAL, of one with other operations, count as answers",
		source: "xsm/xsm_core.c:do_xsm_op",
		hooks:  crosses("__do_xsm_op"),
		ready:  xsmOp,
	}.register()
}

func multicall(bench.Hypercalls) ([]step, func(), error) {
	list := &abi.MulticallList{Calls: make([]abi.MulticallEntry, nullCalls)}
	for i := range list.Calls {
		list.Calls[i] = abi.MulticallEntry{Op: abi.XenVersion, Args: abi.Args{R: [4]uint64{abi.XENVERVersion}}}
	}
	s := zero("multicall", abi.Multicall, &abi.Args{R: [4]uint64{nullCalls}, H: list})
	s.after = func() error {
		for i := range list.Calls {
			if r := list.Calls[i].Result; r < 0 {
				return abi.Errno(-r)
			}
		}
		return nil
	}
	return []step{s}, nil, nil
}

// flaskGetEnforce is FLASK's operation that reads its mode.
const flaskGetEnforce = 2

func xsmOp(bench.Hypercalls) ([]step, func(), error) {
	op := &abi.XSMOpArgs{Cmd: flaskGetEnforce, Buf: make([]byte, 16)}
	s := positive("xsm_op", abi.XSMOp, &abi.Args{H: op})
	s.or = []int64{-int64(abi.ENOSYS), -int64(abi.EINVAL)}
	// The size is the buffer's in and the answer's out.
	s.before = func() { op.Size = uint32(len(op.Buf)) }
	return []step{s}, nil, nil
}
