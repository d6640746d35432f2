//go:build xsm && !flask

package main

// buildName is the way the hypervisor in this program was built.
const buildName = "dummy"
