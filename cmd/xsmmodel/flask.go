//go:build xsm && flask

package main

import (
	"xsmbench/xsm/flask"
	"xsmbench/xsm/flask/policy"
)

// buildName is the way the hypervisor in this program was built.
const buildName = "flask"

func init() { builtinPolicy, checkPolicy = policy.Binary, flask.Check }
