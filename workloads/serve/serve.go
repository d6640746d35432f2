// Package serve is the macro workload of a domain that serves another with a disk and
// a network at once, as dom0 does: the client asks the disk for blocks and, before they
// are there, a service over the network.
package serve

import (
	"fmt"

	"xsmbench/bench"
	"xsmbench/workloads/block"
	"xsmbench/workloads/network"
)

// A window is so many rounds of reads and a request.
const (
	rounds = 32
	reads  = 8
)

// windows of a sample.
const windows = 4

func init() {
	b := bench.Benchmark{
		Suite: "Workload", Name: "serve/op=disk_and_net", Unit: "MB/s", Beside: []string{bench.Throughput}, Workload: true, DomUOnly: true, Later: true,
		Ops: rounds, Bytes: rounds * (reads*block.Size + network.RequestSize + network.PageSize),
		Doc:    "read 8 blocks of 4 KiB of a virtual block device, and meanwhile ask a service in the other domain",
		Source: "xen-blkback and xen-netback at once",
		Hooks: []bench.Crossing{
			{Hook: "evtchn_send", Note: "depends on how many requests one event is for"},
			{Hook: "grant_copy", Note: "1 or 2 per packet"},
			{Hook: "grant_mapref", Note: "1 per page that the domU sends"},
		},
		Needs: []bench.Facility{bench.BlockIO, bench.Neighbours, bench.Networking},
		Job:   &bench.Job{Windows: windows, Intervals: func(d bench.Domain, _ bench.Options) (bench.Interval, error) { return ready(d.OS()) }},
	}
	b.Run = bench.TimeJob(b)
	bench.Register(b)
}

func ready(os bench.OS) (bench.Interval, error) {
	disk, err := block.OpenFilled(os)
	if err != nil {
		return bench.Interval{}, err
	}
	service, err := network.Dial(os)
	if err != nil {
		disk.Close()
		return bench.Interval{}, err
	}
	return bench.Interval{
		Most:    1,
		Before:  func(int64) error { service.Moved = 0; return nil },
		Loop:    func(int64) error { return both(disk, service) },
		Cleanup: func() { disk.Close(); service.Close() },
		After: func(int64) error {
			if want := int64(rounds * (network.RequestSize + network.PageSize)); service.Moved != want {
				return fmt.Errorf("%d bytes went over the network, not %d", service.Moved, want)
			}
			return nil
		},
	}, nil
}

// both looks at what was read in each round: the next one uses the same buffers.
func both(disk *block.Disk, service *network.Client) error {
	for range rounds {
		end, err := disk.BeginReads(reads)
		if err != nil {
			return err
		}
		asked := service.Request(1)
		if err := end(); err != nil {
			return err
		}
		if asked != nil {
			return asked
		}
	}
	return nil
}
