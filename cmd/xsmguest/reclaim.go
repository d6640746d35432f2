//go:build linux && (amd64 || 386)

package main

import (
	"bytes"
	"os"
	"strconv"
)

// reclaims counts how often the kernel has looked for memory to free: kswapd has
// (pageoutrun in mm/vmscan.c's balance_pgdat), or an allocation had to (allocstall).
// Each of kswapd's turns comes with switches between threads, for which Xen executes
// instructions, and no interrupt tells them from the operation. It is 0 where the kernel
// does not say.
func reclaims() uint64 {
	text, err := os.ReadFile("/proc/vmstat")
	if err != nil {
		return 0
	}
	return reclaimsIn(text)
}

// reclaimsIn adds up the counters in the text of /proc/vmstat: a name and a number in
// each line.
func reclaimsIn(text []byte) uint64 {
	var sum uint64
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		if !bytes.Equal(name, []byte("pageoutrun")) && !bytes.HasPrefix(name, []byte("allocstall")) {
			continue
		}
		n, err := strconv.ParseUint(string(value), 10, 64)
		if err == nil {
			sum += n
		}
	}
	return sum
}
