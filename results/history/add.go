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
	all, err := s.add([]*record{r}, label)
	if err != nil {
		return Added{}, fmt.Errorf("add run %s: %w", dir, err)
	}
	return all[0], nil
}

// mostAtOnce is how many runs AddAll adds in one transaction, for which others
// wait. What a transaction costs by itself grows with the history: all rows of its
// runs are read, and hashed again.
const mostAtOnce = 100

// AddAll stores run directories as Add does, many of them in the time of a few. It
// calls done with each in their order, once it is stored. A directory that cannot be
// read leaves those before it added. A store that cannot be written leaves those added
// of which done was told.
func (s *Store) AddAll(dirs []string, label string, done func(dir string, a Added)) error {
	for some := range slices.Chunk(dirs, mostAtOnce) {
		if err := s.addSome(some, label, done); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) addSome(dirs []string, label string, done func(dir string, a Added)) error {
	var records []*record
	var unread error
	for _, dir := range dirs {
		r, err := readRecord(dir)
		if err != nil {
			unread = fmt.Errorf("add run: %w", err)
			break
		}
		records = append(records, r)
	}
	if len(records) == 0 {
		return unread
	}
	all, err := s.add(records, label)
	if err != nil {
		return fmt.Errorf("add runs %s to %s: %w", dirs[0], dirs[len(records)-1], err)
	}
	for i, a := range all {
		done(dirs[i], a)
	}
	return unread
}

// add stores records, all of them or none.
func (s *Store) add(records []*record, label string) (all []Added, err error) {
	err = s.update(func(tx *sql.Tx, runs []Run) error {
		all = make([]Added, len(records))
		for i, r := range records {
			a := Added{Run: r.run, Outcome: New}
			a.Label, a.Added = label, time.Now().UTC().Truncate(time.Second)
			if err := a.add(tx, r, runs, label); err != nil {
				return err
			}
			all[i], runs = a, with(runs, a.Run)
		}
		return nil
	})
	return all, err
}

// add stores a record among the runs that there are.
func (a *Added) add(tx *sql.Tx, r *record, runs []Run, label string) error {
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
}

// with are runs and one more, or its newer version, in their order.
func with(runs []Run, run Run) []Run {
	i, found := slices.BinarySearchFunc(runs, run, inOrder)
	if found {
		runs[i] = run
		return runs
	}
	return slices.Insert(runs, i, run)
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
	r, err := tx.Exec("DELETE FROM runs WHERE id = ?", id)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return err
	}
	_, err = tx.Exec("DELETE FROM outlines WHERE NOT EXISTS (SELECT 1 FROM sheets WHERE outline = digest)")
	return err
}

// Remove takes a run out of the store.
func (s *Store) Remove(run Run) error {
	if err := s.update(func(tx *sql.Tx, _ []Run) error { return remove(tx, run.ID) }); err != nil {
		return fmt.Errorf("remove run %s: %w", run.Short(), err)
	}
	return nil
}
