//go:build xsm && silo

package main

import _ "xsmbench/xsm/silo"
