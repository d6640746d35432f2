package hypercall

import (
	"os"
	"sync/atomic"
	"time"

	"xsmbench/abi"
)

// fakeXen stands in for the kernel's devices: it keeps the requests and
// answers them with a function.
type fakeXen struct {
	next     uint64 // address of the next memory
	given    []memory
	requests []request
	respond  func(r *request, m memory) int64
	gntdev   *fakeGrants
	opened   []*fakeEvents
	fail     error // of grantPage
	closed   bool
	iface    *Interface
}

const firstAddress = 0x10000

// interfaceOf is the interface of a version of Xen.
func interfaceOf(version string) *Interface {
	text, err := os.ReadFile("testdata/interface-" + version + ".json")
	if err != nil {
		panic(err)
	}
	i, err := ParseInterface(text)
	if err != nil {
		panic(err)
	}
	return i
}

func newFake(respond func(*request, memory) int64) *fakeXen {
	return &fakeXen{next: firstAddress, respond: respond, gntdev: &fakeGrants{}, iface: interfaceOf("4.17")}
}

// domain is a domain on the fake that has asked for its features.
func (x *fakeXen) domain(features uint32) (*Domain, error) {
	respond := x.respond
	x.respond = func(r *request, m memory) int64 {
		if r.op == uint64(abi.XenVersion) && r.args[0] == abi.XENVERGetFeatures {
			m.put32(4, features)
			return 0
		}
		if respond == nil {
			return 0
		}
		return respond(r, m)
	}
	return newDomain(0, true, x, x.iface)
}

// find is the memory that holds an address of a request.
func (x *fakeXen) find(r *request) memory {
	for _, a := range r.args {
		for _, m := range x.given {
			if a >= m.at && a < m.at+uint64(len(m.b)) {
				return m.from(int(a - m.at))
			}
		}
	}
	return memory{}
}

func (x *fakeXen) hypercall(r *request) int64 {
	x.requests = append(x.requests, *r)
	return x.respond(r, x.find(r))
}

func (x *fakeXen) allocate(size int) (memory, error) {
	m := memory{make([]byte, size), x.next}
	x.next += 0x1000
	x.given = append(x.given, m)
	x.gntdev.given = x.given
	return m, nil
}

func (x *fakeXen) page() (memory, error)             { return x.allocate(abi.PageSize) }
func (x *fakeXen) grantDevice() (grantDevice, error) { return x.gntdev, nil }
func (x *fakeXen) grantPage(abi.DomID) (abi.GrantRef, error) {
	return 40, x.fail
}

func (x *fakeXen) events() (eventDevice, error) {
	e := newFakeEvents(abi.Port(20 + len(x.opened)))
	x.opened = append(x.opened, e)
	return e, nil
}

// mapFrame maps one that is not of the fake's.
func (x *fakeXen) mapFrame(abi.DomID, uint64) ([]byte, func(), error) {
	return make([]byte, abi.PageSize), func() {}, nil
}

func (x *fakeXen) close() error { x.closed = true; return nil }

// fakeGrants is a grant device with one offset.
type fakeGrants struct {
	given  []memory
	calls  []uint32
	status int16     // of copies
	refuse abi.Errno // of mmap
	mapped int
}

func (g *fakeGrants) ioctl(nr uint32, at uint64) int64 {
	g.calls = append(g.calls, nr)
	for _, m := range g.given {
		if m.at != at {
			continue
		}
		switch nr {
		case gntdevMap:
			m.put64(8, 0x3000)
		case gntdevCopy:
			m.put16(copyArgs+20, uint16(g.status))
		}
		return 0
	}
	return -int64(abi.EFAULT)
}

func (g *fakeGrants) mmap(offset uint64, _ bool) (uint64, abi.Errno) {
	if g.refuse != 0 {
		return 0, g.refuse
	}
	g.mapped++
	return 0x7000_0000 + offset, 0
}

func (g *fakeGrants) munmap(uint64) abi.Errno { g.mapped--; return 0 }

// fakeEvents is an event device of one port. What is sent on it comes out of
// the device that it is joined to.
type fakeEvents struct {
	port   abi.Port
	events chan abi.Port
	other  atomic.Pointer[fakeEvents]
	remote abi.Port // what bindRemote was given
	gone   bool
}

func newFakeEvents(port abi.Port) *fakeEvents {
	return &fakeEvents{port: port, events: make(chan abi.Port, 8)}
}

func join(a, b *fakeEvents) {
	a.other.Store(b)
	b.other.Store(a)
}

func (e *fakeEvents) bindUnbound(abi.DomID) (abi.Port, error) { return e.port, nil }
func (e *fakeEvents) bindRemote(_ abi.DomID, p abi.Port) (abi.Port, error) {
	e.remote = p
	e.events <- e.port // binding raises an event
	return e.port, nil
}
func (e *fakeEvents) unbind(abi.Port) error { return nil }
func (e *fakeEvents) close() error          { e.gone = true; return nil }

func (e *fakeEvents) notify(p abi.Port) abi.Errno {
	if p != e.port {
		return abi.ENOTCONN
	}
	if o := e.other.Load(); o != nil {
		o.events <- o.port
	}
	return 0
}

func (e *fakeEvents) enable(p abi.Port) abi.Errno { return 0 }

func (e *fakeEvents) read() (abi.Port, abi.Errno)  { return <-e.events, 0 }
func (e *fakeEvents) await() (abi.Port, abi.Errno) { return <-e.events, 0 }

func (e *fakeEvents) ready(d time.Duration) bool {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if len(e.events) > 0 {
			return true
		}
	}
	return false
}
