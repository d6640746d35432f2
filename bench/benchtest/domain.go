// Package benchtest is a domain for tests: an operating system in memory whose
// processes are goroutines, and hypercalls that answer as Xen does without a
// hypervisor behind them. What it does is right, what it costs means nothing, but
// for one thing: no call is free.
package benchtest

import (
	"sync"
	"sync/atomic"
	"time"

	"xsmbench/abi"
	"xsmbench/bench"
)

// Domain is a domain of the fake machine. Change its exported fields before
// the first use.
type Domain struct {
	ID abi.DomID // 0 is privileged
	// Alone takes the peer away.
	Alone bool
	// Fail makes hypercalls fail with an error.
	Fail map[abi.Hypercall]abi.Errno
	// Clock, if not nil, is what processes see as time.
	Clock func() time.Duration
	// VCPUs is how many are up.
	VCPUs int

	mu      sync.Mutex // guards all below and all processes
	changed *sync.Cond
	files   map[string]*inode
	nextPID int
	nextIno uint64
	init    *process
	start   time.Time
	charged atomic.Int64 // ns
	hyper   hypervisor

	sockets    map[address]*openFile // that have an address
	nextPort   uint16
	semaphores map[int][]int // values of sets
	nextSet    int
}

// price is what a call takes on the domain's clock beside its own time: far more
// than what timing subtracts for a loop, however busy the machine was when that
// was calibrated.
const price = 100 * time.Nanosecond

// charge adds a call's price to the clock.
func (d *Domain) charge() { d.charged.Add(int64(price)) }

// now is the time since the start, and the prices of the calls since.
func (d *Domain) now() time.Duration { return time.Since(d.start) + time.Duration(d.charged.Load()) }

// New returns a domain that has the registered executables and one process.
func New(id abi.DomID) *Domain {
	d := &Domain{ID: id, VCPUs: 1, files: map[string]*inode{}, start: time.Now()}
	d.changed = sync.NewCond(&d.mu)
	d.hyper.ports = map[abi.Port]bool{}
	d.sockets, d.semaphores = map[address]*openFile{}, map[int][]int{}
	disk := d.newInode()
	disk.writeAt(make([]byte, diskSize), 0)
	d.files[diskPath] = disk
	for _, e := range bench.Executables() {
		d.files[e.Path] = d.newInode()
	}
	d.init = d.newProcess(nil)
	return d
}

// OS implements bench.Domain: the first process's view.
func (d *Domain) OS() bench.OS { return d.init }

// Hypercalls implements bench.Domain.
func (d *Domain) Hypercalls() bench.Hypercalls { return hypercalls{d} }

// Processes counts those that have not been waited for, without the first.
func (d *Domain) Processes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.init.descendants()
}

// Files lists the paths that exist besides the executables' and the disk.
func (d *Domain) Files() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for path := range d.files {
		if !isExecutable(path) && path != diskPath {
			list = append(list, path)
		}
	}
	return list
}

// Bound counts the sockets that still have an address, and the sets of semaphores.
func (d *Domain) Bound() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.sockets) + len(d.semaphores)
}

func isExecutable(path string) bool {
	for _, e := range bench.Executables() {
		if e.Path == path {
			return true
		}
	}
	return false
}
