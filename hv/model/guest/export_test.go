package guest

import (
	"time"

	"xsmbench/abi"
)

// IdleWithPending idles with an event pending that the kernel has not taken
// yet, and returns how many handlers ran until it woke up.
func (c *Control) IdleWithPending() (taken int) {
	k := c.k
	deadline := abi.Args{R: [4]uint64{k.cpu.SystemTime() + 1e6}}
	k.must("set_timer_op", k.cpu.Hypercall(abi.SetTimerOp, &deadline))
	for k.shared.VCPU[0].UpcallPending.Load() == 0 {
		time.Sleep(time.Millisecond) // away from the hypervisor, which would deliver it
	}
	handlers := k.events.handlers
	for port, h := range handlers {
		if h != nil {
			k.events.handlers[port] = func() { taken++; h() }
		}
	}
	k.idle()
	k.events.handlers = handlers
	return taken
}
