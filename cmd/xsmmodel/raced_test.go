//go:build race && xsm && flask

package main

// raced tells that the race detector watches.
const raced = true
