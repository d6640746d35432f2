package lmbench

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// registerContext registers lat_ctx.
func registerContext() {
	for _, c := range []struct{ kb, procs int }{{0, 2}, {16, 8}} {
		register(bench.Benchmark{
			Name:   fmt.Sprintf("lat_ctx/size=%dK/procs=%d", c.kb, c.procs),
			Source: fmt.Sprintf("lat_ctx -s %d %d", c.kb, c.procs),
			Doc: fmt.Sprintf("switch to the next of %d processes that sum %d KiB each and pass a word on over pipes, less the same in one process",
				c.procs, c.kb),
			Ops:   int64(c.procs),
			Hooks: sendEvent,
			Setup: native(bench.NativeRing, func(d bench.Domain) (bench.Loop, func(), error) {
				return ring(d.OS(), c.procs, c.kb<<10)
			}, int64(c.procs), int64(c.kb<<10)),
			Baseline: native(bench.NativeRingAlone, func(d bench.Domain) (bench.Loop, func(), error) {
				return ringAlone(d.OS(), c.procs, c.kb<<10)
			}, int64(c.procs), int64(c.kb<<10)),
		})
	}
}

// hop is one pipe of the ring.
type hop struct{ r, w bench.FD }

func openRing(os bench.OS, count int) ([]hop, error) {
	hops := make([]hop, 0, count)
	for range count {
		r, w, err := os.Pipe()
		if err != nil {
			closeRing(os, hops)
			return nil, fmt.Errorf("open pipe: %w", err)
		}
		hops = append(hops, hop{r, w})
	}
	return hops, nil
}

func closeRing(os bench.OS, hops []hop) {
	for _, h := range hops {
		os.Close(h.r)
		os.Close(h.w)
	}
}

// area is a process's own memory that it sums at every turn. Its pages are
// looked up each time: after a switch the translations are gone.
type area struct {
	at   bench.Addr
	size int
	sum  uint64
}

func newArea(os bench.OS, size int) (*area, error) {
	if size == 0 {
		return &area{}, nil
	}
	at, err := os.Mmap(size, bench.PROT_READ|bench.PROT_WRITE, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes: %w", size, err)
	}
	for off := 0; off < size; off += abi.PageSize {
		os.Store(at+bench.Addr(off), 1)
	}
	return &area{at: at, size: size}, nil
}

func (a *area) read(os bench.OS) {
	for off := 0; off < a.size; off += abi.PageSize {
		a.sum += sumWords(os.Page(a.at+bench.Addr(off), false))
	}
}

func (a *area) free(os bench.OS) {
	if a.size > 0 {
		os.Munmap(a.at, a.size)
	}
}

// ringAlone is the overhead that lat_ctx subtracts: as many hops in one
// process.
func ringAlone(os bench.OS, procs, size int) (bench.Loop, func(), error) {
	hops, err := openRing(os, procs)
	if err != nil {
		return nil, nil, err
	}
	data, err := newArea(os, size)
	if err != nil {
		closeRing(os, hops)
		return nil, nil, err
	}
	token := make([]byte, 4)
	loop := func(n int64) error {
		for ; n > 0; n-- {
			for i := range hops {
				if err := pass(os, hops[i].r, hops[i].w, token); err != nil {
					return err
				}
				data.read(os)
			}
		}
		return nil
	}
	return loop, func() { data.free(os); closeRing(os, hops) }, nil
}

// pass writes the token and reads it back, from the same pipe or, after it
// has gone round, from the last.
func pass(os bench.OS, r, w bench.FD, token []byte) error {
	if k, err := os.Write(w, token); k != len(token) {
		return fmt.Errorf("write token: %d bytes: %w", k, cause(err))
	}
	if k, err := os.Read(r, token); k != len(token) {
		return fmt.Errorf("read token: %d bytes: %w", k, cause(err))
	}
	return nil
}

// ring starts procs-1 processes; process i reads from pipe i-1 and writes to
// pipe i, and this one closes the ring. An iteration is once round.
func ring(os bench.OS, procs, size int) (bench.Loop, func(), error) {
	hops, err := openRing(os, procs)
	if err != nil {
		return nil, nil, err
	}
	var pids []int
	cleanup := func() {
		closeRing(os, hops)
		for _, pid := range pids {
			os.Wait(pid)
		}
	}
	for i := 1; i < procs; i++ {
		pid, err := os.Fork(func(os bench.OS) int { return relay(os, hops, i, size) })
		if err != nil {
			cleanup()
			return nil, nil, fmt.Errorf("fork: %w", err)
		}
		pids = append(pids, pid)
	}
	data, err := newArea(os, size)
	if err != nil {
		cleanup()
		return nil, nil, err
	}
	token := make([]byte, 4)
	first, last := hops[0].w, hops[procs-1].r
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if err := pass(os, last, first, token); err != nil {
				return err
			}
			data.read(os)
		}
		return nil
	}
	return loop, func() { data.free(os); cleanup() }, nil
}

// relay is process i of the ring. It keeps only the two descriptors that it
// uses, so that the end of the ring's input reaches every process.
func relay(os bench.OS, hops []hop, i, size int) int {
	for j, h := range hops {
		if j != i-1 {
			os.Close(h.r)
		}
		if j != i {
			os.Close(h.w)
		}
	}
	data, err := newArea(os, size)
	if err != nil {
		return 1
	}
	token := make([]byte, 4)
	for {
		if k, err := os.Read(hops[i-1].r, token); k != len(token) || err != nil {
			return 0
		}
		data.read(os)
		if k, err := os.Write(hops[i].w, token); k != len(token) || err != nil {
			return 0
		}
	}
}
