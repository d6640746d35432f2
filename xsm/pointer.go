//go:build !386

package xsm

import "sync/atomic"

// tablePointer is a pointer to a table, whose Load compiles to one move.
type tablePointer = atomic.Pointer[Operations]
