package history

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// readRuns reads all runs in the order in which they started, and checks that
// they are those that were written.
func readRuns(tx *sql.Tx) ([]Run, error) {
	var all []*Run
	var got []byte
	records := make(chan undecoded, rowsAhead)
	group, ctx := errgroup.WithContext(context.Background())
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error { return decode(records) })
	}
	group.Go(func() (err error) {
		defer close(records)
		got, err = digest(tx, func(record string) error {
			run := &Run{}
			all = append(all, run)
			select {
			case records <- undecoded{record, run}:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var want []byte
	if err := tx.QueryRow("SELECT digest FROM seal").Scan(&want); errors.Is(err, sql.ErrNoRows) || err == nil && !bytes.Equal(got, want) {
		return nil, fmt.Errorf("rows of runs and builds: %w", errContent)
	} else if err != nil {
		return nil, err
	}
	runs := make([]Run, len(all))
	for i, r := range all {
		runs[i] = *r
	}
	slices.SortFunc(runs, inOrder)
	return runs, nil
}

// undecoded is a run's record, and the run that it becomes.
type undecoded struct {
	record string
	run    *Run
}

// decode decodes records until there are no more.
func decode(records <-chan undecoded) error {
	var before benchmarkList
	for r := range records {
		if err := before.decode(r.record, r.run); err != nil {
			return fmt.Errorf("a run's record: %v: %w", err, errContent)
		}
	}
	return nil
}

// inOrder is that in which runs started.
func inOrder(a, b Run) int {
	return cmp.Or(a.Run.Started.Compare(b.Run.Started), strings.Compare(a.ID, b.ID))
}

// Runs lists the runs in the order in which they started.
func (s *Store) Runs() (all []Run, err error) {
	err = s.view(func(tx *sql.Tx) error {
		all, err = readRuns(tx)
		return err
	})
	return all, err
}

// Find is the run that a word means: the start of an ID, a label, or "last".
func (s *Store) Find(word string) (Run, error) {
	all, err := s.Runs()
	if err != nil {
		return Run{}, err
	}
	if word == "last" && len(all) > 0 {
		return all[len(all)-1], nil
	}
	var found []Run
	for _, r := range all {
		if word != "" && (r.Label == word || strings.HasPrefix(r.ID, word)) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return Run{}, fmt.Errorf("no run %q among the %d of %s: name one by the start of its ID, its label, or \"last\"", word, len(all), s.path)
	case 1:
		return found[0], nil
	}
	var ids []string
	for _, r := range found {
		ids = append(ids, r.ID[:digits(r, all)])
	}
	return Run{}, fmt.Errorf("%q means %d runs: %s; name one by the start of its ID", word, len(found), strings.Join(ids, ", "))
}

// LeastDigits is how many digits of an ID name a run that is to be removed: a
// slip of the finger must not be the name of another one.
const LeastDigits = 4

// FindExactly is Find for what cannot be taken back: the start of an ID has at
// least LeastDigits.
func (s *Store) FindExactly(word string) (Run, error) {
	r, err := s.Find(word)
	if err != nil || r.Label == word || word == "last" || len(word) >= LeastDigits {
		return r, err
	}
	all, err := s.Runs()
	if err != nil {
		return Run{}, err
	}
	return Run{}, fmt.Errorf("%q is too short to remove a run by: give at least %d digits of its ID, %s", word, LeastDigits, r.ID[:digits(r, all)])
}

// digits is how many digits of a run's ID tell it from all others, at least
// LeastDigits.
func digits(r Run, all []Run) int {
	n := LeastDigits
	for _, o := range all {
		for o.ID != r.ID && n < len(r.ID) && strings.HasPrefix(o.ID, r.ID[:n]) {
			n++
		}
	}
	return min(n, len(r.ID))
}

// File is a file of a run directory.
type File struct {
	Name string // with slashes
	Text []byte
}

// Files gives back what the run directory held.
func (s *Store) Files(run Run) ([]File, error) {
	r := record{run: run, files: map[string][]byte{}}
	var files []File
	err := s.view(func(tx *sql.Tx) error {
		for _, name := range run.Files {
			var packed []byte
			err := tx.QueryRow("SELECT text FROM files WHERE run = ? AND name = ?", run.ID, name).Scan(&packed)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			text, err := unpack(packed)
			if err != nil {
				return fmt.Errorf("%s of run %s: %v: %w", name, run.ID, err, errContent)
			}
			r.files[name] = text
			files = append(files, File{name, text})
		}
		if r.content() != run.Content {
			return fmt.Errorf("files of run %s: %w", run.ID, errContent)
		}
		return nil
	})
	return files, err
}

// Each calls take with every run in the order of Runs and what it measured.
// Series of one build that had several images (layouts) come once per image.
// While take has one run, the next ones are read.
func (s *Store) Each(take func(Run, []Series) error) error {
	return s.view(func(tx *sql.Tx) (err error) {
		runs, err := readRuns(tx)
		if err != nil {
			return err
		}
		reader, err := s.reader(tx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, reader.close()) }()
		group, ctx := errgroup.WithContext(context.Background())
		read := make(chan stored, mostAhead)
		group.Go(func() error {
			defer close(read)
			for _, run := range runs {
				series, err := reader.read(run.ID)
				if err != nil {
					return fmt.Errorf("samples of run %s: %w", run.ID, err)
				}
				select {
				case read <- series:
				case <-ctx.Done():
					return nil // take has failed, and says why
				}
			}
			return nil
		})
		group.Go(func() error {
			i := 0
			for r := range read {
				all, err := r.series()
				if err != nil {
					return fmt.Errorf("samples of run %s: %w", runs[i].ID, err)
				}
				if err := take(runs[i], all); err != nil {
					return err
				}
				i++
			}
			return nil
		})
		return group.Wait()
	})
}

// mostAhead is how many runs are read before they are taken.
const mostAhead = 16

// reader reads what runs measured.
type reader interface {
	read(run string) (stored, error)
	close() error
}

// stored is what a run measured, as it was read and not yet checked.
type stored interface{ series() ([]Series, error) }

// reader reads sheets, or in a store that has none yet rows.
func (s *Store) reader(tx *sql.Tx) (reader, error) {
	switch layout, err := s.layout(tx); {
	case err != nil:
		return nil, err
	case layout == older:
		return newSeriesReader(tx)
	}
	return newSheetReader(tx)
}
