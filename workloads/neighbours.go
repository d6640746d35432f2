package workloads

import (
	"fmt"
	"slices"
	"strings"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/workloads/block"
	"xsmbench/workloads/network"
)

// memory is a process that takes memory and gives it back: page faults, and changes of
// page tables.
var memory = Workload{Name: "memory", Doc: "a process maps, touches and unmaps memory", Start: beside(func(bench.Domain) (task, error) {
	return touch, nil
})}

// What touch maps, and how far its accesses lie apart, in bytes.
const (
	touched  = 256 << 10
	pageSize = 4096
)

func touch(os bench.OS) (int64, error) {
	at, err := os.Mmap(touched, bench.PROT_READ|bench.PROT_WRITE, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
	if err != nil {
		return 0, err
	}
	for i := 0; i < touched; i += pageSize {
		os.Store(at+bench.Addr(i), 1)
	}
	return 0, os.Munmap(at, touched)
}

// events is a storm of events: a process sends them to the other domain without a
// pause.
var events = Workload{Name: "events", Doc: "a process sends events to the other domain", Start: beside(readyEvents)}

// storm is how many events a task sends.
const storm = 100

func readyEvents(d bench.Domain) (task, error) {
	peer, err := d.Hypercalls().Peer()
	if err != nil {
		return nil, bench.Lack("%v", err)
	}
	send, err := d.Hypercalls().Prepare(abi.EventChannelOp, &abi.Args{R: [4]uint64{uint64(abi.EVTCHNOPSend)}, H: &abi.EvtchnSend{Port: peer.Port}})
	if err != nil {
		return nil, err
	}
	return func(bench.OS) (int64, error) {
		for range storm {
			if r := send(); r < 0 {
				return 0, fmt.Errorf("send an event: %w", abi.Errno(-r))
			}
		}
		return 0, nil
	}, nil
}

// blockTraffic is a process that reads a virtual block device, networkTraffic one that
// asks the service in the other domain.
var (
	blockTraffic = Workload{
		Name: "block", Doc: "a process reads a virtual block device", Needs: []bench.Facility{bench.BlockIO},
		Start: beside(func(d bench.Domain) (task, error) { return block.Reading(d.OS()) }),
	}
	networkTraffic = Workload{
		Name: "network", Doc: "a process asks a service in the other domain", Needs: []bench.Facility{bench.Neighbours, bench.Networking},
		Start: beside(func(d bench.Domain) (task, error) { return network.Asking(d.OS()) }),
	}
)

// neighbourly begins the name of a workload that the other domain has, the one that is
// not measured.
const neighbourly = "neighbour-"

// neighbours are workloads, of the other domain.
func neighbours(of ...Workload) []Workload {
	of = slices.Clone(of)
	for i, w := range of {
		of[i].Name, of[i].Neighbour = neighbourly+w.Name, true
		of[i].Doc = strings.Replace(w.Doc, "a process", "a process in the other domain", 1)
		of[i].Doc = strings.Replace(of[i].Doc, "to the other domain", "to this one", 1)
		of[i].Doc = strings.Replace(of[i].Doc, "a service in the other domain", "a service in this one", 1)
	}
	return of
}
