package model

import (
	"fmt"
	"sync"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// consoleRing is the size of the console's ring, as in Xen 3.2.
const consoleRing = 16384

// console is the hypervisor's console (drivers/char/console.c): everything
// printed goes to the sink and stays in a ring for sysctl readconsole.
type console struct {
	lock        sync.Mutex
	sink        func([]byte)
	ring        [consoleRing]byte
	start, prod uint64 // first byte not cleared; next byte to write
	input       []byte // for CONSOLEIO_read
}

func newConsole(sink func([]byte)) *console { return &console{sink: sink} }

// write prints bytes.
func (c *console) write(p []byte) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.sink != nil {
		c.sink(p)
	}
	for _, b := range p {
		c.ring[c.prod%consoleRing] = b
		c.prod++
	}
	if c.prod-c.start > consoleRing {
		c.start = c.prod - consoleRing
	}
}

// printf prints a message of the hypervisor's own.
func (m *Machine) printf(format string, args ...any) {
	m.console.write(fmt.Appendf(nil, "(XEN) "+format, args...))
}

// read copies the ring's contents to p and returns how much it copied; with
// clear, what was there is gone (read_console_ring).
func (c *console) read(p []byte, clear bool) int {
	c.lock.Lock()
	defer c.lock.Unlock()
	n := 0
	for at := c.start; at < c.prod && n < len(p); at++ {
		p[n] = c.ring[at%consoleRing]
		n++
	}
	if clear {
		c.start = c.prod
	}
	return n
}

// Input makes bytes available to CONSOLEIO_read, as if typed.
func (m *Machine) Input(p []byte) {
	m.console.lock.Lock()
	m.console.input = append(m.console.input, p...)
	m.console.lock.Unlock()
	m.sendGlobalVIRQ(abi.VIRQConsole)
}

// take moves typed bytes to p.
func (c *console) take(p []byte) int {
	c.lock.Lock()
	defer c.lock.Unlock()
	n := copy(p, c.input)
	c.input = c.input[n:]
	return n
}

// doConsoleIO is console_io (do_console_io): R[0] is the command. It is for
// emergencies and for domain 0 only, whatever its privileges.
func doConsoleIO(m *Machine, v *VCPU, a *abi.Args) int64 {
	if v.dom.ID != 0 {
		return eperm
	}
	if rc := xsm.ConsoleIO(&v.VCPU, &v.dom.Domain, int(a.R[0])); rc != 0 {
		return int64(rc)
	}
	if a.R[0] != abi.CONSOLEIOWrite && a.R[0] != abi.CONSOLEIORead {
		return enosys
	}
	buf, _ := a.H.(*abi.ConsoleBuf)
	if buf == nil {
		return efault
	}
	if a.R[0] == abi.CONSOLEIORead {
		return int64(m.console.take(buf.Data))
	}
	m.console.write(buf.Data)
	return 0
}
