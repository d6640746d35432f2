//go:build xsminline || xsmdirect

package xsm

import "xsmbench/abi"

// The tests of privilege that Xen's dummy makes since 4.3 (xsm_default_action),
// for what the hypervisor of 3.2 tests before it asks a hook. It tests still: a
// domain that comes here has passed, and no decision changes. Xen may set a
// barrier against speculation behind each comparison; here there is none.

// privileged is XSM_PRIV: the current domain is the control domain.
func privileged(cur *VCPU) abi.Errno {
	if cur.Domain.Privileged {
		return 0
	}
	return -abi.EPERM
}

// target is XSM_TARGET: the current domain asks about itself, or is privileged.
func target(cur *VCPU, d *Domain) abi.Errno {
	if cur.Domain == d || cur.Domain.Privileged {
		return 0
	}
	return -abi.EPERM
}

// console is console_io's: the domain has Xen's console.
func console(d *Domain) abi.Errno {
	if d.ID == 0 {
		return 0
	}
	return -abi.EPERM
}
