package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Info describes what is at one place of the store.
type Info struct {
	Kind      string
	Key       Key
	What      string // "" if it does not say so
	Workspace bool
	Size      int64 // bytes, when it was made or closed
	Made      time.Time
	Used      time.Time // last
	InUse     bool
	Damage    string // why it will be made anew; "" if nothing is known
}

// item is an Info and where it is.
type item struct {
	Info
	place string
}

// List describes all entries and workspaces by kind. It does not verify them.
func (s *Store) List() ([]Info, error) {
	var list []Info
	for _, kind := range s.kinds() {
		items, err := s.items(kind)
		if err != nil {
			return nil, fmt.Errorf("list store: %w", err)
		}
		for _, i := range items {
			list = append(list, i.Info)
		}
	}
	return list, nil
}

// kinds are those that have a folder, also of programs that register others.
func (s *Store) kinds() []string {
	var names []string
	seen := map[string]bool{}
	for _, top := range []string{s.entries(), s.workspaces()} {
		found, _ := os.ReadDir(top)
		for _, f := range found {
			if f.IsDir() && !seen[f.Name()] {
				seen[f.Name()] = true
				names = append(names, f.Name())
			}
		}
	}
	return names
}

// items lists a kind's entries and workspaces.
func (s *Store) items(kind string) ([]item, error) {
	var items []item
	for _, top := range []string{s.entries(), s.workspaces()} {
		dir := filepath.Join(top, kind)
		found, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, f := range found {
			name, place := f.Name(), filepath.Join(dir, f.Name())
			switch {
			case !keyForm.MatchString(name):
			case top == s.entries():
				items = append(items, item{entryInfo(kind, place), place})
			default:
				items = append(items, item{workspaceInfo(kind, place), place})
			}
		}
	}
	return items, nil
}

func entryInfo(kind, place string) Info {
	i := Info{Kind: kind, Key: Key(filepath.Base(place)), InUse: held(place + useSuffix)}
	head, err := readHeader(filepath.Join(place, manifestName))
	if err != nil {
		i.Damage = "it has no manifest that can be read"
		i.Size = treeSize(place)
	} else {
		i.What, i.Size, i.Made = head.What, head.Size, head.Created
	}
	if text, err := os.ReadFile(filepath.Join(place, rejectedName)); err == nil {
		i.Damage = rejection(text)
	}
	i.Used = usedAt(place+useSuffix, place)
	return i
}

func workspaceInfo(kind, place string) Info {
	lock := filepath.Join(place, workspaceLock)
	i := Info{Kind: kind, Key: Key(filepath.Base(place)), Workspace: true, InUse: held(lock)}
	if a, err := readAbout(place); err == nil {
		i.What, i.Size, i.Made = a.What, a.Size, a.Created
	}
	if _, err := os.Lstat(filepath.Join(place, intactName)); err != nil && !i.InUse {
		i.Damage = "its last holder did not finish"
		i.Size = treeSize(filepath.Join(place, filesName))
	}
	i.Used = usedAt(lock, place)
	return i
}

// usedAt is the time of the lock, or of the place if there is none.
func usedAt(paths ...string) time.Time {
	for _, p := range paths {
		if info, err := os.Lstat(p); err == nil {
			return info.ModTime()
		}
	}
	return time.Time{}
}

// held says whether anybody holds a lock.
func held(path string) bool {
	if _, err := os.Lstat(path); err != nil {
		return false
	}
	l, err := tryLock(path, exclusive)
	if err == nil {
		l.release()
	}
	return errors.Is(err, errHeld)
}
