package devicemodel

import "encoding/binary"

// platform is the only hardware that the domain gets from here: Xen's platform device on a
// PCI bus. In its memory Linux puts the domain's grant table: without the device an HVM domain has no
// grants (drivers/xen/platform-pci.c). It never raises an interrupt.
type platform struct {
	address   uint32 // of the configuration space, as last written to port 0xcf8
	functions map[uint16]*function
}

// function is a PCI function's configuration space, and which bits of it can be written.
type function struct {
	space, writable [256]byte
}

// Bus, device and function as PCI has them in 16 bits.
const (
	bridgeAt   = 0
	platformAt = 2 << 3
)

// Ports that the platform answers: those of PCI's address register, and of the protocol by
// which drivers know the platform (docs/misc/hvm-emulated-unplug.pandoc in Xen's source).
const (
	addressPort  = 0xcf8
	addressPorts = 4
	magicPort    = 0x10
	versionPort  = 0x12
	magicPorts   = 4
	magic        = 0x49d2
	protocol     = 1
)

// Offsets in a configuration space.
const (
	offDevice  = 0x02
	offCommand = 0x04
	offClass   = 0x08 // and revision
	offBAR0    = 0x10
	offBAR1    = 0x14
	offSubsys  = 0x2c
)

// The device's resources, where firmware would have put them.
const (
	platformPorts      = 0xc000
	platformPortsSize  = 0x100
	platformMemory     = 0xf2000000
	platformMemorySize = 16 << 20

	barPorts    = 1
	barPrefetch = 8
)

func newPlatform() *platform {
	return &platform{functions: map[uint16]*function{bridgeAt: newBridge(), platformAt: newPlatformDevice()}}
}

// newBridge is a host bridge, by which Linux knows that there is a bus: the 440FX, as QEMU
// has it.
func newBridge() *function {
	f := &function{}
	f.put(0, 0x8086)
	f.put(offDevice, 0x1237)
	f.put(offClass, 0x0600<<16|2)
	return f
}

func newPlatformDevice() *function {
	f := &function{}
	for _, off := range []int{0, offSubsys} {
		f.put(off, 0x0001<<16|0x5853)
	}
	f.put(offCommand, 3) // ports and memory are decoded
	f.put(offClass, 0xff80<<16|1)
	f.put(offBAR0, platformPorts|barPorts)
	f.put(offBAR1, platformMemory|barPrefetch)
	f.allow(offCommand, 7)
	f.allow(offBAR0, ^uint32(platformPortsSize-1))
	f.allow(offBAR1, ^uint32(platformMemorySize-1))
	return f
}

// put sets bits where none are set.
func (f *function) put(off int, v uint32) {
	was := binary.LittleEndian.Uint32(f.space[off:])
	binary.LittleEndian.PutUint32(f.space[off:], was|v)
}

func (f *function) allow(off int, bits uint32) {
	binary.LittleEndian.PutUint32(f.writable[off:], bits)
}

// allOnes is what reading finds where nothing answers.
const allOnes = 0xffffffff

// readPort reads some bytes of a port.
func (p *platform) readPort(port uint64, size uint32) uint32 {
	switch {
	case port == addressPort && size == 4:
		return p.address
	case port == magicPort && size == 2:
		return magic
	case port == versionPort && size == 1:
		return protocol
	}
	return allOnes
}

// writePort takes the address of the configuration space. The platform's ports take which emulated
// devices drivers want unplugged: there is none.
func (p *platform) writePort(port uint64, size, v uint32) {
	if port == addressPort && size == 4 {
		p.address = v
	}
}

// readConfig reads a function's configuration space.
func (p *platform) readConfig(at uint16, off, size uint32) uint32 {
	f := p.functions[at]
	if f == nil || off+size > uint32(len(f.space)) {
		return allOnes
	}
	v := uint32(0)
	for i := range size {
		v |= uint32(f.space[off+i]) << (8 * i)
	}
	return v
}

// writeConfig writes what of a configuration space is writable.
func (p *platform) writeConfig(at uint16, off, size, v uint32) {
	f := p.functions[at]
	if f == nil || off+size > uint32(len(f.space)) {
		return
	}
	for i := range size {
		bits := f.writable[off+i]
		f.space[off+i] = f.space[off+i]&^bits | byte(v>>(8*i))&bits
	}
}
