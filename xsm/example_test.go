//go:build xsm && !xsmdirect

package xsm_test

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// A module that has an opinion on one hook only: unprivileged domains may not
// send events. The dummy answers every other hook.
var quiet = &xsm.Operations{
	EvtchnSend: func(cur *xsm.VCPU, d *xsm.Domain, chn *xsm.Evtchn) abi.Errno {
		if !cur.Domain.Privileged {
			return -abi.EPERM
		}
		return 0
	},
}

func ExampleRegister() {
	dom0 := &xsm.Domain{ID: 0, Privileged: true}
	domU := &xsm.Domain{ID: 1}
	fmt.Println("register:", xsm.Register(quiet))
	fmt.Println("dom0 sends:", xsm.EvtchnSend(&xsm.VCPU{Domain: dom0}, dom0, &xsm.Evtchn{}))
	fmt.Println("domU sends:", xsm.EvtchnSend(&xsm.VCPU{Domain: domU}, domU, &xsm.Evtchn{}))
	fmt.Println("domU asks for the status:", xsm.EvtchnStatus(&xsm.VCPU{Domain: domU}, domU, &xsm.Evtchn{}))
	fmt.Println("a second module:", xsm.Register(&xsm.Operations{}))
	fmt.Println("unregister:", xsm.Unregister(quiet))
	fmt.Println("domU sends:", xsm.EvtchnSend(&xsm.VCPU{Domain: domU}, domU, &xsm.Evtchn{}))
	// Output:
	// register: 0
	// dom0 sends: 0
	// domU sends: -EPERM
	// domU asks for the status: 0
	// a second module: -EAGAIN
	// unregister: 0
	// domU sends: 0
}

// A module registers its table while the hypervisor boots, unless the command
// line switches it off.
func ExampleAddModule() {
	xsm.AddModule(xsm.Module{
		Name: "quiet",
		Doc:  "only dom0 may send events",
		Start: func(b *xsm.Boot) abi.Errno {
			if b.IntParam("quiet_enabled", 1) == 0 {
				return 0
			}
			return xsm.Register(quiet)
		},
	})

	domU := &xsm.Domain{ID: 1}
	for _, cmdline := range []string{"console=vga", "console=vga quiet_enabled=0"} {
		xsm.Init(&xsm.Boot{CmdLine: cmdline})
		fmt.Println("domU sends:", xsm.EvtchnSend(&xsm.VCPU{Domain: domU}, domU, &xsm.Evtchn{}))
	}
	// Output:
	// domU sends: -EPERM
	// domU sends: 0
}
