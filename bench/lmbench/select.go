package lmbench

import (
	"fmt"

	"xsmbench/bench"
)

// registerSelect registers lat_select.
func registerSelect() {
	for _, n := range []int{10, 100} {
		file := func(d bench.Domain) (bench.Loop, func(), error) { return selectFiles(d.OS(), n) }
		register(bench.Benchmark{
			Name:   fmt.Sprintf("lat_select/fds=%d", n),
			Doc:    fmt.Sprintf("select on %d descriptors of a file, for reading (lmbench: for writing, and on fewer, see /for=write)", n),
			Source: fmt.Sprintf("lat_select -n %d file", n),
			Setup:  file,
		})
		register(bench.Benchmark{
			Name:     fmt.Sprintf("lat_select/fds=%d/for=write", n),
			Source:   fmt.Sprintf("lat_select -n %d file", n),
			Full:     true,
			CLibrary: true,
			Doc: fmt.Sprintf("select on those of the first %d descriptors that are of a file, for writing; 8 of them are not (lmbench's own: its process has them open for other things, and selects on %d only)",
				n, n),
			Setup: native(bench.NativeSelect, file, int64(n)),
		})
	}
}

func selectFiles(os bench.OS, count int) (bench.Loop, func(), error) {
	if err := makeFile(os, scratchFile, 1); err != nil {
		return nil, nil, err
	}
	var (
		fds  []bench.FD
		set  bench.FDSet
		most bench.FD
	)
	cleanup := func() {
		for _, fd := range fds {
			os.Close(fd)
		}
		os.Unlink(scratchFile)
	}
	for range count {
		fd, err := os.Open(scratchFile, bench.O_RDONLY)
		if err != nil {
			cleanup()
			return nil, nil, fmt.Errorf("open %s: %w", scratchFile, err)
		}
		fds = append(fds, fd)
		set.Set(fd)
		most = max(most, fd)
	}
	var ready bench.FDSet
	loop := func(n int64) error {
		for ; n > 0; n-- {
			ready = set
			if k, err := os.Select(int(most)+1, &ready); k != count {
				return fmt.Errorf("select: %d of %d descriptors ready: %w", k, count, cause(err))
			}
		}
		return nil
	}
	return loop, cleanup, nil
}
