//go:build !xsm

package xsm

// Enabled says whether this build has the framework (XSM_ENABLE=n).
const Enabled = false
