package lmbench

import (
	"errors"
	"fmt"

	"xsmbench/bench"
)

// Names of lat_fifo's pipes.
const (
	fifoThere = "/tmp/lmbench_f1"
	fifoBack  = "/tmp/lmbench_f2"
)

// registerFIFO registers lat_fifo.
func registerFIFO() {
	register(bench.Benchmark{
		Name: "lat_fifo", Source: "lat_fifo", Enough: short, Full: true,
		Doc:   "a byte to another process and back, over two named pipes",
		Needs: []bench.Facility{bench.FIFOs},
		Hooks: sendEvent,
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return exchange(d.OS(), twoFIFOs) },
	})
}

// exchange is roundTrips, natively where the target does it: the connection is made
// here, and the descriptors go to the processes that exchange the byte.
func exchange(os bench.OS, connect func(bench.OS) (link, error)) (bench.Loop, func(), error) {
	target, ok := os.(bench.NativeLoops)
	if !ok {
		return roundTrips(os, connect)
	}
	l, err := connect(os)
	if err != nil {
		return nil, nil, err
	}
	loop, cleanup, err := target.NativeLoop(bench.NativeExchange, int64(l.here.in), int64(l.here.out), int64(l.there.in), int64(l.there.out))
	closeEnds(os, l.here.in, l.here.out)
	closeEnds(os, l.there.in, l.there.out)
	if errors.Is(err, errors.ErrUnsupported) {
		return roundTrips(os, connect)
	}
	return loop, cleanup, err
}

// twoFIFOs opens both ends of two named pipes, whose names go at once: the loop
// needs them no more.
func twoFIFOs(os bench.OS) (link, error) {
	var l link
	maker, ok := os.(bench.FIFOMaker)
	if !ok {
		return l, fmt.Errorf("make FIFOs: %w", errors.ErrUnsupported)
	}
	for _, name := range []string{fifoThere, fifoBack} {
		if err := maker.Mkfifo(name); err != nil {
			return l, fmt.Errorf("make %s: %w", name, err)
		}
		defer os.Unlink(name)
	}
	var err error
	if l.there.in, l.here.out, err = openFIFO(os, fifoThere); err != nil {
		return l, err
	}
	if l.here.in, l.there.out, err = openFIFO(os, fifoBack); err != nil {
		os.Close(l.there.in)
		os.Close(l.here.out)
	}
	return l, err
}

// openFIFO opens both ends of a named pipe: the first for reading and writing,
// which does not wait, until the other two are open.
func openFIFO(os bench.OS, name string) (r, w bench.FD, err error) {
	both, err := os.Open(name, bench.O_RDWR)
	if err != nil {
		return -1, -1, fmt.Errorf("open %s: %w", name, err)
	}
	defer os.Close(both)
	if r, err = os.Open(name, bench.O_RDONLY); err != nil {
		return -1, -1, fmt.Errorf("open %s for reading: %w", name, err)
	}
	if w, err = os.Open(name, bench.O_WRONLY); err != nil {
		os.Close(r)
		return -1, -1, fmt.Errorf("open %s for writing: %w", name, err)
	}
	return r, w, nil
}
