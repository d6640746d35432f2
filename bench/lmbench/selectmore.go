package lmbench

import (
	"fmt"

	"xsmbench/bench"
)

// otherDescriptors is how many of the first N descriptors lmbench's process has open for
// other things. It passes N as select's first argument, so that it selects on so many fewer.
const otherDescriptors = 8

// registerSelectMore registers what lat_select measures besides the default suite:
// more files, and connections.
func registerSelectMore() {
	for _, n := range []int{250, 500} {
		register(bench.Benchmark{
			Name: fmt.Sprintf("lat_select/fds=%d", n), Source: fmt.Sprintf("lat_select -n %d file", n), Full: true,
			Doc:   fmt.Sprintf("select on %d descriptors of a file", n),
			Setup: func(d bench.Domain) (bench.Loop, func(), error) { return selectFiles(d.OS(), n) },
		})
	}
	for _, n := range []int{10, 100, 250, 500} {
		register(bench.Benchmark{
			Name: fmt.Sprintf("lat_select/of=tcp/fds=%d", n), Source: fmt.Sprintf("lat_select -n %d tcp", n), Full: true,
			Doc:   fmt.Sprintf("select, for writing, on those of %d descriptors that are of a TCP connection over the loopback device; %d are not, as in lmbench", n, otherDescriptors),
			Needs: []bench.Facility{bench.Networking},
			Setup: func(d bench.Domain) (bench.Loop, func(), error) { return selectConnection(d.OS(), n-otherDescriptors) },
		})
	}
}

func selectConnection(os bench.OS, count int) (bench.Loop, func(), error) {
	s, err := socketsOf(os)
	if err != nil {
		return nil, nil, err
	}
	l, err := tcpLink(os)
	if err != nil {
		return nil, nil, err
	}
	fds := []bench.FD{l.here.in, l.there.in}
	cleanup := func() {
		for _, fd := range fds {
			os.Close(fd)
		}
	}
	var set, ready bench.FDSet
	most := bench.FD(0)
	for range count {
		fd, err := s.Duplicate(l.here.in)
		if err != nil {
			cleanup()
			return nil, nil, fmt.Errorf("duplicate descriptor: %w", err)
		}
		fds = append(fds, fd)
		set.Set(fd)
		most = max(most, fd)
	}
	loop := func(n int64) error {
		for ; n > 0; n-- {
			ready = set
			if k, err := s.SelectWritable(int(most)+1, &ready); k != count {
				return fmt.Errorf("select: %d of %d descriptors ready: %w", k, count, cause(err))
			}
		}
		return nil
	}
	return loop, cleanup, nil
}
