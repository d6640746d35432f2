package lmbench

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// total is what one iteration of bw_pipe and bw_unix moves. lmbench's 10 MB
// would make a window of a slow domain one iteration long.
const total = 1 << 20

// fileSize is the size of the file that bw_file_rd and bw_mmap_rd read.
const fileSize = 512 << 10

// registerBandwidth registers what moves data: bw_unix, bw_pipe, bw_file_rd,
// bw_mmap_rd.
func registerBandwidth() {
	for _, b := range []bench.Benchmark{
		{
			Name: "bw_unix", Source: "bw_unix -M 1m", Enough: medium, Bytes: total, Hooks: sendEvent,
			Doc:   "read 1 MiB, in 64 KiB pieces, that another process writes to a UNIX socket when asked",
			Setup: func(d bench.Domain) (bench.Loop, func(), error) { return stream(d.OS(), socketpair, true) },
		},
		{
			Name: "bw_pipe", Source: "bw_pipe -M 1m", Enough: medium, Bytes: total, Hooks: sendEvent,
			Doc:   "read 1 MiB, in 64 KiB pieces, from a pipe that another process keeps filling",
			Setup: func(d bench.Domain) (bench.Loop, func(), error) { return stream(d.OS(), onePipe, false) },
		},
		{
			Name: "bw_file_rd/size=512K/op=open2close", Source: "bw_file_rd 512k open2close", Bytes: fileSize,
			Doc:   "open a file, read it in 64 KiB pieces, sum them, and close it",
			Setup: func(d bench.Domain) (bench.Loop, func(), error) { return readFile(d.OS()) },
		},
		{
			Name: "bw_mmap_rd/size=512K/op=open2close", Source: "bw_mmap_rd 512k open2close", Bytes: fileSize,
			Doc: "open a file, map it, sum it, unmap and close it",
			Hooks: []bench.Crossing{
				{Hook: updateVAMapping, PerOp: fileSize / abi.PageSize, Note: "and 1 per page table"},
				{Hook: mmuNormalUpdate, Note: "1 per page table"},
			},
			Setup: func(d bench.Domain) (bench.Loop, func(), error) { return sumMapped(d.OS()) },
		},
	} {
		b.Unit = "MB/s"
		register(b)
	}
}

// onePipe is a connection in one direction: from there to here.
func onePipe(os bench.OS) (link, error) {
	var l link
	r, w, err := os.Pipe()
	if err != nil {
		return l, fmt.Errorf("open pipe: %w", err)
	}
	l.here.in, l.here.out = r, r
	l.there.in, l.there.out = w, w
	return l, nil
}

// stream reads what a child writes, either as fast as it can or, if asked, as
// much as each byte on a control pipe stands for.
func stream(os bench.OS, connect func(bench.OS) (link, error), asked bool) (bench.Loop, func(), error) {
	l, err := connect(os)
	if err != nil {
		return nil, nil, err
	}
	control, ask, err := os.Pipe()
	if err != nil {
		closeEnds(os, l.here.in, l.here.out)
		closeEnds(os, l.there.in, l.there.out)
		return nil, nil, fmt.Errorf("open control pipe: %w", err)
	}
	pid, err := os.Fork(func(os bench.OS) int {
		closeEnds(os, l.here.in, l.here.out)
		os.Close(ask)
		if asked {
			return pour(os, l.there.out, control)
		}
		os.Close(control)
		return pour(os, l.there.out, -1)
	})
	closeEnds(os, l.there.in, l.there.out)
	os.Close(control)
	cleanup := func() {
		os.Close(ask)
		closeEnds(os, l.here.in, l.here.out)
	}
	if err != nil {
		cleanup()
		return nil, nil, fmt.Errorf("fork: %w", err)
	}
	behind := askew
	if asked {
		behind = 0
	}
	buf, free, err := newBuffer(os, transfer, behind)
	if err != nil {
		cleanup()
		os.Wait(pid)
		return nil, nil, err
	}
	request := []byte{1}
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if asked {
				if k, err := os.Write(ask, request); k != 1 {
					return fmt.Errorf("ask for data: %d written: %w", k, cause(err))
				}
			}
			for done := 0; done < total; {
				k, err := os.Read(l.here.in, buf[:min(len(buf), total-done)])
				if k <= 0 {
					return fmt.Errorf("read stream: %d of %d bytes: %w", done, total, cause(err))
				}
				done += k
			}
		}
		return nil
	}
	return loop, func() { cleanup(); os.Wait(pid); free() }, nil
}

// pour writes until nobody reads. With a control descriptor it waits for a
// byte there before each total.
func pour(os bench.OS, out, control bench.FD) int {
	buf, _, err := newBuffer(os, transfer, 0)
	if err != nil {
		return 1
	}
	request := make([]byte, 1)
	for {
		if control >= 0 {
			if k, err := os.Read(control, request); k != 1 || err != nil {
				return 0
			}
		}
		for done := 0; done < total; {
			k, err := os.Write(out, buf[:min(len(buf), total-done)])
			if k <= 0 || err != nil {
				return 0
			}
			done += k
		}
	}
}

func readFile(os bench.OS) (bench.Loop, func(), error) {
	if err := makeFile(os, scratchFile, fileSize); err != nil {
		return nil, nil, err
	}
	buf, free, err := newBuffer(os, transfer, 0)
	if err != nil {
		os.Unlink(scratchFile)
		return nil, nil, err
	}
	sum := uint64(0)
	loop := func(n int64) error {
		for ; n > 0; n-- {
			fd, err := os.Open(scratchFile, bench.O_RDONLY)
			if err != nil {
				return fmt.Errorf("open %s: %w", scratchFile, err)
			}
			for done := 0; done < fileSize; {
				k, err := os.Read(fd, buf)
				if k <= 0 {
					return fmt.Errorf("read %s: %d of %d bytes: %w", scratchFile, done, fileSize, cause(err))
				}
				sum += sumWords(buf[:k])
				done += k
			}
			if err := os.Close(fd); err != nil {
				return fmt.Errorf("close %s: %w", scratchFile, err)
			}
		}
		return nil
	}
	return loop, func() { free(); os.Unlink(scratchFile) }, nil
}

func sumMapped(os bench.OS) (bench.Loop, func(), error) {
	if err := makeFile(os, scratchFile, fileSize); err != nil {
		return nil, nil, err
	}
	whole, _ := os.(bench.Spanner)
	sum := uint64(0)
	loop := func(n int64) error {
		for ; n > 0; n-- {
			fd, err := os.Open(scratchFile, bench.O_RDONLY)
			if err != nil {
				return fmt.Errorf("open %s: %w", scratchFile, err)
			}
			at, err := os.Mmap(fileSize, bench.PROT_READ, bench.MAP_SHARED, fd, 0)
			if err != nil {
				return fmt.Errorf("map %s: %w", scratchFile, err)
			}
			if whole != nil {
				sum += sumWords(whole.Span(at, fileSize))
			}
			for off := 0; whole == nil && off < fileSize; off += abi.PageSize {
				sum += sumWords(os.Page(at+bench.Addr(off), false))
			}
			if err := os.Munmap(at, fileSize); err != nil {
				return fmt.Errorf("unmap %s: %w", scratchFile, err)
			}
			if err := os.Close(fd); err != nil {
				return fmt.Errorf("close %s: %w", scratchFile, err)
			}
		}
		return nil
	}
	return loop, func() { os.Unlink(scratchFile) }, nil
}
