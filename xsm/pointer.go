//go:build !386

package xsm

import "sync/atomic"

// Pointer is a pointer that vCPUs read at every hook. Its Load compiles to one
// move.
type Pointer[T any] = atomic.Pointer[T]
