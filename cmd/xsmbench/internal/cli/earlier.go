package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"xsmbench/reports/table"
	"xsmbench/results"
	"xsmbench/results/history"
)

// earlierFlags name an earlier run: its directory, or a run of a history.
type earlierFlags struct {
	against, store, label string
	// itself tells that the earlier run may be the run itself, as with the ends of a
	// series if their images are the same.
	itself bool
}

func (f *earlierFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.against, "against", "", "compare each build with itself in this earlier run, not with the base")
	fs.StringVar(&f.store, "against-store", "", "like --against, with the last run in this history `file` (the last one with --label, if given)")
	fs.StringVar(&f.label, "label", "", "label of the run in --against-store")
}

// check refuses flags that contradict each other.
func (f *earlierFlags) check() error {
	switch {
	case f.against != "" && f.store != "":
		return errors.New("--against, --against-store: both name an earlier run; leave one out")
	case f.label != "" && f.store == "":
		return errors.New("--label: chooses a run of a history; name the history with --against-store")
	}
	return nil
}

// words are the flags as they were given.
func (f *earlierFlags) words() []string {
	switch {
	case f.against != "":
		return []string{"--against", f.against}
	case f.label != "":
		return []string{"--against-store", f.store, "--label", f.label}
	case f.store != "":
		return []string{"--against-store", f.store}
	}
	return nil
}

// read reads the earlier run, and says where it is from: "" if none is named.
func (f *earlierFlags) read(path string, run *results.Run) (before input, from string, err error) {
	switch {
	case f.store != "":
		before, from, err = f.stored(run)
		if err != nil {
			err = fmt.Errorf("--against-store: %w", err)
		}
	case f.against != "":
		if before, err = readInput(f.against); err != nil {
			return before, "", fmt.Errorf("--against: %w", err)
		}
		if !f.itself && sameRun(path, f.against, run, before.Run) {
			return before, "", fmt.Errorf("--against %s: this is the run %s itself; name an earlier one", f.against, path)
		}
		from = f.against
	}
	return before, from, err
}

// stored takes a run out of the history, into a directory that is removed again
// once it is read.
func (f *earlierFlags) stored(run *results.Run) (before input, from string, err error) {
	s, err := openStore(f.store)
	if err != nil {
		return before, "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	stored, err := f.choose(s, run)
	if err != nil {
		return before, "", err
	}
	files, err := s.Files(stored)
	if err != nil {
		return before, "", err
	}
	dir, err := os.MkdirTemp("", "xsmbench-")
	if err != nil {
		return before, "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := history.Restore(dir, files); err != nil {
		return before, "", err
	}
	before, err = readInput(dir)
	before.Dir = "" // soon there is none
	return before, fmt.Sprintf("%s in %s", table.RunName(stored), f.store), err
}

// choose is the last run with the label that is not the one to judge.
func (f *earlierFlags) choose(s *history.Store, run *results.Run) (history.Run, error) {
	all, err := s.Runs()
	if err != nil {
		return history.Run{}, err
	}
	var labels []string
	for _, r := range slices.Backward(all) {
		if r.Label != "" && !slices.Contains(labels, r.Label) {
			labels = append(labels, r.Label)
		}
		if (f.label == "" || r.Label == f.label) && !isRun(run, &r.Run) {
			return r, nil
		}
	}
	if f.label != "" {
		return history.Run{}, fmt.Errorf("%s has no earlier run with the label %s%s", s.Path(), f.label, suggest(f.label, labels))
	}
	return history.Run{}, fmt.Errorf("%s has no earlier run", s.Path())
}

// isRun reports whether two run.json are of one run.
func isRun(x, y *results.Run) bool {
	return x != nil && y != nil && !x.Started.IsZero() && x.Started.Equal(y.Started) && slices.Equal(x.Command, y.Command)
}
