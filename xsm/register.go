package xsm

import "xsmbench/abi"

//go:generate go run ./hook/gen

// ops is the table in use (xsm_ops). vCPUs are goroutines that read it at
// every hook, so it is atomic; its load is the plain move that Xen's is.
var ops Pointer[Operations]

// dummyOperations is the dummy module's table (dummy_xsm_ops). It starts
// empty and gets its functions from the fix-up, as any partial module does.
var dummyOperations Operations

// verify refuses a missing table and completes a partial one (verify in
// xsm/xsm_core.c).
func verify(o *Operations) abi.Errno {
	if o == nil {
		return -abi.EINVAL
	}
	fixup(o)
	return 0
}

// useDummy puts the dummy in use, whatever was before.
func useDummy() {
	fixup(&dummyOperations)
	ops.Store(&dummyOperations)
}

// Register makes o the module's table (register_xsm): members that are nil
// are given to the dummy, in o itself. It returns -EINVAL if o is nil, and
// -EAGAIN if another module is registered already; o has been completed even
// then, as in Xen. Xen takes no lock here, since modules register while only
// one processor runs; a swap keeps two racing callers apart all the same.
func Register(o *Operations) abi.Errno {
	if rc := verify(o); rc != 0 {
		return rc
	}
	if !ops.CompareAndSwap(&dummyOperations, o) {
		return -abi.EAGAIN
	}
	return 0
}

// Unregister takes o out of use and puts the dummy back (unregister_xsm). It
// returns -EINVAL unless o is the table in use. Nothing counts the calls that
// are still inside o's functions, nor did Xen.
func Unregister(o *Operations) abi.Errno {
	if o == nil || !ops.CompareAndSwap(o, &dummyOperations) {
		return -abi.EINVAL
	}
	return 0
}
