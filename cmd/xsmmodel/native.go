//go:build !xsm

package main

// buildName is the way the hypervisor in this program was built, and hasModule
// says whether a security module takes the dummy's place there.
const (
	buildName = "native"
	hasModule = false
)
