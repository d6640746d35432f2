package xsm

import (
	"sync/atomic"
	"unsafe"
)

// Pointer is a pointer that vCPUs read at every hook. Its Load compiles to one
// move. On x86_32 Go's atomic.Pointer would not: it loads by a function call,
// which would keep the wrappers out of line too. An aligned word is read whole
// on this processor, and later reads do not pass it.
type Pointer[T any] struct{ p *T }

// Load reads the pointer.
func (t *Pointer[T]) Load() *T { return t.p }

// Store writes it.
func (t *Pointer[T]) Store(o *T) { atomic.StorePointer(t.word(), unsafe.Pointer(o)) }

// CompareAndSwap writes the new pointer if the old one is there.
func (t *Pointer[T]) CompareAndSwap(old, new *T) bool {
	return atomic.CompareAndSwapPointer(t.word(), unsafe.Pointer(old), unsafe.Pointer(new))
}

func (t *Pointer[T]) word() *unsafe.Pointer { return (*unsafe.Pointer)(unsafe.Pointer(&t.p)) }
