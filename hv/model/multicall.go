package model

import "xsmbench/abi"

// doMulticall makes a list of calls in one hypercall (common/multicall.c):
// each entry receives its own result, and the call fails only if the list
// cannot be read. Lists in lists are refused.
func doMulticall(_ *Machine, v *VCPU, a *abi.Args) int64 {
	list, _ := a.H.(*abi.MulticallList)
	if list == nil {
		return efault
	}
	for i := range list.Calls {
		v.preemptCheck()
		e := &list.Calls[i]
		if e.Op == abi.Multicall {
			e.Result = einval
			continue
		}
		e.Result = v.call(e.Op, &e.Args)
	}
	return 0
}
