// Command hypercall has the hooks of a few hypercalls, with the framework as
// its build tags say, for the check on binaries to look at.
package main

import (
	"os"

	"xsmbench/abi"
	"xsmbench/xsm"
)

type channel struct {
	xsm.Evtchn
	pending int
}

//go:noinline
func evtchnSend(v *xsm.VCPU, d *xsm.Domain, c *channel) abi.Errno {
	if rc := xsm.EvtchnSend(v, d, &c.Evtchn); rc != 0 {
		return rc
	}
	c.pending++
	return 0
}

//go:noinline
func grantCopy(v *xsm.VCPU, from, to *xsm.Domain, n int) (done int, rc abi.Errno) {
	for done < n {
		if rc = xsm.GrantCopy(v, from, to); rc != 0 {
			break
		}
		done++
	}
	return done, rc
}

//go:noinline
func mmuUpdate(v *xsm.VCPU, d *xsm.Domain, ptes []uint64) abi.Errno {
	for i, pte := range ptes {
		if rc := xsm.MMUNormalUpdate(v, d, pte); rc != 0 {
			return rc
		}
		ptes[i] = pte | 1
	}
	return 0
}

//go:noinline
func evtchnClose(v *xsm.VCPU, c *channel) {
	xsm.EvtchnClosePost(v, &c.Evtchn)
	c.pending = 0
}

//go:noinline
func xsmOp(v *xsm.VCPU, op *abi.XSMOpArgs) int64 { return xsm.DoXSMOp(v, op) }

func main() {
	xsm.Init(&xsm.Boot{})
	d := &xsm.Domain{}
	v, c := &xsm.VCPU{Domain: d}, &channel{}
	rc := evtchnSend(v, d, c)
	_, copied := grantCopy(v, d, d, len(os.Args))
	evtchnClose(v, c)
	if rc|copied|mmuUpdate(v, d, make([]uint64, len(os.Args))) != 0 || xsmOp(v, &abi.XSMOpArgs{}) != -int64(abi.ENOSYS) {
		os.Exit(1)
	}
}
