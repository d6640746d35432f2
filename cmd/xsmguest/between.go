//go:build linux && (amd64 || 386)

package main

import (
	"runtime"
	"runtime/metrics"
	"syscall"
	"time"
	"unsafe"
)

// mostGarbage is what may gather before it is collected, bytes. The smallest domain
// has room for many times as much.
const mostGarbage = 1 << 20

// settling is how long a domain sleeps before each benchmark that is counted. A
// collection wakes the run-time system's monitor (sysmon in Go's runtime/proc.go),
// which then looks around every 70 µs for 3.5 ms, and less and less often for 10 ms
// more: in step with windows it is in all of them.
const settling = 20 * time.Millisecond

// between is what the agent does before each benchmark, where nothing is measured.
type between struct {
	counting  bool
	allocated [1]metrics.Sample
	last      uint64 // allocated at the last collection
}

func newBetween(counting bool) *between {
	b := &between{counting: counting}
	b.allocated[0].Name = "/gc/heap/allocs:bytes"
	return b
}

// rest collects garbage, if there is enough: in an emulated machine a collection
// takes as long as a hypercall's measurement. Then the domain is idle for a moment, so
// that the others do what the last report caused and block as well. An operation on a
// domain costs other instructions if that is running: unpausing it, hundreds more.
func (b *between) rest() {
	b.collect()
	if b.counting {
		moment := syscall.NsecToTimespec(int64(settling))
		syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&moment)), 0, 0)
	}
}

func (b *between) collect() {
	metrics.Read(b.allocated[:])
	now := b.allocated[0].Value.Uint64()
	if b.last != 0 && now-b.last < mostGarbage {
		return
	}
	runtime.GC()
	b.last = now
}
