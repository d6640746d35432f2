package history

import (
	"bytes"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// Outcome says what became of a run that was to be added.
type Outcome string

// Outcomes of Add.
const (
	New      Outcome = "added"
	Same     Outcome = "already there"
	Labelled Outcome = "already there, has a new label"
	Extended Outcome = "replaced by what it has become since"
	Older    Outcome = "not added: the history has more of it"
)

// Added is the result of Add.
type Added struct {
	Run
	Outcome Outcome
	// Repeats are the other runs that measured one of this run's images on
	// this host: what they differ in is noise.
	Repeats []Run
}

// Add stores a run directory, all of it or nothing. A label that is not empty
// becomes the run's.
func (s *Store) Add(dir, label string) (Added, error) {
	r, err := readRecord(dir)
	if err != nil {
		return Added{}, fmt.Errorf("add run: %w", err)
	}
	a := Added{Run: r.run, Outcome: New}
	a.Label, a.Added = label, time.Now().UTC().Truncate(time.Second)
	err = s.update(func(tx *bbolt.Tx) error {
		old, err := get(tx, a.ID)
		if err != nil {
			return err
		}
		if old != nil && !a.supersedes(old, label) {
			if a.Outcome != Labelled {
				return nil
			}
			return putRun(tx, a.Run)
		}
		if old != nil {
			if err := remove(tx, *old); err != nil {
				return err
			}
		}
		r.run = a.Run
		return r.put(tx)
	})
	if err != nil {
		return Added{}, fmt.Errorf("add run %s: %w", dir, err)
	}
	a.Repeats, err = s.repeats(a.Run, r)
	return a, err
}

// supersedes compares with what there is of the run, and reports whether the
// files are to be replaced.
func (a *Added) supersedes(old *Run, label string) bool {
	if a.Label == "" {
		a.Label = old.Label
	}
	switch {
	case old.Content == a.Content || old.Boots > a.Boots:
		a.Outcome = Same
		if old.Content != a.Content {
			a.Outcome = Older
		}
		a.Run = *old
		if label != "" && label != old.Label {
			a.Label, a.Outcome = label, Labelled
		}
		return false
	}
	a.Outcome = Extended
	return true
}

func putRun(tx *bbolt.Tx, run Run) error {
	value, err := packJSON(run)
	if err != nil {
		return err
	}
	b, err := bucket(tx, runsBucket)
	if err != nil {
		return err
	}
	return b.Put([]byte(run.ID), value)
}

func (r *record) put(tx *bbolt.Tx) error {
	if err := putRun(tx, r.run); err != nil {
		return err
	}
	files, err := bucket(tx, filesBucket)
	if err != nil {
		return err
	}
	for _, name := range r.run.Files {
		value, err := pack(r.files[name])
		if err != nil {
			return err
		}
		if err := files.Put(fileKey(r.run.ID, name), value); err != nil {
			return err
		}
	}
	samples, err := bucket(tx, samplesBucket)
	if err != nil {
		return err
	}
	for image, series := range r.images {
		value, err := packJSON(series)
		if err != nil {
			return err
		}
		if err := samples.Put(sampleKey(r.run.Host, image, r.run.ID), value); err != nil {
			return err
		}
	}
	return nil
}

func fileKey(id, name string) []byte { return []byte(id + "/" + name) }

func sampleKey(host, image, id string) []byte { return []byte(host + "\x00" + image + "\x00" + id) }

// remove takes a run out.
func remove(tx *bbolt.Tx, run Run) error {
	runs, err := bucket(tx, runsBucket)
	if err != nil {
		return err
	}
	if err := runs.Delete([]byte(run.ID)); err != nil {
		return err
	}
	files, err := bucket(tx, filesBucket)
	if err != nil {
		return err
	}
	for _, name := range run.Files {
		if err := files.Delete(fileKey(run.ID, name)); err != nil {
			return err
		}
	}
	samples, err := bucket(tx, samplesBucket)
	if err != nil {
		return err
	}
	for _, image := range run.Images {
		if err := samples.Delete(sampleKey(run.Host, image, run.ID)); err != nil {
			return err
		}
	}
	return nil
}

// Remove takes a run out of the store.
func (s *Store) Remove(run Run) error {
	if err := s.update(func(tx *bbolt.Tx) error { return remove(tx, run) }); err != nil {
		return fmt.Errorf("remove run %s: %w", run.Short(), err)
	}
	return nil
}

// repeats finds the other runs of the record's images on its host.
func (s *Store) repeats(run Run, r *record) ([]Run, error) {
	others := map[string]bool{}
	err := s.view(func(tx *bbolt.Tx) error {
		samples, err := bucket(tx, samplesBucket)
		if err != nil {
			return err
		}
		for image := range r.images {
			if image == "" {
				continue
			}
			prefix := sampleKey(run.Host, image, "")
			c := samples.Cursor()
			for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
				if id := string(k[len(prefix):]); id != run.ID {
					others[id] = true
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all, err := s.Runs()
	if err != nil {
		return nil, err
	}
	var found []Run
	for _, r := range all {
		if others[r.ID] {
			found = append(found, r)
		}
	}
	return found, nil
}
