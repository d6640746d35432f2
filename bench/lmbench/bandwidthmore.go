package lmbench

import (
	"errors"
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// clonedFile is the copy that bw_file_rd -C and bw_mmap_rd -C read: a file that no
// other process has open.
const clonedFile = scratchFile + ".clone"

// registerBandwidthMore registers what bw_file_rd and bw_mmap_rd measure besides
// the default suite: without open and close, and a copy of the file.
func registerBandwidthMore() {
	faults := []bench.Crossing{
		{Hook: updateVAMapping, PerOp: fileSize / abi.PageSize, Note: "and 1 per page table"},
		{Hook: mmuNormalUpdate, Note: "1 per page table"},
	}
	type variant struct {
		program, op, doc string
		needs            []bench.Facility
		hooks            []bench.Crossing
		setup            func(os bench.OS, path string) (bench.Loop, func(), error)
	}
	for _, v := range []variant{
		{"bw_file_rd", "open2close", "open a file, read it in 64 KiB pieces, sum them, and close it", nil, nil, readWhole},
		{"bw_file_rd", "io_only", "read an open file from its beginning in 64 KiB pieces, and sum them", []bench.Facility{bench.Seeking}, nil, readOpened},
		{"bw_mmap_rd", "open2close", "open a file, map it, sum it, unmap and close it", nil, faults, sumWhole},
		{"bw_mmap_rd", "mmap_only", "sum a mapped file", nil, nil, sumOnly},
	} {
		for _, clone := range []bool{false, true} {
			b := bench.Benchmark{
				Name: fmt.Sprintf("%s/size=512K/op=%s", v.program, v.op), Source: fmt.Sprintf("%s 512k %s", v.program, v.op), Doc: v.doc,
				Unit: "MB/s", Bytes: fileSize, Full: true, Needs: v.needs, Hooks: v.hooks,
				Setup: func(d bench.Domain) (bench.Loop, func(), error) { return onFile(d.OS(), clone, v.setup) },
			}
			if clone {
				b.Name, b.Source, b.Doc = b.Name+"/C=1", v.program+" -C 512k "+v.op, v.doc+": a copy of its own"
			}
			if clone || v.op != "open2close" { // the default suite has the others
				register(b)
			}
		}
	}
}

// onFile makes a file, copies it if asked to, and readies an operation on it.
func onFile(os bench.OS, clone bool, setup func(bench.OS, string) (bench.Loop, func(), error)) (bench.Loop, func(), error) {
	if err := makeFile(os, scratchFile, fileSize); err != nil {
		return nil, nil, err
	}
	remove := func() { os.Unlink(scratchFile) }
	path := scratchFile
	if clone {
		path = clonedFile
		remove = func() { os.Unlink(scratchFile); os.Unlink(clonedFile) }
		if err := copyFile(os, scratchFile, clonedFile); err != nil {
			remove()
			return nil, nil, err
		}
	}
	loop, cleanup, err := setup(os, path)
	if err != nil {
		remove()
		return nil, nil, err
	}
	return loop, func() { cleanup(); remove() }, nil
}

// copyFile copies a file.
func copyFile(os bench.OS, from, to string) error {
	in, err := os.Open(from, bench.O_RDONLY)
	if err != nil {
		return fmt.Errorf("open %s: %w", from, err)
	}
	defer os.Close(in)
	out, err := os.Open(to, bench.O_WRONLY|bench.O_CREAT|bench.O_TRUNC)
	if err != nil {
		return fmt.Errorf("create %s: %w", to, err)
	}
	defer os.Close(out)
	buf := make([]byte, transfer)
	for {
		k, err := os.Read(in, buf)
		if err != nil {
			return fmt.Errorf("read %s: %w", from, err)
		}
		if k == 0 {
			return nil
		}
		if n, err := os.Write(out, buf[:k]); n != k {
			return fmt.Errorf("write %s: %d of %d bytes: %w", to, n, k, cause(err))
		}
	}
}

// readAndSum reads an open file of fileSize bytes and sums it.
func readAndSum(os bench.OS, fd bench.FD, path string, buf []byte) (sum uint64, err error) {
	for done := 0; done < fileSize; {
		k, err := os.Read(fd, buf)
		if k <= 0 {
			return 0, fmt.Errorf("read %s: %d of %d bytes: %w", path, done, fileSize, cause(err))
		}
		sum += sumWords(buf[:k])
		done += k
	}
	return sum, nil
}

// keep has the compiler compute what nobody looks at.
//
//go:noinline
func keep(float64) {}

func readWhole(os bench.OS, path string) (bench.Loop, func(), error) {
	buf := make([]byte, transfer)
	loop := func(n int64) error {
		for ; n > 0; n-- {
			fd, err := os.Open(path, bench.O_RDONLY)
			if err != nil {
				return fmt.Errorf("open %s: %w", path, err)
			}
			sum, err := readAndSum(os, fd, path, buf)
			if err != nil {
				return err
			}
			keep(float64(sum))
			if err := os.Close(fd); err != nil {
				return fmt.Errorf("close %s: %w", path, err)
			}
		}
		return nil
	}
	return loop, func() {}, nil
}

func readOpened(os bench.OS, path string) (bench.Loop, func(), error) {
	seeker, ok := os.(bench.Seeker)
	if !ok {
		return nil, nil, fmt.Errorf("seek in files: %w", errors.ErrUnsupported)
	}
	fd, err := os.Open(path, bench.O_RDONLY)
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	buf := make([]byte, transfer)
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if err := seeker.Seek(fd, 0); err != nil {
				return fmt.Errorf("seek in %s: %w", path, err)
			}
			sum, err := readAndSum(os, fd, path, buf)
			if err != nil {
				return err
			}
			keep(float64(sum))
		}
		return nil
	}
	return loop, func() { os.Close(fd) }, nil
}

