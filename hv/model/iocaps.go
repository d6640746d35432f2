package model

import (
	"sync/atomic"

	"xsmbench/abi"
)

// ioCaps is what a domain may do with devices (iomem_caps and ioport_caps).
// Guarded by the domain's pageLock.
type ioCaps struct {
	mem  rangeSet // frames of device memory
	port rangeSet // I/O ports
	any  atomic.Bool
}

// update keeps any in step.
func (c *ioCaps) update() { c.any.Store(len(c.mem)+len(c.port) > 0) }

// permitIOMem allows or forbids a domain the frames first to last.
func (d *Domain) permitIOMem(first, last abi.MFN, allow bool) {
	d.pageLock.Lock()
	defer d.pageLock.Unlock()
	d.mm.io.mem.set(uint64(first), uint64(last), allow)
	d.mm.io.update()
}

// permitIOPorts allows or forbids a domain the I/O ports first to last.
func (d *Domain) permitIOPorts(first, last uint32, allow bool) {
	d.pageLock.Lock()
	defer d.pageLock.Unlock()
	d.mm.io.port.set(uint64(first), uint64(last), allow)
	d.mm.io.update()
}

// iomemPermitted reports whether a domain may map a frame of device memory
// (iomem_access_permitted).
func (d *Domain) iomemPermitted(mfn abi.MFN) bool {
	d.pageLock.Lock()
	defer d.pageLock.Unlock()
	return d.mm.io.mem.contains(uint64(mfn))
}

// hasDevices reports whether a domain may use any device at all.
func (d *Domain) hasDevices() bool { return d.mm.io.any.Load() }

// cacheControlPermitted reports whether a domain may choose cache attributes
// and flush caches (cache_flush_permitted), multipagePermitted whether it may
// allocate contiguous frames (multipage_allocation_permitted).
func (d *Domain) cacheControlPermitted() bool { return d.hasDevices() }
func (d *Domain) multipagePermitted() bool    { return d.hasDevices() }
