package lmbench

import (
	"fmt"

	"xsmbench/bench"
)

// sendEvent is what a wake-up of another vCPU costs: none if both processes
// share one.
var sendEvent = []bench.Crossing{{Hook: "evtchn_send", Note: "1 per wake-up if the processes are on two vCPUs, else 0"}}

// registerPipe registers lat_pipe.
func registerPipe() {
	register(bench.Benchmark{
		Name: "lat_pipe", Source: "lat_pipe",
		Doc:    "a byte to another process and back, over two pipes",
		Enough: short,
		Hooks:  sendEvent,
		Setup: native(bench.NativePipe, func(d bench.Domain) (bench.Loop, func(), error) {
			return roundTrips(d.OS(), twoPipes)
		}),
	})
}

// registerUnix registers lat_unix.
func registerUnix() {
	register(bench.Benchmark{
		Name: "lat_unix", Source: "lat_unix",
		Doc:   "a byte to another process and back, over a pair of UNIX stream sockets",
		Hooks: sendEvent,
		Setup: native(bench.NativeUnix, func(d bench.Domain) (bench.Loop, func(), error) {
			return roundTrips(d.OS(), socketpair)
		}),
	})
}

// link is a two-way connection of two processes: what each reads from and
// writes to.
type link struct {
	here, there struct{ in, out bench.FD }
}

func twoPipes(os bench.OS) (link, error) {
	var l link
	var err error
	if l.there.in, l.here.out, err = os.Pipe(); err != nil {
		return l, fmt.Errorf("open pipe: %w", err)
	}
	if l.here.in, l.there.out, err = os.Pipe(); err != nil {
		os.Close(l.there.in)
		os.Close(l.here.out)
		return l, fmt.Errorf("open pipe: %w", err)
	}
	return l, nil
}

func socketpair(os bench.OS) (link, error) {
	a, b, err := os.Socketpair()
	if err != nil {
		return link{}, fmt.Errorf("open socket pair: %w", err)
	}
	var l link
	l.here.in, l.here.out = a, a
	l.there.in, l.there.out = b, b
	return l, nil
}

// closeEnds closes one side.
func closeEnds(os bench.OS, in, out bench.FD) {
	os.Close(in)
	if out != in {
		os.Close(out)
	}
}

// roundTrips times a byte's way to a child and back. The child ends when its
// input does.
func roundTrips(os bench.OS, connect func(bench.OS) (link, error)) (bench.Loop, func(), error) {
	l, err := connect(os)
	if err != nil {
		return nil, nil, err
	}
	pid, err := os.Fork(func(os bench.OS) int {
		closeEnds(os, l.here.in, l.here.out)
		return echo(os, l.there.in, l.there.out)
	})
	closeEnds(os, l.there.in, l.there.out)
	if err != nil {
		closeEnds(os, l.here.in, l.here.out)
		return nil, nil, fmt.Errorf("fork: %w", err)
	}
	b := make([]byte, 1)
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if k, err := os.Write(l.here.out, b); k != 1 {
				return fmt.Errorf("write byte: %d written: %w", k, cause(err))
			}
			if k, err := os.Read(l.here.in, b); k != 1 {
				return fmt.Errorf("read byte: %d read: %w", k, cause(err))
			}
		}
		return nil
	}
	return loop, func() { closeEnds(os, l.here.in, l.here.out); os.Wait(pid) }, nil
}

// echo returns every byte until its input ends.
func echo(os bench.OS, in, out bench.FD) int {
	b := make([]byte, 1)
	for {
		if k, err := os.Read(in, b); k != 1 || err != nil {
			return 0
		}
		if k, err := os.Write(out, b); k != 1 || err != nil {
			return 1
		}
	}
}
