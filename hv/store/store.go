// Package store keeps what is made once and used often: source trees, builds,
// packages, file systems, snapshots. An entry is named by the hash of all that
// decides it and is complete or absent.
//
// The layout, below a folder that names the format's version:
//
//	entries/KIND/KEY/files/    what Make made: Entry.Dir
//	entries/KIND/KEY/manifest  a line about the entry, then one for each file
//	entries/KIND/KEY/rejected  there if a user found the entry unusable: why
//	entries/KIND/KEY.make      lock: exclusive while somebody makes or removes KEY; holds the process
//	entries/KIND/KEY.use       lock: shared while KEY is used, exclusive to remove it; its time is the last use
//	entries/KIND/KEY.old-N     a replaced KEY that was in use when it was replaced
//	workspaces/KIND/KEY/       files/, its lock, a line about it, and a mark that it is intact
//	tmp/N, tmp/N.lock          what is not finished, and the lock of the process that works on it
//
// What holds:
//
//   - An entry is renamed into its place when its files and its manifest are
//     on the disk. Only the holder of KEY.make puts something at KEY.
//   - Only the holder of both KEY.make and, exclusively, KEY.use takes an entry
//     away. Whoever makes an entry takes KEY.use while it still holds KEY.make,
//     so nothing comes between making and using.
//   - An entry that is found damaged while others use it is exchanged for the
//     new one in one step and kept as KEY.old-N: open files stay whole, and
//     its path never is without an entry.
//   - The kernel drops the locks of a process that dies. What it left in tmp
//     is known by its free lock, and removed.
//   - A lock file is removed by its exclusive holder only, and one who takes a
//     lock looks whether the file is still at its path.
//
// Machines may share entries (Exchange): one that is not here is asked for in a
// Depot before it is made. It comes into the store by the same steps as one that
// was made here, so that all this holds of it, too.
//
// Locks are flock's, which belong to an open file: two users in one process
// keep each other out just as two processes do, and a child that inherits the
// file holds the lock on. They are taken here and not by a library, since
// rogpeppe/go-internal/lockedfile can neither try nor be cancelled, and
// gofrs/flock gives no access to the file, which Workspace.LockFile hands to
// children, and unlocks it explicitly, under the children.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// version is the format's. It is part of a folder's name, so that programs of
// different versions do not read each other's entries.
const version = 1

// Store is a directory of entries and workspaces. Its methods are safe for
// concurrent use, also by several processes and by several Stores on one
// directory.
type Store struct {
	dir      string // of this version
	top      string // as the user knows it
	readOnly bool
	patience time.Duration // before a word about what is waited for

	exchange func() *Exchange // with other machines; may be nil, or return nil
}

// Open opens the store in a directory, which it makes. One that cannot be
// written is opened for reading.
func Open(dir string) (*Store, error) {
	top, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{dir: filepath.Join(top, "store-"+strconv.Itoa(version)), top: top, patience: 500 * time.Millisecond}
	for _, sub := range []string{s.entries(), s.workspaces(), s.tmp()} {
		err := makeDir(sub)
		if err == nil {
			err = unix.Access(sub, unix.W_OK)
		}
		if cannotWrite(err) {
			s.readOnly = true
		} else if err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	s.sweep()
	return s, nil
}

// Default opens the user's store, in the cache directory. It exchanges entries
// with other machines as Share says.
func Default() (*Store, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find cache directory: %w (set HOME or XDG_CACHE_HOME)", err)
	}
	s, err := Open(filepath.Join(base, "xsmbench"))
	if err == nil {
		s.exchange = usual.Load
	}
	return s, err
}

// Dir is the directory that was opened.
func (s *Store) Dir() string { return s.top }

// ReadOnly says that the store cannot be written: it is another user's, or on
// a read-only file system.
func (s *Store) ReadOnly() bool { return s.readOnly }

func (s *Store) entries() string    { return filepath.Join(s.dir, "entries") }
func (s *Store) workspaces() string { return filepath.Join(s.dir, "workspaces") }
func (s *Store) tmp() string        { return filepath.Join(s.dir, "tmp") }

func (s *Store) entry(k Kind, key Key) string {
	return filepath.Join(s.entries(), k.Name, string(key))
}

// ErrAbsent is the cause when an entry is not there, or not whole.
var ErrAbsent = errors.New("it is not in the store")

// ReadOnlyError is the failure to make something in a store that can only be
// read.
type ReadOnlyError struct {
	Dir  string
	What string
	Err  error // why the store's entry, if any, does not do
}

// Error says what to do.
func (e *ReadOnlyError) Error() string {
	return fmt.Sprintf("make %s: the store %s cannot be written (set XDG_CACHE_HOME to a directory that can): %v", e.What, e.Dir, e.Err)
}

// Unwrap returns the cause.
func (e *ReadOnlyError) Unwrap() error { return e.Err }

// cannotWrite recognizes what a directory of somebody else, or one on a
// read-only file system, answers.
func cannotWrite(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS)
}

// makeDir makes a directory that every user can read, whatever the umask.
func makeDir(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Chmod(path, 0o755)
}
