// Package lmbench is an lmbench-compatible suite: the operations that lmbench
// 3 times, written anew against bench.OS. What one iteration is follows the
// program that each benchmark's Source names; where it differs, Doc says so, and
// the operation as lmbench's own C program does it is a benchmark besides
// (bench.Benchmark's CLibrary). On the target linux these agree with the original;
// docs/lmbench.md says how to see that.
//
// Hooks are those of Xen 3.2 that XenLinux 2.6.18 crosses. Operations that
// only make system calls cross none: they are the negative controls.
package lmbench

import "xsmbench/bench"

const suite = "Lmbench"

// What programs ask for that want windows of a fixed length (SHORT and MEDIUM
// of bench.h), in microseconds.
const (
	short  = 1_000_000
	medium = 2_000_000
)

// The order is that of lmbench's script.
func init() {
	registerSyscall()
	registerSelect()
	registerSignal()
	registerPipe()
	registerUnix()
	registerProc()
	registerPagefault()
	registerMmap()
	registerFS()
	registerBandwidth()
	registerMemory()
	registerContext()
}

func register(b bench.Benchmark) {
	b.Suite = suite
	if b.Unit == "" {
		b.Unit = "ns/op"
	}
	bench.Register(b)
}

// Hooks of the memory operations.
const (
	updateVAMapping = "update_va_mapping"
	mmuNormalUpdate = "mmu_normal_update"
	memoryPinPage   = "memory_pin_page"
)
