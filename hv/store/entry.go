package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Recipe says how an entry is made.
type Recipe struct {
	What string // in words for the user: "Xen native"
	// Make fills an empty folder, which is elsewhere when it is an entry. It is
	// called while nobody else makes the entry, and may use other entries and
	// workspaces; who holds a workspace must not get an entry whose Make waits
	// for the workspace.
	Make     func(ctx context.Context, dir string) error
	Progress func(string) // may be nil
	// Check tries an entry that another machine has made, in a folder that is
	// not its place; nil: what is complete does on every machine.
	Check func(ctx context.Context, dir string) error
	// Local says that Make is faster than to fetch what it makes: the entry is
	// not shared, whatever its kind.
	Local bool
}

func (r Recipe) progress(format string, args ...any) {
	if r.Progress != nil {
		r.Progress(fmt.Sprintf(format, args...))
	}
}

// Entry is a complete entry in use: nobody removes it before Release or the
// end of the process.
type Entry struct {
	Dir  string // its files
	Key  Key
	What string
	Made bool // by the call that returned it

	arrived bool // it was fetched by the call that returned it

	use     *lock // nil if the store can only be read and has no lock for it
	root    *os.Root
	id      identity
	release sync.Once
}

const (
	filesName    = "files"
	rejectedName = "rejected"
	makeSuffix   = ".make"
	useSuffix    = ".use"
	oldInfix     = ".old-"
)

// Path joins names to the entry's folder.
func (e *Entry) Path(elem ...string) string {
	return filepath.Join(append([]string{e.Dir}, elem...)...)
}

// Release ends the use of the entry. It may be called more than once.
func (e *Entry) Release() {
	e.release.Do(func() {
		e.use.release()
		e.root.Close()
	})
}

// Reject marks the entry as unusable: the next Get makes it anew. Others that
// use it keep it. The caller still has to release it.
func (e *Entry) Reject(reason string) error {
	verified.Store(e.id, &DamageError{What: e.What, Reason: reason, rejected: true})
	// Through the open folder, which may have been replaced at its path.
	err := e.root.WriteFile(rejectedName, []byte(reason+"\n"), 0o644)
	if err != nil && !cannotWrite(err) {
		return fmt.Errorf("reject %s: %w", e.What, err)
	}
	return nil
}

// Get uses the entry of a key, or makes it. Of several that want one key, in
// this process or in others, one makes it, and the others wait and use it. If
// the one fails, another tries. Errors of Make are returned as they are.
func (s *Store) Get(ctx context.Context, k Kind, key Key, r Recipe) (*Entry, error) {
	if err := check(k, key); err != nil {
		return nil, fmt.Errorf("get %s: %w", r.What, err)
	}
	e, err := s.open(ctx, k, key)
	if errors.Is(err, ErrAbsent) {
		if s.readOnly {
			return nil, &ReadOnlyError{Dir: s.top, What: r.What, Err: err}
		}
		e, err = s.getAlone(ctx, k, key, r)
	}
	if err != nil {
		return nil, err
	}
	if e.Made || e.arrived {
		s.bound(k)
	}
	s.offer(k, r, e)
	return e, nil
}

// getAlone looks again and makes the entry while nobody else does.
func (s *Store) getAlone(ctx context.Context, k Kind, key Key, r Recipe) (*Entry, error) {
	making, err := s.awaitMaker(ctx, k, key, r)
	if err != nil {
		return nil, err
	}
	defer making.release()
	var how origin
	for tried := 0; ; tried++ {
		e, err := s.open(ctx, k, key)
		if err == nil {
			e.Made, e.arrived = how == madeHere, how == fetched
		}
		if !errors.Is(err, ErrAbsent) || tried == attempts {
			return e, err
		}
		var damage *DamageError
		if errors.As(err, &damage) {
			r.progress("%s is damaged (%s): making it again", r.What, damage.cause())
		}
		share := s.sharing(k, r)
		if damage != nil && damage.rejected {
			share.distrust(k, key)
		}
		if how, err = s.make(ctx, k, key, r, share); err != nil {
			return nil, err
		}
	}
}

// origin is how an entry came into the store.
type origin int

const (
	wasThere origin = iota
	madeHere
	fetched
)

// attempts are how often one call makes an entry: another user may open and
// reject it before the maker opens it.
const attempts = 3

