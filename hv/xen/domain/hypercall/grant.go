package hypercall

import (
	"fmt"

	"xsmbench/abi"
)

// grant plans grant_table_op.
func (p *planner) grant(a *abi.Args) (plan, error) {
	switch cmd := abi.GrantCmd(a.R[0]); cmd {
	case abi.GNTTABOPQuerySize:
		return querySize(a)
	case abi.GNTTABOPSetupTable:
		return setupTable(a)
	case abi.GNTTABOPMapGrantRef:
		return throughDevice(p, a, (*grants).mapRef)
	case abi.GNTTABOPUnmapGrantRef:
		return throughDevice(p, a, (*grants).unmapRef)
	case abi.GNTTABOPCopy:
		return throughDevice(p, a, (*grants).copy)
	default:
		return plan{}, unknown(abi.GrantTableOp, uint64(cmd))
	}
}

// querySize plans on one struct gnttab_query_size: domain, number of frames at
// 4, greatest number, status.
func querySize(a *abi.Args) (plan, error) {
	h, err := handle[abi.GnttabQuerySize](abi.GrantTableOp, a)
	if err != nil {
		return plan{}, err
	}
	return plan{
		args: func(at uint64) [5]uint64 { return [5]uint64{uint64(abi.GNTTABOPQuerySize), at, 1} }, size: 16,
		encode: func(m memory) abi.Errno {
			m.clear()
			m.put16(0, uint16(h.Dom))
			return 0
		},
		decode: func(m memory, _ int64) {
			h.NrFrames, h.MaxNrFrames, h.Status = m.get32(4), m.get32(8), int16(m.get16(12))
		},
	}, nil
}

// setupTable plans on one struct gnttab_setup_table: domain, number of frames at 4,
// status at 8, pointer to their list at 16. The list lies behind it.
func setupTable(a *abi.Args) (plan, error) {
	h, err := handle[abi.GnttabSetupTable](abi.GrantTableOp, a)
	if err != nil {
		return plan{}, err
	}
	const list = 24
	room := h.NrFrames
	return plan{
		args: func(at uint64) [5]uint64 { return [5]uint64{uint64(abi.GNTTABOPSetupTable), at, 1} }, size: list + 8*int(room),
		encode: func(m memory) abi.Errno {
			if h.NrFrames > room {
				return abi.E2BIG
			}
			m.clear()
			m.put16(0, uint16(h.Dom))
			m.put32(4, h.NrFrames)
			m.put64(16, m.at+list)
			return 0
		},
		decode: func(m memory, _ int64) {
			h.Status = int16(m.get16(8))
			h.FrameList = h.FrameList[:0]
			for n := range int(h.NrFrames) {
				h.FrameList = append(h.FrameList, m.get64(list+8*n))
			}
		},
	}, nil
}

// throughDevice plans an operation that the kernel makes for the process.
func throughDevice[T any](p *planner, a *abi.Args, do func(*grants, *T) int64) (plan, error) {
	h, err := handle[T](abi.GrantTableOp, a)
	if err != nil {
		return plan{}, err
	}
	g, err := p.grants()
	if err != nil {
		return plan{}, fmt.Errorf("prepare %s: %w", name(abi.GrantTableOp), err)
	}
	return plan{call: func() int64 { return do(g, h) }}, nil
}

// grantDevice is /dev/xen/gntdev.
type grantDevice interface {
	// ioctl takes the address of its argument and returns a negated error
	// number on failure.
	ioctl(nr uint32, at uint64) int64
	mmap(offset uint64, writable bool) (at uint64, err abi.Errno)
	munmap(at uint64) abi.Errno
}

// Operations of gntdev. The structures are those of 64-bit programs.
var (
	gntdevMap   = ioc('G', 0, mapArgs)
	gntdevUnmap = ioc('G', 1, 16)
	gntdevCopy  = ioc('G', 8, copyArgs)
)

const (
	mapArgs     = 24 // of one grant
	copyArgs    = 16
	copySegment = 24
	grantArgs   = copyArgs + copySegment // the most that an operation needs
)

// Flags of a segment: which side is a grant.
const (
	copySourceGrant = 1 << 0
	copyDestGrant   = 1 << 1
)

// grants maps and copies grants through the device.
type grants struct {
	dev  grantDevice
	args memory
	page memory // the process's side of copies, ordinary memory
	maps [8]mapping
}

// mapping is a grant that is mapped; its index among the others is the handle
// that the benchmark sees, since the kernel keeps Xen's.
type mapping struct {
	offset uint64 // in the device
	at     uint64 // 0 for none
}

