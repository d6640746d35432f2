//go:build flask

package xsm

// Magic is the number a policy starts with among the boot modules
// (XSM_MAGIC): that of FLASK's binary policies.
const Magic uint32 = 0xf97cff8c
