//go:build xsm && flask

package main

import (
	"xsmbench/xsm/flask"
	"xsmbench/xsm/flask/policy"
)

// buildName is the way the hypervisor in this program was built, and hasModule
// says whether a security module takes the dummy's place there.
const (
	buildName = "flask"
	hasModule = true
)

func init() { builtinPolicy, checkPolicy = policy.Binary, flask.Check }
