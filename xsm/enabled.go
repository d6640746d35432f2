//go:build xsm

package xsm

import "xsmbench/abi"

// Enabled says whether this build has the framework (XSM_ENABLE=y).
const Enabled = true

// Init starts the framework (xsm_init), after the command line has been read
// and before dom0 is built: it announces itself, looks for the module's policy
// by its magic number, puts the dummy in use and runs the modules' initcalls. It returns 0
// unless the framework cannot start; Xen's caller ignores the result.
func Init(b *Boot) abi.Errno { return start(b, modules) }

// InUse says whether a module's table is in use, and not the dummy's.
func InUse() bool { return ops.Load() != &dummyOperations }

// The dummy answers before the machine boots too, so that a hook that is
// called early finds a table. Xen's pointer is null until xsm_init.
func init() { useDummy() }
