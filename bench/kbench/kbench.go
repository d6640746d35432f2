// Package kbench is the suite that stands for "kbench", the second benchmark
// that the first posting of the security modules names. No program of that
// name is known; of its time and place is kernbench, the timing of a kernel's
// compilation, whose job mix and six figures are here as kernbench/load=….
// The suite's other face are the operations of which such a job consists,
// down to the single hypercall: hypercall/op=… and vm/op=….
//
// Hooks are those of Xen 3.2.
package kbench

import "xsmbench/bench"

const suite = "Kbench"

func init() {
	registerVersion()
	registerEvents()
	registerGrants()
	registerMemory()
	registerMMU()
	registerScheduling()
	registerProcessor()
	registerConsole()
	registerControl()
	registerAVC()
	registerVM()
	registerKernbench()
}

// crosses is a list of hooks that an operation crosses once each.
func crosses(hooks ...string) []bench.Crossing {
	var list []bench.Crossing
	for _, h := range hooks {
		list = append(list, bench.Crossing{Hook: h, PerOp: 1})
	}
	return list
}
