package model

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// doXSMOp is xsm_op, the security module's own hypercall (do_xsm_op): whoever
// may make it is the module's to say.
func doXSMOp(_ *Machine, v *VCPU, a *abi.Args) int64 {
	op, _ := a.H.(*abi.XSMOpArgs)
	return xsm.DoXSMOp(&v.VCPU, op)
}
