package lmbench

import (
	"errors"
	"fmt"

	"xsmbench/bench"
)

// transfer is XFERSIZE, the size of a read or write where it is the data that
// counts.
const transfer = 64 << 10

// scratchFile is where the benchmarks keep their data, as lmbench's script
// does in /var/tmp/lmbench.
const scratchFile = "/tmp/lmbench"

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
