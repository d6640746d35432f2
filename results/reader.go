package results

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Contents is a run directory as it was read.
type Contents struct {
	Path     string
	Run      Run
	Samples  []Sample
	Problems []Problem
}

// Open reads a run directory.
func Open(dir string) (*Contents, error) {
	run, err := ReadRun(dir)
	if err != nil {
		return nil, err
	}
	samples, problems, err := ReadFiles(dir)
	if err != nil {
		return nil, err
	}
	return &Contents{dir, run, samples, problems}, nil
}

// ReadFiles reads the samples that Walk gives, in the order of the files and
// lines.
func ReadFiles(paths ...string) ([]Sample, []Problem, error) {
	var parts []*[]Sample
	problems, err := Walk(paths, func(int) Taker {
		part := new([]Sample)
		parts = append(parts, part)
		return func(s *Sample, windows func() []float64) {
			c := *s
			c.Values, c.Windows, c.Warnings = slices.Clone(s.Values), append(c.Windows, windows()...), append(c.Warnings[:0:0], s.Warnings...)
			*part = append(*part, c)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	var samples []Sample
	for _, p := range parts {
		samples = append(samples, *p...)
	}
	return samples, problems, nil
}

// Taker takes samples, one after the other. A sample comes without its windows;
// the function gives them, and is not to be called later. What both refer to is
// overwritten by the next sample.
type Taker func(s *Sample, windows func() []float64)

// Walk reads the samples of run directories and of files in Go's benchmark
// format. Where a round was booted again after an interruption, each build and
// domain has the samples of its last finished boot, or of its last boot if none
// finished.
//
// Files are read side by side: begin is called for each file in their order,
// with the number of its boots, before any is read, and returns what takes the file's samples in the order
// of its lines. No more than one sample of each file is in memory at a time.
func Walk(paths []string, begin func(boots int) Taker) ([]Problem, error) {
	var files []*file
	for _, path := range paths {
		found, err := sampleFiles(path)
		if err != nil {
			return nil, fmt.Errorf("read results: %w", err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("read results: %s holds no results: no %s", path, filepath.Join(samplesDir, "*.txt"))
		}
		for _, p := range found {
			files = append(files, &file{path: p})
		}
	}
	if err := each(files, (*file).survey); err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	choose(files)
	takers := map[*file]Taker{}
	for _, f := range files {
		takers[f] = begin(len(f.boots))
	}
	err := each(files, func(f *file, r io.Reader) error { return f.samples(r, takers[f]) })
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	var problems []Problem
	for _, f := range files {
		problems = append(problems, f.problems...)
	}
	return append(problems, notes(files)...), nil
}

// each does the same to all files, as many at a time as there are processors.
func each(files []*file, do func(*file, io.Reader) error) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, f := range files {
		group.Go(func() error { return f.open(do) })
	}
	return group.Wait()
}

func (f *file) open(do func(*file, io.Reader) error) error {
	r, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer r.Close()
	return do(f, r)
}

// sampleFiles lists what a path stands for: a file, or those of a run.
func sampleFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	dir := path
	if sub := filepath.Join(path, samplesDir); isDir(sub) {
		dir = sub
	}
	files, err := filepath.Glob(filepath.Join(escape(dir), "*.txt"))
	if err != nil {
		return nil, err
	}
	return files, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// escape makes a path a pattern that matches only itself.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
