package guest

import (
	"fmt"

	"xsmbench/abi"
)

// consoleDevice is the kernel's console: the hypervisor's own for dom0, for
// any other domain a ring of bytes in a page that dom0 reads and writes
// (struct xencons_interface).
type consoleDevice struct {
	k      *Kernel
	ring   ConsoleRing // zero for dom0
	port   abi.Port
	input  []byte
	reader waitQueue
}

// ConsoleRing is the page that a domain's console shares with dom0: a ring
// for each direction, and the indices of what has been put in and taken out,
// which grow without end.
type ConsoleRing struct{ page []byte }

// Layout of the page.
const (
	ringIn, ringInSize   = 0, 1024
	ringOut, ringOutSize = 1024, 2048
	ringInCons           = ringOut + ringOutSize
	ringInProd           = ringInCons + 4
	ringOutCons          = ringInCons + 8
	ringOutProd          = ringInCons + 12
)

// NewConsoleRing sees a page as a console's.
func NewConsoleRing(page []byte) ConsoleRing { return ConsoleRing{page} }

// put adds bytes to a ring and returns how many there was room for.
func (r ConsoleRing) put(b []byte, base, size, cons, prod int) int {
	at := word32(r.page, prod).Load()
	used := at - word32(r.page, cons).Load()
	if used > uint32(size) {
		used = uint32(size) // the other side is wrong about it
	}
	n := min(len(b), size-int(used))
	for i := range n {
		r.page[base+int(at+uint32(i))&(size-1)] = b[i]
	}
	word32(r.page, prod).Store(at + uint32(n))
	return n
}

// take removes all bytes from a ring and appends them to b.
func (r ConsoleRing) take(b []byte, base, size, cons, prod int) []byte {
	at, end := word32(r.page, cons).Load(), word32(r.page, prod).Load()
	if end-at > uint32(size) {
		at = end - uint32(size) // the other side is wrong about it
	}
	for ; at != end; at++ {
		b = append(b, r.page[base+int(at)&(size-1)])
	}
	word32(r.page, cons).Store(at)
	return b
}

// Output takes what the domain has printed, Input gives it bytes to read.
func (r ConsoleRing) Output() []byte {
	return r.take(nil, ringOut, ringOutSize, ringOutCons, ringOutProd)
}

// Input gives the domain bytes to read and returns how many fitted.
func (r ConsoleRing) Input(b []byte) int {
	return r.put(b, ringIn, ringInSize, ringInCons, ringInProd)
}

// setUp connects the console.
func (c *consoleDevice) setUp(k *Kernel) {
	c.k = k
	if k.si.Flags&abi.SIFInitDomain != 0 {
		return
	}
	c.port = k.si.ConsoleEvtchn
	c.ring = NewConsoleRing(k.page(k.m2p[k.si.ConsoleMFN], true))
	k.bind(0, c.port, func() {
		c.input = c.ring.take(c.input, ringIn, ringInSize, ringInCons, ringInProd)
		c.reader.wakeAll(k)
	})
}

// write prints. A domain whose ring is full waits for dom0 to empty it.
func (c *consoleDevice) write(b []byte) {
	if c.ring.page == nil {
		c.k.cpu.Hypercall(abi.ConsoleIO, &abi.Args{R: [4]uint64{abi.CONSOLEIOWrite}, H: &abi.ConsoleBuf{Data: b}})
		return
	}
	for len(b) > 0 {
		n := c.ring.put(b, ringOut, ringOutSize, ringOutCons, ringOutProd)
		b = b[n:]
		c.k.notify(c.port)
		if n == 0 {
			c.k.cpu.Hypercall(abi.SchedOp, &abi.Args{R: [4]uint64{uint64(abi.SCHEDOPPoll)},
				H: &abi.SchedPoll{Ports: []abi.Port{c.port}, Timeout: c.k.cpu.SystemTime() + 1e6}})
		}
	}
}

// read waits for input.
func (c *consoleDevice) read(p *Process, b []byte) (int, error) {
	for len(c.input) == 0 {
		if c.ring.page == nil {
			return 0, nil // dom0's console has no keyboard
		}
		p.sleep(&c.reader)
	}
	n := copy(b, c.input)
	c.input = c.input[:copy(c.input, c.input[n:])]
	return n, nil
}

// printf prints a message of the kernel's.
func (k *Kernel) printf(format string, args ...any) {
	k.console.write(fmt.Appendf(nil, format, args...))
}
