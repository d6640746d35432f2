package history

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/bbolt"
)

// get is a run by its whole ID, nil if there is none.
func get(tx *bbolt.Tx, id string) (*Run, error) {
	b, err := bucket(tx, runsBucket)
	if err != nil {
		return nil, err
	}
	value := b.Get([]byte(id))
	if value == nil {
		return nil, nil
	}
	run, err := decodeRun(id, value)
	return &run, err
}

// decodeRun reads a stored run.
func decodeRun(id string, value []byte) (Run, error) {
	var run Run
	if err := unpackJSON(value, &run); err != nil {
		return Run{}, fmt.Errorf("run %s: %v: %w", id, err, errContent)
	}
	if run.ID != id {
		return Run{}, fmt.Errorf("run %s calls itself %s: %w", id, run.ID, errContent)
	}
	return run, nil
}

// Runs lists the runs in the order in which they started.
func (s *Store) Runs() ([]Run, error) {
	var all []Run
	err := s.view(func(tx *bbolt.Tx) error {
		b, err := bucket(tx, runsBucket)
		if err != nil {
			return err
		}
		return b.ForEach(func(k, v []byte) error {
			run, err := decodeRun(string(k), v)
			all = append(all, run)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b Run) int {
		return cmp.Or(a.Run.Started.Compare(b.Run.Started), strings.Compare(a.ID, b.ID))
	})
	return all, nil
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
		ids = append(ids, r.Short())
	}
	return Run{}, fmt.Errorf("%q means %d runs: %s; name one by the start of its ID", word, len(found), strings.Join(ids, ", "))
}

// File is a file of a run directory.
type File struct {
	Name string // with slashes
	Text []byte
}

// Files gives back what the run directory held.
func (s *Store) Files(run Run) ([]File, error) {
	var files []File
	err := s.view(func(tx *bbolt.Tx) error {
		b, err := bucket(tx, filesBucket)
		if err != nil {
			return err
		}
		for _, name := range run.Files {
			text, err := unpack(b.Get(fileKey(run.ID, name)))
			if err != nil {
				return fmt.Errorf("%s of run %s: %v: %w", name, run.ID, err, errContent)
			}
			files = append(files, File{name, text})
		}
		return nil
	})
	return files, err
}

// Each calls take with every run in the order of Runs and what it measured.
// Series of one build that had several images (layouts) come once per image.
func (s *Store) Each(take func(Run, []Series) error) error {
	runs, err := s.Runs()
	if err != nil {
		return err
	}
	return s.view(func(tx *bbolt.Tx) error {
		b, err := bucket(tx, samplesBucket)
		if err != nil {
			return err
		}
		for _, run := range runs {
			series, err := seriesOf(b, run)
			if err != nil {
				return err
			}
			if err := take(run, series); err != nil {
				return err
			}
		}
		return nil
	})
}

func seriesOf(samples *bbolt.Bucket, run Run) ([]Series, error) {
	var all []Series
	for _, image := range run.Images {
		var part []Series
		if err := unpackJSON(samples.Get(sampleKey(run.Host, image, run.ID)), &part); err != nil {
			return nil, fmt.Errorf("samples of run %s: %v: %w", run.ID, err, errContent)
		}
		all = append(all, part...)
	}
	return all, nil
}
