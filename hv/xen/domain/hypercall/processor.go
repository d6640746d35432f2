package hypercall

import "xsmbench/abi"

// version plans xen_version, of which only what returns a number and the
// features are needed.
func version(a *abi.Args) (plan, error) {
	switch a.R[0] {
	case abi.XENVERVersion, abi.XENVERPagesize:
		return plan{args: func(uint64) [5]uint64 { return [5]uint64{a.R[0]} }}, nil
	case abi.XENVERGetFeatures:
		return features(a)
	default:
		return plan{}, unknown(abi.XenVersion, a.R[0])
	}
}

// features plans on struct xen_feature_info: which word, the word.
func features(a *abi.Args) (plan, error) {
	h, err := handle[abi.FeatureInfo](abi.XenVersion, a)
	if err != nil {
		return plan{}, err
	}
	return plan{
		args: pointer(abi.XENVERGetFeatures), size: 8,
		encode: func(m memory) abi.Errno {
			m.put32(0, h.SubmapIdx)
			m.put32(4, 0)
			return 0
		},
		decode: func(m memory, _ int64) { h.Submap = m.get32(4) },
	}, nil
}

// multicallEntry is the size of struct multicall_entry: operation, result and
// six arguments.
const multicallEntry = 64

// multicall plans a batch of calls without memory of their own, which is
// xen_version for the version.
func multicall(a *abi.Args) (plan, error) {
	h, err := handle[abi.MulticallList](abi.Multicall, a)
	if err != nil {
		return plan{}, err
	}
	room := len(h.Calls)
	for i := range h.Calls {
		if !inBatch(&h.Calls[i]) {
			return plan{}, unsupported(abi.Multicall, "only xen_version for the version may be in a batch")
		}
	}
	return plan{
		args: func(at uint64) [5]uint64 { return [5]uint64{at, uint64(len(h.Calls))} },
		size: multicallEntry * room,
		encode: func(m memory) abi.Errno {
			if len(h.Calls) > room {
				return abi.E2BIG
			}
			return encodeBatch(m, h.Calls)
		},
		decode: func(m memory, _ int64) {
			for i := range h.Calls {
				h.Calls[i].Result = int64(m.get64(multicallEntry*i + 8))
			}
		},
	}, nil
}

func inBatch(e *abi.MulticallEntry) bool {
	return e.Op == abi.XenVersion && e.Args.R[0] == abi.XENVERVersion
}

func encodeBatch(m memory, calls []abi.MulticallEntry) abi.Errno {
	m.clear()
	for i := range calls {
		if !inBatch(&calls[i]) {
			return abi.EPERM
		}
		e := m.from(multicallEntry * i)
		e.put64(0, uint64(calls[i].Op))
		for j, r := range calls[i].Args.R {
			e.put64(16+8*j, r)
		}
	}
	return 0
}

// scheduling plans sched_op, of which a process may only yield and shut another
// domain down.
func (i *Interface) scheduling(a *abi.Args) (plan, error) {
	switch abi.SchedCmd(a.R[0]) {
	case abi.SCHEDOPYield:
	case abi.SCHEDOPRemoteShutdown:
		return i.remoteShutdown(a)
	default:
		return plan{}, unknown(abi.SchedOp, a.R[0])
	}
	return plan{args: func(uint64) [5]uint64 { return [5]uint64{uint64(abi.SCHEDOPYield)} }}, nil
}

func (i *Interface) remoteShutdown(a *abi.Args) (plan, error) {
	h, err := handle[abi.SchedRemoteShutdown](abi.SchedOp, a)
	if err != nil {
		return plan{}, err
	}
	return i.named(abi.SchedOp, abi.Command("SCHEDOP_remote_shutdown", abi.Struct("sched_remote_shutdown",
		abi.Member("domain_id", abi.Variable(&h.Dom)), abi.Member("reason", abi.Variable(&h.Reason)))))
}

// vcpu plans what vcpu_op tells of a vCPU.
func vcpu(a *abi.Args) (plan, error) {
	switch cmd := abi.VCPUCmd(a.R[0]); cmd {
	case abi.VCPUOPIsUp:
		return plan{args: func(uint64) [5]uint64 { return [5]uint64{uint64(cmd), a.R[1]} }}, nil
	case abi.VCPUOPGetRunstateInfo:
		return runstate(a)
	default:
		return plan{}, unknown(abi.VCPUOp, uint64(cmd))
	}
}

// runstate plans on struct vcpu_runstate_info: state, time of entry at 8, four
// times at 16.
func runstate(a *abi.Args) (plan, error) {
	h, err := handle[abi.VCPURunstateInfo](abi.VCPUOp, a)
	if err != nil {
		return plan{}, err
	}
	return plan{
		args: func(at uint64) [5]uint64 { return [5]uint64{uint64(abi.VCPUOPGetRunstateInfo), a.R[1], at} },
		size: 48,
		decode: func(m memory, _ int64) {
			h.State, h.StateEntryTime = int32(m.get32(0)), m.get64(8)
			for i := range h.Time {
				h.Time[i] = m.get64(16 + 8*i)
			}
		},
	}, nil
}

// debugreg plans get_debugreg, whose result is the register.
func debugreg(a *abi.Args) (plan, error) {
	return plan{args: func(uint64) [5]uint64 { return [5]uint64{a.R[0]} }}, nil
}
