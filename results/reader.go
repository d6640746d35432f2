package results

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"

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
	var parts [][]Sample
	problems, err := Walk(paths, func(boots []int) []Taker {
		parts = make([][]Sample, len(boots))
		takers := make([]Taker, len(boots))
		for i := range takers {
			part := &parts[i]
			takers[i] = func(s *Sample, windows func() []float64) {
				c := *s
				c.Values, c.Windows, c.Warnings = slices.Clone(s.Values), append(c.Windows, windows()...), append(c.Warnings[:0:0], s.Warnings...)
				*part = append(*part, c)
			}
		}
		return takers
	})
	if err != nil {
		return nil, nil, err
	}
	return slices.Concat(parts...), problems, nil
}

// Taker takes samples, one after the other. A sample comes without its windows;
// the function gives them, and is not to be called later. What both refer to is
// overwritten by the next sample.
type Taker func(s *Sample, windows func() []float64)

// nobody takes a sample.
func nobody(*Sample, func() []float64) {}

// Begin returns what takes the samples of each file, in the order of the files,
// and gets about how many boots each has: at most twice as many as it has. It may
// be called again. Then what was taken before is void: all files are read once
// more.
type Begin func(boots []int) []Taker

// Walk is WalkSources of paths, and tells what could not be used.
func Walk(paths []string, begin Begin) ([]Problem, error) {
	found, err := WalkSources(Sources(paths...), begin)
	for _, f := range found.Files {
		if f.NoText {
			found.Problems = append(found.Problems, Problem{File: shown(f.Path), Text: "no sample in it: " + f.Reason})
		}
	}
	return found.Problems, err
}

// WalkSources reads the samples of run directories and of files in Go's benchmark
// format. Where a round was booted again after an interruption, each build and
// domain has the samples of its last finished boot, or of its last boot if none
// finished.
//
// Files are read side by side, and the samples of each come in the order of its
// lines. No more than one sample of each file is in memory at a time.
func WalkSources(sources []Source, begin Begin) (Found, error) {
	found := Found{Units: Units{}}
	var files []*file
	for _, s := range sources {
		of, err := filesOf(s)
		if err != nil {
			return found, fmt.Errorf("read results: %w", err)
		}
		files = append(files, of...)
	}
	defer func() {
		for _, f := range files {
			f.close()
		}
	}()
	tellApart(named(files))
	if err := read(files, begin); err != nil {
		return found, fmt.Errorf("read results: %w", err)
	}
	for _, f := range files {
		noText := f.kind == isBinary || f.kind == isUTF16
		if f.count > 0 || !noText {
			found.Problems = append(found.Problems, f.problems...)
		}
		found.Units.join(f.units)
		input := Input{Path: f.path, Build: f.build, Samples: f.count}
		if f.count == 0 {
			input.NoText, input.Told = noText, len(f.problems) > 0 && !noText
			input.Reason, input.Expected = f.reason(), !f.given && len(f.problems) == 0 && (f.kind == isEmpty || f.kind == isText)
		}
		found.Files = append(found.Files, input)
	}
	for _, s := range sources {
		found.Problems = append(found.Problems, unread(s.Path)...)
	}
	found.Problems = append(found.Problems, notes(files)...)
	return found, nil
}

// read reads all files: once, and again if what all of them show makes samples
// others than they were taken for.
func read(files []*file, begin Begin) error {
	boots := make([]int, len(files))
	if err := each(files, func(i int, f *file) (err error) {
		boots[i], err = f.guess()
		return err
	}); err != nil {
		return err
	}
	once := func() error {
		takers := begin(boots)
		return each(files, func(i int, f *file) error {
			return f.open(func(r io.Reader) error { return f.samples(r, takers[i]) })
		})
	}
	if err := once(); err != nil {
		return err
	}
	again := label(files)
	again = choose(files) || again
	for i, f := range files {
		again = again || f.misread || boots[i] > 2*len(f.boots)
		boots[i] = len(f.boots)
	}
	if !again {
		return nil
	}
	return once()
}

// each does the same to all files, as many at a time as there are processors.
func each(files []*file, do func(i int, f *file) error) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range files {
		group.Go(func() error { return do(i, f) })
	}
	return group.Wait()
}

// sampleFiles lists the files of a run directory.
func sampleFiles(path string) ([]string, error) {
	t, err := openTree(path)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	names, problems, err := t.list(t.samplesIn(), ".txt")
	if err == nil && names == nil && problems != nil {
		err = errors.New(problems[0].String())
	}
	var files []string
	for _, name := range names {
		files = append(files, t.place(name))
	}
	return files, err
}

// unread are the files of a run directory that are not read, since they are not
// files, or are not in it.
func unread(path string) []Problem {
	t, err := openTree(path)
	if err != nil {
		return nil // a file
	}
	defer t.Close()
	_, problems, err := t.list(t.samplesIn(), ".txt")
	if err != nil {
		return nil // sampleFiles has said so
	}
	return problems
}
