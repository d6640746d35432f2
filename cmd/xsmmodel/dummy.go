//go:build xsm && !flask

package main

// buildName is the way the hypervisor in this program was built, and hasModule
// says whether a security module takes the dummy's place there.
const (
	buildName = "dummy"
	hasModule = false
)
