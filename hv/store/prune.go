package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Removed says what Prune or Clear did.
type Removed struct {
	Entries int // with workspaces
	Bytes   int64
	InUse   int // kept, since they are in use
	Earlier int // folders of versions of before the store
}

// Prune removes damaged entries, what processes that died and earlier versions
// have left, and of
// each registered kind what is above its bound, the least recently used first.
// It keeps what is in use, and workspaces that are not intact: their next
// holder may know how to use them.
func (s *Store) Prune() (Removed, error) {
	return s.removal("prune store", func(r *Removed) error {
		s.sweep()
		for _, kind := range s.kinds() {
			items, err := s.items(kind)
			if err != nil {
				return err
			}
			rest := slices.DeleteFunc(items, func(i item) bool {
				return i.Damage != "" && !i.Workspace && s.remove(i, r)
			})
			s.shrink(rest, boundOf(kind), r)
		}
		return s.removeEarlier(r)
	})
}

// Clear removes all that is not in use, or all of the kinds that are named. Without
// a name, what earlier versions have left goes, too.
func (s *Store) Clear(kinds ...string) (Removed, error) {
	return s.removal("clear store", func(r *Removed) error {
		s.sweep()
		for _, kind := range s.kinds() {
			if len(kinds) > 0 && !slices.Contains(kinds, kind) {
				continue
			}
			items, err := s.items(kind)
			if err != nil {
				return err
			}
			for _, i := range items {
				s.remove(i, r)
			}
		}
		if len(kinds) > 0 {
			return nil
		}
		return s.removeEarlier(r)
	})
}

func (s *Store) removal(what string, do func(*Removed) error) (r Removed, err error) {
	if s.readOnly {
		return r, fmt.Errorf("%s: %s cannot be written", what, s.top)
	}
	if err := do(&r); err != nil {
		return r, fmt.Errorf("%s: %w", what, err)
	}
	return r, nil
}

// boundOf is a kind's bound; a kind that this program does not know has none.
func boundOf(kind string) int64 {
	kindsMu.Lock()
	defer kindsMu.Unlock()
	return kinds[kind].Bound
}

// bound holds a kind to its bound, after something was added. What cannot be
// removed now is removed the next time.
func (s *Store) bound(k Kind) {
	s.sweepOld()
	if boundOf(k.Name) == 0 {
		return
	}
	if items, err := s.items(k.Name); err == nil {
		s.shrink(items, boundOf(k.Name), &Removed{})
	}
}

// shrink removes the least recently used until the rest is within a bound.
func (s *Store) shrink(items []item, bound int64, r *Removed) {
	if bound == 0 {
		return
	}
	var total int64
	for _, i := range items {
		total += i.Size
	}
	slices.SortStableFunc(items, func(a, b item) int { return a.Used.Compare(b.Used) })
	for _, i := range items {
		if total <= bound {
			return
		}
		if s.remove(i, r) {
			total -= i.Size
		}
	}
}

// remove removes an entry or a workspace unless it is in use, and says whether
// it is gone.
func (s *Store) remove(i item, r *Removed) bool {
	remove := s.removeEntry
	if i.Workspace {
		remove = s.removeWorkspace
	}
	switch err := remove(i.place); {
	case err == nil:
		r.Entries++
		r.Bytes += i.Size
		return true
	case errors.Is(err, errHeld):
		r.InUse++
	case errors.Is(err, fs.ErrNotExist): // another process was faster
		return true
	}
	return false
}

// removeEntry takes both locks, moves the entry away, and removes the locks'
// files before it gives them up.
func (s *Store) removeEntry(place string) error {
	making, err := tryLock(place+makeSuffix, exclusive)
	if err != nil {
		return err
	}
	defer making.release()
	use, err := tryLock(place+useSuffix, exclusive)
	if err != nil {
		return err
	}
	defer use.release()
	locks := func() {
		use.remove()
		making.remove()
	}
	if _, err := os.Lstat(place); err != nil {
		locks()
		return err
	}
	return s.discard(place, locks)
}

func (s *Store) removeWorkspace(place string) error {
	if _, err := os.Lstat(place); err != nil {
		return err
	}
	l, err := tryLock(filepath.Join(place, workspaceLock), exclusive)
	if err != nil {
		return err
	}
	defer l.release()
	return s.discard(place, l.release)
}

// sweepOld removes replaced entries that nobody uses any longer, and the locks
// of entries that are not there.
func (s *Store) sweepOld() {
	kinds, _ := os.ReadDir(s.entries())
	for _, k := range kinds {
		dir := filepath.Join(s.entries(), k.Name())
		found, _ := os.ReadDir(dir)
		for _, f := range found {
			path := filepath.Join(dir, f.Name())
			if place, _, is := strings.Cut(path, oldInfix); is {
				s.sweepReplaced(path, place)
			} else if ext := filepath.Ext(path); ext == makeSuffix || ext == useSuffix {
				sweepLocks(strings.TrimSuffix(path, ext))
			}
		}
	}
}

func (s *Store) sweepReplaced(old, place string) {
	making, err := tryLock(place+makeSuffix, exclusive)
	if err != nil {
		return
	}
	defer making.release()
	s.removeOld(old, place)
}

// sweepLocks removes the locks of an entry that is not there.
func sweepLocks(place string) {
	if _, err := os.Lstat(place); err == nil {
		return
	}
	making, err := tryLock(place+makeSuffix, exclusive)
	if err != nil {
		return
	}
	defer making.release()
	if _, err := os.Lstat(place); err == nil {
		return
	}
	use, err := tryLock(place+useSuffix, exclusive)
	if err != nil {
		return
	}
	use.remove()
	making.remove()
}
