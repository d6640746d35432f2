//go:build unix && !linux

package child

import "syscall"

// dieWithParent does nothing: this kernel has no signal for it.
func dieWithParent(*syscall.SysProcAttr) {}
