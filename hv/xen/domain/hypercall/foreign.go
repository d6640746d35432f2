//go:build linux && (amd64 || 386)

package hypercall

import (
	"fmt"
	"syscall"
	"unsafe"

	"xsmbench/abi"
)

// batch is struct privcmd_mmapbatch_v2 of a 64-bit program: frames of a domain to
// map, and an error for each.
type batch struct {
	num    uint32
	dom    uint16
	_      uint16
	addr   uint64
	frames *uint64
	errs   *int32
}

var privcmdMap = ioc('P', 4, uint32(unsafe.Sizeof(batch{})))

// mapFrame maps a frame of another domain's for reading and writing.
func (k *kernel) mapFrame(dom abi.DomID, frame uint64) ([]byte, func(), error) {
	b, err := syscall.Mmap(k.privcmd, 0, abi.PageSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", privcmdPath, err)
	}
	unmap := func() { syscall.Munmap(b) }
	var failed int32
	r := &batch{num: 1, dom: uint16(dom), addr: memoryOf(b).at, frames: &frame, errs: &failed}
	_, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(k.privcmd), uintptr(privcmdMap), uintptr(unsafe.Pointer(r)))
	if e == 0 && failed != 0 {
		e = syscall.Errno(-failed)
	}
	if e != 0 {
		unmap()
		return nil, nil, fmt.Errorf("map frame %#x of domain %d: %w", frame, dom, e)
	}
	return b, unmap, nil
}
