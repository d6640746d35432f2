package hypercall

import (
	"encoding/binary"

	"xsmbench/abi"
)

// memory is a place that the process and the hypervisor see. Numbers in it are
// little-endian and aligned, as x86 has them.
type memory struct {
	b  []byte
	at uint64 // its address
}

var order = binary.LittleEndian

func (m memory) put16(off int, v uint16) { order.PutUint16(m.b[off:], v) }
func (m memory) put32(off int, v uint32) { order.PutUint32(m.b[off:], v) }
func (m memory) put64(off int, v uint64) { order.PutUint64(m.b[off:], v) }
func (m memory) get16(off int) uint16    { return order.Uint16(m.b[off:]) }
func (m memory) get32(off int) uint32    { return order.Uint32(m.b[off:]) }
func (m memory) get64(off int) uint64    { return order.Uint64(m.b[off:]) }

// from is the rest of the memory.
func (m memory) from(off int) memory { return memory{m.b[off:], m.at + uint64(off)} }

// clear sets all to zero, so that padding and results of an earlier call are.
func (m memory) clear() { clear(m.b) }

// ioc is the number of an ioctl without direction.
func ioc(kind byte, nr, size uint32) uint32 { return size<<16 | uint32(kind)<<8 | nr }

// maxPorts is how many ports a set holds. Xen gives out the lowest free port,
// so that a domain of benchmarks comes nowhere near.
const maxPorts = 4096

// ports are those that the process may operate on: what it got by hypercalls,
// and the one that the kernel bound to the peer for it.
type ports struct {
	own  [maxPorts / 64]uint64
	peer abi.Port // 0 for none, since port 0 is never given out
}

func (p *ports) add(port abi.Port) {
	if port < maxPorts {
		p.own[port/64] |= 1 << (port % 64)
	}
}

func (p *ports) remove(port abi.Port) {
	if port < maxPorts {
		p.own[port/64] &^= 1 << (port % 64)
	}
}

func (p *ports) has(port abi.Port) bool {
	return port < maxPorts && p.own[port/64]&(1<<(port%64)) != 0
}

// hasOrPeer also takes the port bound to the peer, for what does not change
// the kernel's idea of it.
func (p *ports) hasOrPeer(port abi.Port) bool {
	return p.has(port) || port != 0 && port == p.peer
}

// frames are those that increase_reservation gave and nobody uses.
type frames struct {
	list [maxFrames]uint64
	n    int
}

// maxFrames is how many frames a benchmark may have at a time.
const maxFrames = 64

func (f *frames) add(frame uint64) {
	f.list[f.n] = frame
	f.n++
}

// find is a frame's index, -1 if it is not the process's.
func (f *frames) find(frame uint64) int {
	for i, have := range f.list[:f.n] {
		if have == frame {
			return i
		}
	}
	return -1
}

func (f *frames) remove(frame uint64) {
	if i := f.find(frame); i >= 0 {
		f.n--
		f.list[i] = f.list[f.n]
	}
}
