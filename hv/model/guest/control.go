package guest

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// Control is what the first process of a domain has of the kernel beyond
// system calls: the devices through which a toolstack makes hypercalls
// (privcmd), maps other domains' frames and waits for event channels
// (/dev/xen/evtchn). It is a bench.Domain. It is for that process's code only.
type Control struct {
	k      *Kernel
	p      *Process
	events waitQueue // where the process waits for any of its events
}

// OS returns the process's system calls.
func (c *Control) OS() bench.OS { return c.p }

// Hypercalls returns the domain's hypercalls for benchmarks.
func (c *Control) Hypercalls() bench.Hypercalls { return &c.k.hyper }

// StartInfo returns what the domain found at its start.
func (c *Control) StartInfo() *abi.StartInfo { return c.k.si }

// Stats returns what the kernel has done to memory so far.
func (c *Control) Stats() Stats { return c.k.stats }

// FreeFrames returns the number of frames that nothing uses.
func (c *Control) FreeFrames() int { return c.k.mem.nfree }

// Printf prints on the console.
func (c *Control) Printf(format string, args ...any) { c.k.printf(format, args...) }

// Hypercall makes a hypercall for the process.
func (c *Control) Hypercall(op abi.Hypercall, a *abi.Args) int64 {
	c.p.enter()
	rc := c.k.cpu.Hypercall(op, a)
	c.p.leave()
	return rc
}

// MapFrames maps frames of a domain, writable, at adjacent addresses. The
// domain must have a right to them, or over the domain that owns them.
func (c *Control) MapFrames(dom abi.DomID, mfns []abi.MFN) (va uint64, err error) {
	c.p.enter()
	defer c.p.leave()
	return c.k.mapFrames(dom, mfns)
}

// UnmapFrames ends a mapping of n frames.
func (c *Control) UnmapFrames(va uint64, n int) {
	c.p.enter()
	c.k.unmapFrames(va, n)
	c.p.leave()
}

// Page is the memory of a mapped frame.
func (c *Control) Page(va uint64) []byte { return c.k.cpu.Page(va, true, false) }

// Event is an event channel that the process waits for.
type Event struct {
	c       *Control
	port    abi.Port
	pending bool
}

// Listen lets the process wait for events of a port that is bound. When one
// arrives, notify runs in the interrupt's place, if it is not nil.
func (c *Control) Listen(port abi.Port, notify func()) *Event {
	e := &Event{c: c, port: port}
	c.k.bind(0, port, func() {
		e.pending = true
		if notify != nil {
			notify()
		}
		c.events.wakeAll(c.k)
	})
	return e
}

// Wait returns when the port has been notified since the last Wait.
func (e *Event) Wait() { e.c.WaitAny(e) }

// WaitAny returns when one of the events' ports has been notified since the
// last wait for it, and returns that event.
func (c *Control) WaitAny(events ...*Event) *Event {
	c.p.enter()
	defer c.p.leave()
	for {
		for _, e := range events {
			if e.pending {
				e.pending = false
				return e
			}
		}
		c.p.sleep(&c.events)
	}
}

// Notify notifies the other end.
func (e *Event) Notify() error { return e.c.NotifyPort(e.port) }

// NotifyPort notifies the other end of a port.
func (c *Control) NotifyPort(port abi.Port) error {
	op := abi.EvtchnSend{Port: port}
	rc := c.Hypercall(abi.EventChannelOp, &abi.Args{R: [4]uint64{uint64(abi.EVTCHNOPSend)}, H: &op})
	if rc < 0 {
		return fmt.Errorf("notify port %d: %w", port, abi.Errno(-rc))
	}
	return nil
}

// Ignore ends the listening; the port stays bound, and masked.
func (e *Event) Ignore() { e.c.k.unbind(e.port) }

// GrantPage grants a frame set aside for it to another domain, for reading and
// writing.
func (c *Control) GrantPage(dom abi.DomID) (abi.GrantRef, error) {
	c.p.enter()
	defer c.p.leave()
	f := c.k.zeroed()
	if f == 0 {
		return 0, fmt.Errorf("grant a page to domain %d: %w", dom, abi.ENOMEM)
	}
	ref := c.k.grant(dom, f)
	if ref == 0 {
		c.k.mem.put(f)
		return 0, fmt.Errorf("grant a page to domain %d: no reference is free", dom)
	}
	return ref, nil
}

// EndGrant takes a grant back, and reports whether the other domain no longer
// used it.
func (c *Control) EndGrant(ref abi.GrantRef) bool {
	c.p.enter()
	defer c.p.leave()
	return c.k.ungrant(ref)
}

// SetPeer makes another domain the one that benchmarks find.
func (c *Control) SetPeer(p bench.Peer) { c.k.hyper.peer, c.k.hyper.hasPeer = p, true }

// BootID is the domain's number.
func (c *Control) BootID() abi.DomID { return c.k.domID }
