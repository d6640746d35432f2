package history

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// LockedError tells that another process was writing to the store for longer
// than this one waits.
type LockedError struct{ Path string }

// Error says what to do.
func (e *LockedError) Error() string {
	return fmt.Sprintf("open history %s: another process is writing to it; try again when that has ended", e.Path)
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

// errContent marks errors that come from what the file holds.
var errContent = errors.New("its content is not what was written")

// code is SQLite's primary result code in an error, 0 if there is none.
func code(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// explain says what an error means for the store.
func (s *Store) explain(err error) error {
	if errors.Is(err, errContent) {
		return &DamagedError{s.path, err}
	}
	switch code(err) {
	case 0:
		return err
	case sqlite3.SQLITE_BUSY:
		return &LockedError{s.path}
	// The statements are right, so an error in one is a table or a column
	// that the file lacks.
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR:
		return &DamagedError{s.path, err}
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("open history %s: it cannot be written to; adding a run needs that, and so does reading after a crash: %w", s.path, err)
	}
	return fmt.Errorf("history %s: %w", s.path, err)
}
