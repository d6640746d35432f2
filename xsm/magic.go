//go:build !flask

package xsm

// Magic is the number a policy starts with among the boot modules
// (XSM_MAGIC): zero, since this build has no module that wants a policy.
const Magic uint32 = 0
