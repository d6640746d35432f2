package history

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Store is an open history. One process at a time has it open for writing, and
// then no other reads it.
type Store struct {
	path string
	db   *bbolt.DB // nil if nothing was ever added
}

var (
	metaBucket    = []byte("meta")
	runsBucket    = []byte("runs")
	filesBucket   = []byte("files")
	samplesBucket = []byte("samples")
	schemaKey     = []byte("schema")
)

// patience is how long opening waits for other processes: adding a run takes
// far less.
var patience = 10 * time.Second

// LockedError tells that another process kept the store for longer than
// opening waits.
type LockedError struct{ Path string }

// Error says what to do.
func (e *LockedError) Error() string {
	return fmt.Sprintf("open history %s: another process has it open; try again when that has ended", e.Path)
}

// DamagedError tells that a store's file is not what was written to it.
type DamagedError struct {
	Path string
	Err  error
}

// Error says what to do.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("history %s is damaged (%v): put a copy of it back, or move it away and add the run directories again (xsmbench history add DIR...)", e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// DefaultPath is the user's store: in $XDG_DATA_HOME, or ~/.local/share.
func DefaultPath() (string, error) {
	dir := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find the history: %w (name its file with --store)", err)
		}
		dir = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(dir, "xsmbench", "history.db"), nil
}

// Open opens a store for reading. The cause is fs.ErrNotExist if there is none.
func Open(path string) (*Store, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	} else if info.Size() == 0 {
		return &Store{path: path}, nil
	}
	s, err := open(path, &bbolt.Options{ReadOnly: true, Timeout: patience})
	if err != nil {
		return nil, err
	}
	empty := false // its first writer died before it made what a store has
	if err := s.view(func(tx *bbolt.Tx) error { empty = isNew(tx); return nil }); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if empty {
		if err := s.Close(); err != nil {
			return nil, err
		}
		s.db = nil
	}
	return s, nil
}

// Create opens a store for writing, and makes it if there is none.
func Create(path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fmt.Errorf("create history: %w", err)
	}
	// bbolt walks through the pages as soon as it may write: read first.
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		s, err := Open(path)
		if err != nil {
			return nil, err
		}
		if err := s.Close(); err != nil {
			return nil, err
		}
	}
	s, err := open(path, &bbolt.Options{Timeout: patience, NoFreelistSync: true})
	if err != nil {
		return nil, err
	}
	if err := s.update(prepare); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func open(path string, o *bbolt.Options) (*Store, error) {
	s := &Store{path: path}
	err := s.guard(func() (err error) {
		s.db, err = bbolt.Open(path, 0o666, o)
		return err
	})
	var damaged *DamagedError
	var file *fs.PathError
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, &LockedError{path}
	case errors.As(err, &damaged):
		return nil, err
	case errors.As(err, &file):
		return nil, fmt.Errorf("open history: %w", err)
	case err != nil: // what is left is bbolt's complaint of the content
		return nil, &DamagedError{path, err}
	}
	if err := s.view(whole(path)); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// whole checks that all pages are there and sound, and that the layout is the
// one that this program knows.
func whole(path string) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("%d bytes of %d are there: %w", info.Size(), tx.Size(), errContent)
		}
		if err := checkPages(tx, file); err != nil {
			return err
		}
		if isNew(tx) {
			return nil
		}
		meta, err := bucket(tx, metaBucket)
		if err != nil {
			return err
		}
		schema := string(meta.Get(schemaKey))
		n, err := strconv.Atoi(schema)
		switch {
		case err != nil:
			return fmt.Errorf("schema %q: %w", schema, errContent)
		case n != Schema:
			return fmt.Errorf("open history %s: its schema is %d, this program's %d: use the xsmbench that wrote it", path, n, Schema)
		}
		return nil
	}
}

// isNew reports whether a file holds nothing yet.
func isNew(tx *bbolt.Tx) bool {
	key, _ := tx.Cursor().First()
	return key == nil
}

// prepare makes what a new file lacks.
func prepare(tx *bbolt.Tx) error {
	if !isNew(tx) {
		return nil
	}
	for _, name := range [][]byte{metaBucket, runsBucket, filesBucket, samplesBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return tx.Bucket(metaBucket).Put(schemaKey, []byte(strconv.Itoa(Schema)))
}

// errContent marks errors that come from what the file holds.
var errContent = errors.New("its content is not what was written")

// guard runs what reads the file. bbolt maps it into memory and trusts it:
// what it finds damaged ends in a panic or a fault, which become an error here.
func (s *Store) guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = &DamagedError{s.path, fmt.Errorf("%v", r)}
		}
	}()
	if err = do(); errors.Is(err, errContent) {
		err = &DamagedError{s.path, err}
	}
	return err
}

func (s *Store) view(do func(*bbolt.Tx) error) error {
	if s.db == nil {
		return nil
	}
	return s.guard(func() error { return s.db.View(do) })
}

func (s *Store) update(do func(*bbolt.Tx) error) error {
	return s.guard(func() error { return s.db.Update(do) })
}

// bucket is one of the store's; there is none in a file that is damaged.
func bucket(tx *bbolt.Tx, name []byte) (*bbolt.Bucket, error) {
	if b := tx.Bucket(name); b != nil {
		return b, nil
	}
	return nil, fmt.Errorf("no %s: %w", name, errContent)
}

// Path is the store's file.
func (s *Store) Path() string { return s.path }

// Close lets other processes use the store.
func (s *Store) Close() error {
	if s.db == nil {
		return nil
	}
	return s.guard(s.db.Close)
}
