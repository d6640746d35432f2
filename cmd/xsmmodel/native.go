//go:build !xsm

package main

// buildName is the way the hypervisor in this program was built.
const buildName = "native"
