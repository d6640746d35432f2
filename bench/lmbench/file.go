package lmbench

import (
	"errors"
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// transfer is XFERSIZE, the size of a read or write where it is the data that
// counts.
const transfer = 64 << 10

// scratchFile is where the benchmarks keep their data, as lmbench's script
// does in /var/tmp/lmbench.
const scratchFile = "/tmp/lmbench"

// askew is by how much bw_pipe's reader shifts its buffer from a page's beginning.
const askew = 128

// newBuffer is memory to move data with, a number of bytes behind a page's
// beginning. Where it can be had it is the process's own, as valloc gives it: what
// the language manages may lie in huge pages, which are faster.
func newBuffer(os bench.OS, size, behind int) (b []byte, free func(), err error) {
	whole, ok := os.(bench.Spanner)
	if !ok {
		return make([]byte, size+behind)[behind:], func() {}, nil
	}
	length := (size + behind + abi.PageSize - 1) &^ (abi.PageSize - 1)
	at, err := os.Mmap(length, bench.PROT_READ|bench.PROT_WRITE, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("map %d bytes: %w", length, err)
	}
	all := whole.Span(at, length)
	clear(all) // touches every page
	return all[behind : behind+size], func() { os.Munmap(at, length) }, nil
}

// makeFile writes a file of size bytes.
func makeFile(os bench.OS, path string, size int) error {
	fd, err := os.Open(path, bench.O_RDWR|bench.O_CREAT|bench.O_TRUNC)
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	defer os.Close(fd)
	buf := make([]byte, min(size, transfer))
	for i := range buf {
		buf[i] = byte(i)
	}
	for left := size; left > 0; {
		n, err := os.Write(fd, buf[:min(left, len(buf))])
		if err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		left -= n
	}
	return nil
}

// openFile makes a file and opens it for reading and writing.
func openFile(os bench.OS, path string, size int) (bench.FD, error) {
	if err := makeFile(os, path, size); err != nil {
		return -1, err
	}
	fd, err := os.Open(path, bench.O_RDWR)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", path, err)
	}
	return fd, nil
}

var errShort = errors.New("less than asked for")

// cause is err, or, where a call moved too little without an error, that.
func cause(err error) error {
	if err == nil {
		return errShort
	}
	return err
}