// awaitMaker waits until nobody makes the entry.
func (s *Store) awaitMaker(ctx context.Context, k Kind, key Key, r Recipe) (*lock, error) {
	if err := makeDir(filepath.Join(s.entries(), k.Name)); err != nil {
		return nil, fmt.Errorf("make %s: %w", r.What, err)
	}
	path := s.entry(k, key) + makeSuffix
	l, err := awaitLock(ctx, path, exclusive, s.patience, func() {
		r.progress("waiting for %s, which %s makes", r.What, signer(path))
	})
	if errors.Is(err, fs.ErrNotExist) || cannotWrite(err) {
		return nil, &ReadOnlyError{Dir: s.top, What: r.What, Err: err}
	}
	if err != nil {
		return nil, waitError(ctx, r.What, err)
	}
	l.sign()
	return l, nil
}

// waitError leaves the cause of a cancelled wait as it is.
func waitError(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("wait for %s: %w", what, err)
}

// make makes the entry, or fetches it, and puts it in its place. The caller holds
// KEY.make.
func (s *Store) make(ctx context.Context, k Kind, key Key, r Recipe, share *Exchange) (origin, error) {
	how, t, err := fetched, share.fetch(ctx, s, k, key, r), error(nil)
	if t == nil {
		how = madeHere
		if t, err = s.newTemp(); err != nil {
			return how, fmt.Errorf("make %s: %w", r.What, err)
		}
	}
	defer t.remove()
	if how == madeHere {
		if err := s.fill(ctx, k, key, r, t.dir); err != nil {
			return how, err
		}
	}
	if err := s.publish(t.dir, s.entry(k, key)); err != nil {
		return how, fmt.Errorf("keep %s: %w", r.What, err)
	}
	return how, nil
}

// fill makes an entry in a temporary folder.
func (s *Store) fill(ctx context.Context, k Kind, key Key, r Recipe, tmp string) error {
	files := filepath.Join(tmp, filesName)
	if err := makeDir(files); err != nil {
		return fmt.Errorf("make %s: %w", r.What, err)
	}
	if err := r.Make(ctx, files); err != nil {
		return err
	}
	if err := seal(tmp, header{Version: version, Kind: k.Name, Key: key, What: r.What}); err != nil {
		return fmt.Errorf("keep %s: %w", r.What, err)
	}
	return nil
}

// publish puts a finished folder in an entry's place. What is there already is
// exchanged for it in one step, and stays until nobody uses it.
func (s *Store) publish(tmp, place string) error {
	if _, err := os.Lstat(place); errors.Is(err, fs.ErrNotExist) {
		if err := os.Rename(tmp, place); err != nil {
			return err
		}
		return syncDir(filepath.Dir(place))
	}
	old := place + oldInfix + filepath.Base(tmp)
	if err := os.Rename(tmp, old); err != nil {
		return err
	}
	if err := exchange(old, place); err != nil {
		return err
	}
	s.removeOld(old, place)
	return syncDir(filepath.Dir(place))
}

// removeOld deletes a replaced entry if nobody uses its key. The caller holds
// KEY.make.
func (s *Store) removeOld(old, place string) {
	use, err := tryLock(place+useSuffix, exclusive)
	if err != nil {
		return
	}
	defer use.release()
	_ = s.discard(old, use.release)
}

// Lookup uses the entry of a key if it is there and whole; otherwise the error
// is ErrAbsent, as errors.Is tells.
func (s *Store) Lookup(k Kind, key Key) (*Entry, error) {
	if err := check(k, key); err != nil {
		return nil, fmt.Errorf("look up entry: %w", err)
	}
	return s.open(context.Background(), k, key)
}

// open uses the entry at a place, once it is verified.
func (s *Store) open(ctx context.Context, k Kind, key Key) (*Entry, error) {
	place := s.entry(k, key)
	if _, err := os.Lstat(place); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrAbsent
	}
	// Who holds the lock exclusively renames, and is done at once.
	use, err := awaitLock(ctx, place+useSuffix, shared, 0, func() {})
	if errors.Is(err, fs.ErrNotExist) || cannotWrite(err) {
		use, err = nil, nil // somebody else's, who has removed the lock
	}
	if err != nil {
		return nil, err
	}
	e, err := load(ctx, place, k, key)
	if err != nil {
		use.release()
		return nil, err
	}
	e.use = use
	if use != nil {
		use.touch()
	}
	return e, nil
}

// load opens and verifies an entry. The caller holds KEY.use.
func load(ctx context.Context, place string, k Kind, key Key) (*Entry, error) {
	root, err := os.OpenRoot(place)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ErrAbsent
		}
		return nil, &DamageError{Reason: err.Error()}
	}
	head, id, err := verify(ctx, root, place)
	if err == nil && (head.Kind != k.Name || head.Key != key) {
		err = &DamageError{What: head.What, Reason: "it is the entry of " + head.Kind + " " + string(head.Key)}
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	return &Entry{Dir: filepath.Join(place, filesName), Key: key, What: head.What, root: root, id: id}, nil
}
