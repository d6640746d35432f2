//go:build linux && (amd64 || 386)

package linux

import (
	"runtime/debug"
	"syscall"
	"unsafe"

	"xsmbench/abi"
	"xsmbench/bench"
)

// Mmap maps length bytes.
func (o *OS) Mmap(length int, prot, flags int, fd bench.FD, offset int64) (bench.Addr, error) {
	at, e := mmap(uintptr(length), uintptr(prot), uintptr(flags), uintptr(fd), offset)
	if e != 0 {
		return 0, abi.Errno(e)
	}
	return bench.Addr(at), nil
}

// Munmap unmaps length bytes.
func (o *OS) Munmap(a bench.Addr, length int) error {
	_, _, e := syscall.RawSyscall(syscall.SYS_MUNMAP, uintptr(a), uintptr(length), 0)
	return failure(e)
}

// Mprotect changes the protection of length bytes.
func (o *OS) Mprotect(a bench.Addr, length int, prot int) error {
	_, _, e := syscall.RawSyscall(syscall.SYS_MPROTECT, uintptr(a), uintptr(length), uintptr(prot))
	return failure(e)
}

// Msync is msync with MS_INVALIDATE, as lat_pagefault calls it.
func (o *OS) Msync(a bench.Addr, length int) error {
	_, _, e := syscall.RawSyscall(syscall.SYS_MSYNC, uintptr(a), uintptr(length), syscall.MS_INVALIDATE)
	return failure(e)
}

// pointer is a's byte. Memory that the benchmarks map is none of Go's, so that
// no rule for pointers into its heap is broken.
func pointer(a bench.Addr) *byte {
	p := uintptr(a)
	return *(**byte)(unsafe.Pointer(&p))
}

// Load reads a byte. Without a handler for SIGSEGV a bad address ends the
// program, as it should.
func (o *OS) Load(a bench.Addr) byte {
	if !o.handlers[bench.SIGSEGV].set {
		return *pointer(a)
	}
	for {
		if b, ok := tryLoad(a); ok {
			return b
		}
		o.handle(bench.SIGSEGV)
	}
}

// Store writes a byte.
func (o *OS) Store(a bench.Addr, b byte) {
	if !o.handlers[bench.SIGSEGV].set {
		*pointer(a) = b
		return
	}
	for !tryStore(a, b) {
		o.handle(bench.SIGSEGV)
	}
}

func tryLoad(a bench.Addr) (b byte, ok bool) {
	defer catchFault(debug.SetPanicOnFault(true), &ok)
	return *pointer(a), true
}

func tryStore(a bench.Addr, b byte) (ok bool) {
	defer catchFault(debug.SetPanicOnFault(true), &ok)
	*pointer(a) = b
	return true
}

// catchFault ends a function whose access to memory may have faulted.
func catchFault(before bool, ok *bool) {
	debug.SetPanicOnFault(before)
	r := recover()
	if r == nil {
		return
	}
	if _, isFault := r.(interface{ Addr() uintptr }); !isFault {
		panic(r)
	}
	*ok = false
}

// Page returns the memory from a to the end of its page.
func (o *OS) Page(a bench.Addr, write bool) []byte {
	p := pointer(a)
	if write {
		o.Store(a, *p)
	} else {
		o.Load(a)
	}
	return unsafe.Slice(p, abi.PageSize-int(a%abi.PageSize))
}

// Span returns length bytes from a.
func (o *OS) Span(a bench.Addr, length int) []byte { return unsafe.Slice(pointer(a), length) }
