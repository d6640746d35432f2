package results

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Source is something that samples are read from: a run directory, or a file in
// Go's benchmark format, which may be compressed by gzip, the output of go test
// -json, or a pipe.
type Source struct {
	Path string
	// Label names the build of a file's samples, whatever the file says; ""
	// leaves that to the file. A directory has none.
	Label string
	// In is read in place of a file, as standard input is; nil for a file.
	In io.Reader
}

// Sources are those of paths.
func Sources(paths ...string) []Source {
	all := make([]Source, len(paths))
	for i, p := range paths {
		all[i] = Source{Path: p}
	}
	return all
}

// Found is what there is to say of what was read, beside the samples.
type Found struct {
	Problems []Problem
	Units    Units
	Files    []Input // in the order of the sources
}

// Input is a file that was read.
type Input struct {
	Path    string
	Build   string // of its samples, the first if there are several
	Samples int
	// Reason says why it has no sample, "" if it has some.
	Reason string
	// Expected tells that a run may leave such a file behind.
	Expected bool
	// Told tells that lines of the file are among the problems.
	Told bool
	// NoText tells that it is of another kind altogether.
	NoText bool
}

// filesOf lists what a source stands for: a file, or those of a run.
func filesOf(s Source) ([]*file, error) {
	if s.In != nil {
		return []*file{{path: s.Path, in: s.In, label: s.Label, name: nameOf(s.Path), given: true}}, nil
	}
	info, err := os.Stat(s.Path)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir():
		return []*file{{path: s.Path, pipe: !info.Mode().IsRegular(), label: s.Label, name: nameOf(s.Path), given: true}}, nil
	case s.Label != "":
		return nil, &fs.PathError{Op: "label " + s.Label, Path: s.Path, Err: fmt.Errorf("is a directory, whose files name their builds: a label is for a file")}
	}
	paths, err := sampleFiles(s.Path)
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s holds no results: no %s", s.Path, filepath.Join(samplesDir, "*.txt"))
	}
	var all []*file
	for _, p := range paths {
		all = append(all, &file{path: p, name: nameOf(p)})
	}
	return all, nil
}

// extensions are left out of the name that a file gives its build.
var extensions = []string{".gz", ".txt", ".json", ".bench", ".out"}

// nameOf is the build that a file stands for which names none.
func nameOf(path string) string {
	name := filepath.Base(path)
	for _, ext := range extensions {
		if short := strings.TrimSuffix(name, ext); short != "" {
			name = short
		}
	}
	return name
}

// tellApart gives the files names that differ, by as much of their paths as that
// takes.
func tellApart(files []*file) {
	clash := func() map[string]int {
		n := map[string]int{}
		for _, f := range files {
			n[f.name]++
		}
		return n
	}
	for depth := 1; depth <= 3; depth++ {
		for name, n := range clash() {
			for _, f := range files {
				if n > 1 && f.name == name {
					f.name = tail(f.path, depth)
				}
			}
		}
	}
	seen := map[string]int{}
	for _, f := range files {
		if seen[f.name]++; seen[f.name] > 1 {
			f.name = fmt.Sprintf("%s#%d", f.name, seen[f.name])
		}
	}
}

// tail is the last elements of a path; all of it from the third on.
func tail(path string, elements int) string {
	if elements > 2 {
		return path
	}
	parts := strings.Split(filepath.ToSlash(filepath.Clean(path)), "/")
	return strings.Join(parts[max(0, len(parts)-elements):], "/")
}

// spot is what a file measured, apart from the values.
type spot struct {
	build, arch, domain, domU string
	Platform
}

// named are the files that may have to name a build: those that somebody gave,
// if there is nothing else, and has not labelled.
func named(files []*file) []*file {
	if slices.ContainsFunc(files, func(f *file) bool { return !f.given }) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(files), func(f *file) bool { return f.label != "" })
}

// label names the builds of files by the files where those do not: where they
// name none, as a reading has it, or all name the same and two measured it in the
// same place. It tells whether that was so.
func label(files []*file) bool {
	named := named(files)
	builds, seen, again := map[string]bool{}, map[spot]bool{}, false
	for _, f := range files {
		for _, s := range f.spots {
			switch {
			case f.label != "":
				s.build = f.label
			case s.build == "":
				s.build = f.name
			}
			builds[s.build] = true
			again = again || seen[s]
		}
		for _, s := range f.spots {
			if f.label == "" && s.build != "" {
				seen[s] = true
			}
		}
	}
	if len(builds) == 1 && again {
		for _, f := range named {
			f.label = f.name
		}
		return len(named) > 0
	}
	return false
}

// addSpot notes what a file measured.
func (f *file) addSpot(s spot) {
	if !slices.Contains(f.spots, s) {
		f.spots = append(f.spots, s)
	}
}
