package lmbench

import (
	"fmt"

	"xsmbench/bench"
)

// registerFS registers lat_fs on the domain's file system in memory, and registerFSMore
// the sizes that the default suite leaves out.
func registerFS() {
	registerFiles(0, 64, false)
	registerFiles(10, 16, false)
}

func registerFSMore() {
	registerFiles(1, 16, true)
	registerFiles(4, 16, true)
}

// registerFiles registers files of a size, of which a domain has room for so many.
func registerFiles(kb int, most int64, full bool) {
	for _, op := range []string{"create", "delete"} {
		register(bench.Benchmark{
			Name:   fmt.Sprintf("lat_fs/op=%s/size=%dk", op, kb),
			Source: fmt.Sprintf("lat_fs -s %dk", kb), Full: full,
			Doc: fmt.Sprintf("%s a file of %d KiB, in a domain up to %d at a time (lmbench: files per second, as many as fit the window)", op, kb, most),
			Intervals: func(d bench.Domain) (bench.Interval, error) {
				return newFileSet(d.OS(), kb<<10, most).interval(op == "create"), nil
			},
		})
	}
}

// mostInDirectory is how many files or directories lat_fs has in a directory (-n).
const mostInDirectory = 100

// largestWrite is how much of a file it writes at a time.
const largestWrite = 128 << 10

// fileSet is files to create and remove.
type fileSet struct {
	os    bench.OS
	most  int64       // at a time, 0 for no limit
	roomy bench.Roomy // nil if there is a limit
	size  int
	data  []byte
	names []string
	dirs  []string
}

func newFileSet(os bench.OS, size int, most int64) *fileSet {
	f := &fileSet{os: os, most: most, size: size, data: make([]byte, min(size, largestWrite))}
	if r, ok := os.(bench.Roomy); ok && r.ManyFiles() {
		f.roomy, f.most = r, 0
		return f
	}
	for i := range most {
		f.names = append(f.names, fmt.Sprintf("/tmp/lat_fs.%d", i))
	}
	return f
}

// interval times one of the two operations. The other undoes it.
func (f *fileSet) interval(creates bool) bench.Interval {
	if creates {
		return bench.Interval{Before: f.ready, Loop: f.create, After: both(f.remove, f.tidy), Most: f.most, Cleanup: f.clear}
	}
	return bench.Interval{Before: both(f.ready, f.create), Loop: f.remove, After: f.tidy, Most: f.most, Cleanup: f.clear}
}

// clear removes what a window left that failed, as on a full file system: the next
// benchmark begins with no files.
func (f *fileSet) clear() {
	if f.roomy == nil {
		return
	}
	for _, name := range f.names {
		f.os.Unlink(name)
	}
	for i := len(f.dirs) - 1; i >= 0; i-- {
		f.roomy.Rmdir(f.dirs[i])
	}
}

func both(a, b bench.Loop) bench.Loop {
	return func(n int64) error {
		if err := a(n); err != nil {
			return err
		}
		return b(n)
	}
}

// ready names n files. Where there is room for many, they lie in directories of a
// hundred, and these in others, as setup_names has them.
func (f *fileSet) ready(n int64) error {
	if f.roomy == nil {
		return nil
	}
	depth := 0
	for held := int64(mostInDirectory); held < n; held *= mostInDirectory {
		depth++
	}
	f.names, f.dirs = f.names[:0], f.dirs[:0]
	return f.fill("/tmp/lat_fs", depth, int(n))
}

// fill makes a directory, and below it what holds the files that are yet to be named.
func (f *fileSet) fill(dir string, depth, n int) error {
	if err := f.roomy.Mkdir(dir); err != nil {
		return fmt.Errorf("make directory %s: %w", dir, err)
	}
	f.dirs = append(f.dirs, dir)
	for i := 0; i < mostInDirectory && len(f.names) < n; i++ {
		name := fmt.Sprintf("%s/%d", dir, i)
		if depth == 0 {
			f.names = append(f.names, name)
		} else if err := f.fill(name, depth-1, n); err != nil {
			return err
		}
	}
	return nil
}

// tidy removes the directories.
func (f *fileSet) tidy(int64) error {
	for i := len(f.dirs) - 1; i >= 0; i-- {
		if err := f.roomy.Rmdir(f.dirs[i]); err != nil {
			return fmt.Errorf("remove directory %s: %w", f.dirs[i], err)
		}
	}
	f.dirs = f.dirs[:0]
	return nil
}

func (f *fileSet) create(n int64) error {
	for n--; n >= 0; n-- {
		if err := f.createOne(f.names[n]); err != nil {
			return err
		}
	}
	return nil
}

func (f *fileSet) createOne(name string) error {
	fd, err := f.os.Open(name, bench.O_WRONLY|bench.O_CREAT|bench.O_TRUNC)
	if err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	for left := f.size; left > 0; left -= len(f.data) {
		b := f.data[:min(left, len(f.data))]
		if k, err := f.os.Write(fd, b); k != len(b) {
			return fmt.Errorf("write %s: %d bytes written: %w", name, k, cause(err))
		}
	}
	if err := f.os.Close(fd); err != nil {
		return fmt.Errorf("close %s: %w", name, err)
	}
	return nil
}

func (f *fileSet) remove(n int64) error {
	for n--; n >= 0; n-- {
		if err := f.os.Unlink(f.names[n]); err != nil {
			return fmt.Errorf("unlink %s: %w", f.names[n], err)
		}
	}
	return nil
}
