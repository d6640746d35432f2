//go:build xsm && flask

package main

import _ "xsmbench/xsm/flask"
