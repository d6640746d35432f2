//go:build xsm

package xsm

// Enabled says whether this build has the framework (XSM_ENABLE=y).
const Enabled = true

// The dummy answers before the machine boots too, so that a hook that is
// called early finds a table. Xen's pointer is null until xsm_init.
func init() { useDummy() }
