//go:build !xsm

package xsm

import "xsmbench/abi"

// Enabled says whether this build has the framework (XSM_ENABLE=n).
const Enabled = false

// Init does nothing and returns 0: this build has no framework.
func Init(*Boot) abi.Errno { return 0 }

// InUse is false: this build has no framework.
func InUse() bool { return false }
