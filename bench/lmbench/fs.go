package lmbench

import (
	"fmt"

	"xsmbench/bench"
)

// registerFS registers lat_fs on the domain's file system in memory.
func registerFS() {
	for _, kb := range []int{0, 10} {
		most := int64(64)
		if kb > 0 {
			most = 16
		}
		for _, op := range []string{"create", "delete"} {
			register(bench.Benchmark{
				Name:   fmt.Sprintf("lat_fs/op=%s/size=%dk", op, kb),
				Source: fmt.Sprintf("lat_fs -s %dk", kb),
				Doc:    fmt.Sprintf("%s a file of %d KiB, up to %d at a time (lmbench: files per second, as many as fit the window)", op, kb, most),
				Intervals: func(d bench.Domain) (bench.Interval, error) {
					f := newFileSet(d.OS(), kb<<10, int(most))
					i := bench.Interval{Loop: f.create, After: f.remove, Most: most}
					if op == "delete" {
						i = bench.Interval{Before: f.create, Loop: f.remove, Most: most}
					}
					return i, nil
				},
			})
		}
	}
}

// fileSet is a number of files to create and remove.
type fileSet struct {
	os    bench.OS
	names []string
	data  []byte
}

func newFileSet(os bench.OS, size, most int) *fileSet {
	f := &fileSet{os: os, data: make([]byte, size)}
	for i := range most {
		f.names = append(f.names, fmt.Sprintf("/tmp/lat_fs.%d", i))
	}
	return f
}

func (f *fileSet) create(n int64) error {
	for _, name := range f.names[:n] {
		fd, err := f.os.Open(name, bench.O_WRONLY|bench.O_CREAT|bench.O_TRUNC)
		if err != nil {
			return fmt.Errorf("create %s: %w", name, err)
		}
		if len(f.data) > 0 {
			if k, err := f.os.Write(fd, f.data); k != len(f.data) {
				return fmt.Errorf("write %s: %d bytes written: %w", name, k, cause(err))
			}
		}
		if err := f.os.Close(fd); err != nil {
			return fmt.Errorf("close %s: %w", name, err)
		}
	}
	return nil
}

func (f *fileSet) remove(n int64) error {
	for _, name := range f.names[:n] {
		if err := f.os.Unlink(name); err != nil {
			return fmt.Errorf("unlink %s: %w", name, err)
		}
	}
	return nil
}
