package lmbench

import (
	"fmt"

	"xsmbench/bench"
)

// registerFSMore registers the sizes of lat_fs that the default suite leaves out.
func registerFSMore() {
	const most = 16
	for _, kb := range []int{1, 4} {
		for _, op := range []string{"create", "delete"} {
			register(bench.Benchmark{
				Name: fmt.Sprintf("lat_fs/op=%s/size=%dk", op, kb), Source: fmt.Sprintf("lat_fs -s %dk", kb), Full: true,
				Doc: fmt.Sprintf("%s a file of %d KiB, up to %d at a time (lmbench: files per second, as many as fit the window)", op, kb, most),
				Intervals: func(d bench.Domain) (bench.Interval, error) {
					f := newFileSet(d.OS(), kb<<10, most)
					if op == "delete" {
						return bench.Interval{Before: f.create, Loop: f.remove, Most: most}, nil
					}
					return bench.Interval{Loop: f.create, After: f.remove, Most: most}, nil
				},
			})
		}
	}
}
