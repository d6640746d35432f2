// Package kbench holds the single operations of the suite that stands for
// "kbench", the second benchmark that the first posting of the security
// modules names. No program of that name is known; of its time and place is
// kernbench, the timing of a kernel's compilation, which package
// workloads/kernbench adds to the suite. Here are the operations of which such
// a job consists, down to the single hypercall: hypercall/op=… and vm/op=….
//
// Hooks are those of Xen 3.2, and of later releases for operations that it has not.
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
	registerDomains()
	registerHVM()
	registerResources()
	registerMachine()
	registerLater()
	registerAVC()
	registerVM()
}

// crosses is a list of hooks that an operation crosses once each.
func crosses(hooks ...string) []bench.Crossing {
	var list []bench.Crossing
	for _, h := range hooks {
		list = append(list, bench.Crossing{Hook: h, PerOp: 1})
	}
	return list
}
