package xsm

import (
	"sync/atomic"
	"unsafe"
)

// tablePointer is a pointer to a table, whose Load compiles to one move. On
// x86_32 Go's atomic.Pointer would not: it loads by a function call, which
// would keep the wrappers out of line too. An aligned word is read whole on
// this processor, and later reads do not pass it.
type tablePointer struct{ p *Operations }

func (t *tablePointer) Load() *Operations { return t.p }

func (t *tablePointer) Store(o *Operations) { atomic.StorePointer(t.word(), unsafe.Pointer(o)) }

func (t *tablePointer) CompareAndSwap(old, new *Operations) bool {
	return atomic.CompareAndSwapPointer(t.word(), unsafe.Pointer(old), unsafe.Pointer(new))
}

func (t *tablePointer) word() *unsafe.Pointer { return (*unsafe.Pointer)(unsafe.Pointer(&t.p)) }
