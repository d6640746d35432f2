package history

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Outcome says what became of a run that was to be added.
type Outcome string

// Outcomes of Add.
const (
	New      Outcome = "added"
	Same     Outcome = "already there"
	Labelled Outcome = "already there; label changed"
	Extended Outcome = "replaced by its newer version"
	Older    Outcome = "not added: the history has a newer version"
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
	err = s.update(func(tx *sql.Tx, runs []Run) error {
		a.Repeats = repeats(runs, a.Run)
		i := slices.IndexFunc(runs, func(old Run) bool { return old.ID == a.ID })
		if i >= 0 && !a.supersedes(&runs[i], label) {
			if a.Outcome != Labelled {
				return nil
			}
			return relabel(tx, a.Run)
		}
		if err := remove(tx, a.ID); err != nil {
			return err
		}
		r.run = a.Run
		return r.put(tx)
	})
	if err != nil {
		return Added{}, fmt.Errorf("add run %s: %w", dir, err)
	}
	return a, nil
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

// repeats are the other runs that measured one of a run's images on its host.
func repeats(all []Run, run Run) []Run {
	var found []Run
	for _, other := range all {
		if other.ID != run.ID && other.Host == run.Host && slices.ContainsFunc(run.Images, func(image string) bool {
			return image != "" && slices.Contains(other.Images, image)
		}) {
			found = append(found, other)
		}
	}
	return found
}

// relabel stores a run's new label.
func relabel(tx *sql.Tx, run Run) error {
	text, err := json.Marshal(run)
	if err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE runs SET label = ?, record = ? WHERE id = ?", run.Label, string(text), run.ID)
	return err
}

// remove takes a run out, and with it what belongs to it.
func remove(tx *sql.Tx, id string) error {
	_, err := tx.Exec("DELETE FROM runs WHERE id = ?", id)
	return err
}

// Remove takes a run out of the store.
func (s *Store) Remove(run Run) error {
	if err := s.update(func(tx *sql.Tx, _ []Run) error { return remove(tx, run.ID) }); err != nil {
		return fmt.Errorf("remove run %s: %w", run.Short(), err)
	}
	return nil
}