// mapOpened opens and maps a file of fileSize bytes.
func mapOpened(os bench.OS, path string) (bench.FD, bench.Addr, error) {
	fd, err := os.Open(path, bench.O_RDONLY)
	if err != nil {
		return -1, 0, fmt.Errorf("open %s: %w", path, err)
	}
	at, err := os.Mmap(fileSize, bench.PROT_READ, bench.MAP_SHARED, fd, 0)
	if err != nil {
		os.Close(fd)
		return -1, 0, fmt.Errorf("map %s: %w", path, err)
	}
	return fd, at, nil
}

func sumMapping(os bench.OS, at bench.Addr) (sum uint64) {
	if whole, ok := os.(bench.Spanner); ok {
		return sumWords(whole.Span(at, fileSize))
	}
	for off := 0; off < fileSize; off += abi.PageSize {
		sum += sumWords(os.Page(at+bench.Addr(off), false))
	}
	return sum
}

func sumWhole(os bench.OS, path string) (bench.Loop, func(), error) {
	loop := func(n int64) error {
		for ; n > 0; n-- {
			fd, at, err := mapOpened(os, path)
			if err != nil {
				return err
			}
			keep(float64(sumMapping(os, at)))
			if err := os.Munmap(at, fileSize); err != nil {
				return fmt.Errorf("unmap %s: %w", path, err)
			}
			if err := os.Close(fd); err != nil {
				return fmt.Errorf("close %s: %w", path, err)
			}
		}
		return nil
	}
	return loop, func() {}, nil
}

func sumOnly(os bench.OS, path string) (bench.Loop, func(), error) {
	fd, at, err := mapOpened(os, path)
	if err != nil {
		return nil, nil, err
	}
	loop := func(n int64) error {
		for ; n > 0; n-- {
			keep(float64(sumMapping(os, at)))
		}
		return nil
	}
	return loop, func() { os.Munmap(at, fileSize); os.Close(fd) }, nil
}
