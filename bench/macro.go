package bench

import (
	"fmt"
	"slices"
)

// Facilities of the macro workloads.
const (
	Domains    Facility = "a toolstack that makes domains"             // ToolstackOwner, whose Toolstack is one
	BlockIO    Facility = "a virtual block device"                     // BlockOwner, whose Block names one
	Neighbours Facility = "a virtual network with a server at its end" // NetworkOwner, whose Server is one
)

// ToolstackOwner may have a toolstack.
type ToolstackOwner interface {
	Toolstack() Toolstack // nil for none
}

// Toolstack makes, stops and ends a domain of its own, the scratch domain, as an
// administrator does: each call runs a program, and fails as that does.
type Toolstack interface {
	// Room fails with a *LackError if there is no room for the scratch domain, or
	// for what Save writes.
	Room() error
	// Create makes the scratch domain. It does not run until Unpause.
	Create() error
	Destroy() error
	Pause() error
	Unpause() error
	// Save writes the running domain to a file, and ends it. Restore makes it from
	// the file, and lets it run on.
	Save() error
	Restore() error
	// Reboot asks the domain to start anew, and waits until another has taken its
	// place and answers.
	Reboot() error
	// Answers asks the domain for an answer, and waits for it: its kernel and its
	// first program run.
	Answers() error
	// State is what there is of the domain.
	State() (DomainState, error)
	// Saved is the size of Save's file, 0 if there is none.
	Saved() int64
}

// DomainState is what a toolstack tells of a domain. Each that is made has a
// number of its own.
type DomainState struct {
	ID     int // 0 for no domain
	Paused bool
}

// BlockOwner may have a virtual block device.
type BlockOwner interface {
	// Block names the device's file; "" for none. What is on it is lost.
	Block() string
	// OpenBlock opens a block device.
	OpenBlock(path string) (BlockDevice, error)
}

// BlockDevice is an open block device. Nothing is cached between it and its reader.
type BlockDevice interface {
	// Size is in bytes.
	Size() int64
	// Buffer is memory that requests may move to and from.
	Buffer(length int) ([]byte, error)
	// Do makes requests in their order, so many under way at a time, and waits for all.
	Do(requests []BlockRequest, depth int) error
	// Begin makes requests at once, fewer than 64, and does not wait. end waits for all.
	Begin(requests []BlockRequest) (end func() error, err error)
	// Moved is what the device says it has moved in its life, in bytes.
	Moved() (read, written int64, err error)
	Close()
}

// BlockRequest reads or writes all of Data at an offset. Offset and length are
// multiples of 512.
type BlockRequest struct {
	Write  bool
	Offset int64
	Data   []byte
}

// NetworkOwner may have a network with another domain, in which a server answers.
type NetworkOwner interface {
	// Server is its address; the zero one for none.
	Server() Host
}

// Host is an IPv4 address. The zero one is this machine's own, 127.0.0.1.
type Host [4]byte

// Throughput is the unit of how much a counted job moves: bytes for a thousand
// instructions that the machine executed, all of its domains and the hypervisor
// together.
const Throughput = "bytes/kinstr"

// timedWindows is how many windows of a job are timed where nothing is counted.
const timedWindows = 5

// TimeJob is what a macro benchmark may have as its Run: the job's windows by the clock,
// after one to warm up. The sample is their median, for one of so many operations,
// or the rate at which so many bytes are moved if the unit is MB/s.
func TimeJob(b Benchmark) func(Domain, Options) ([]Value, error) {
	return func(d Domain, o Options) ([]Value, error) {
		op, err := b.Job.Intervals(d, o)
		if err != nil {
			return nil, fmt.Errorf("set up: %w", err)
		}
		if op.Cleanup != nil {
			defer op.Cleanup()
		}
		n := timedWindows
		if o.Quick {
			n = 1
		}
		t := timer{clock: d.OS()}
		var times []float64
		for i := range n + 1 {
			w, err := t.window(op, 1)
			if err != nil {
				return nil, err
			}
			if i > 0 {
				times = append(times, w.us)
			}
		}
		slices.Sort(times)
		return []Value{{Value: b.value(times[len(times)/2]), Unit: b.Unit}}, nil
	}
}