// mapRef maps one grant at an address of the kernel's choice. Mapping the
// device's memory is what makes the hypercall: the page need not be touched.
func (g *grants) mapRef(m *abi.GnttabMapGrantRef) int64 {
	slot := g.unused()
	if slot < 0 {
		m.Status = abi.GNTSTNoDeviceSpace
		return 0
	}
	encodeMap(g.args, m)
	if r := g.dev.ioctl(gntdevMap, g.args.at); r < 0 {
		return r
	}
	offset := g.args.get64(8)
	at, err := g.dev.mmap(offset, m.Flags&abi.GNTMAPReadonly == 0)
	if err != 0 {
		// The device hides Xen's status behind its error.
		g.forget(offset)
		m.Status = abi.GNTSTGeneralError
		return 0
	}
	g.maps[slot] = mapping{offset, at}
	m.Handle, m.Status = abi.GrantHandle(slot), abi.GNTSTOkay
	return 0
}

func (g *grants) unused() int {
	for i := range g.maps {
		if g.maps[i].at == 0 {
			return i
		}
	}
	return -1
}

// encodeMap fills struct ioctl_gntdev_map_grant_ref: count, offset (out) at 8,
// domain and reference at 16.
func encodeMap(m memory, ref *abi.GnttabMapGrantRef) {
	m.clear()
	m.put32(0, 1)
	m.put32(16, uint32(ref.Dom))
	m.put32(20, uint32(ref.Ref))
}

// unmapRef undoes mapRef.
func (g *grants) unmapRef(u *abi.GnttabUnmapGrantRef) int64 {
	if uint64(u.Handle) >= uint64(len(g.maps)) || g.maps[u.Handle].at == 0 {
		u.Status = abi.GNTSTBadHandle
		return 0
	}
	m := &g.maps[u.Handle]
	if err := g.dev.munmap(m.at); err != 0 {
		return -int64(err)
	}
	m.at = 0
	u.Status = abi.GNTSTOkay
	return g.forget(m.offset)
}

// forget gives an offset back to the device: struct
// ioctl_gntdev_unmap_grant_ref, offset and count at 8.
func (g *grants) forget(offset uint64) int64 {
	g.args.clear()
	g.args.put64(0, offset)
	g.args.put32(8, 1)
	return g.dev.ioctl(gntdevUnmap, g.args.at)
}

// copy copies between a grant and the scratch page.
func (g *grants) copy(c *abi.GnttabCopy) int64 {
	if err := encodeCopy(g.args, c, g.page); err != 0 {
		return -int64(err)
	}
	if r := g.dev.ioctl(gntdevCopy, g.args.at); r < 0 {
		return r
	}
	c.Status = int16(g.args.get16(copyArgs + 20))
	return 0
}

// encodeCopy fills struct ioctl_gntdev_grant_copy, count and pointer at 8, and
// one segment behind it: two sides of 8 bytes, length at 16, flags, status.
func encodeCopy(m memory, c *abi.GnttabCopy, page memory) abi.Errno {
	m.clear()
	m.put32(0, 1)
	m.put64(8, m.at+copyArgs)
	s := m.from(copyArgs)
	var flags uint16
	switch {
	case c.Source.UseRef && !c.Dest.UseRef:
		flags = copySourceGrant
	case c.Dest.UseRef && !c.Source.UseRef:
		flags = copyDestGrant
	default:
		return abi.EINVAL
	}
	for i, side := range [2]*abi.GnttabCopyPtr{&c.Source, &c.Dest} {
		if err := encodeSide(s.from(8*i), side, c.Len, page); err != 0 {
			return err
		}
	}
	s.put16(16, c.Len)
	s.put16(18, flags)
	return 0
}

// encodeSide fills a grant's reference, offset and domain, or the address in
// the scratch page. Its frame is that of Scratch, which is nobody's.
func encodeSide(m memory, side *abi.GnttabCopyPtr, length uint16, page memory) abi.Errno {
	if int(side.Offset)+int(length) > abi.PageSize {
		return abi.EINVAL
	}
	if side.UseRef {
		m.put32(0, uint32(side.Ref))
		m.put16(4, side.Offset)
		m.put16(6, uint16(side.Dom))
		return 0
	}
	if side.Dom != abi.DomSelf || abi.MFN(side.GMFN) != abi.InvalidMFN {
		return abi.EPERM
	}
	m.put64(0, page.at+uint64(side.Offset))
	return 0
}
