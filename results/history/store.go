package history

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// Store is an open history. Several processes may have it open, to read and to
// add: each addition waits for the ones before it.
type Store struct {
	path string
	db   *sql.DB // nil if nothing was ever added
	kept string
	temp string // folder to remove when the store is closed
}

// applicationID is in the file's header: "xsmb".
const applicationID = 0x78736d62

//go:embed schema.sql
var schema string

//go:embed sheets.sql
var sheetsSchema string

// patience is how long a transaction waits for those of other processes:
// adding a run takes far less.
var patience = 10 * time.Second

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
// A store of before SQLite is read from a converted copy.
func Open(path string) (*Store, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("open history: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("open history: %s is a folder", path)
	case info.Size() == 0:
		return &Store{path: path}, nil
	}
	s, err := open(path, "rw", "query_only(1)")
	if err != nil {
		return nil, err
	}
	var layout layout
	err = s.view(func(tx *sql.Tx) (err error) { layout, err = s.layout(tx); return err })
	switch {
	case code(err) == sqlite3.SQLITE_NOTADB:
		s.Close()
		return openOld(path)
	case err != nil:
		s.Close()
		return nil, err
	case layout == none: // its first writer died before it made what a store has
		s.Close()
		return &Store{path: path}, nil
	}
	return s, nil
}

// Create opens a store for writing, and makes it if there is none. A store of
// before SQLite is converted, and its file kept (see Kept). One without sheets is given
// them.
func Create(path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fmt.Errorf("create history: %w", err)
	}
	s, err := createSQLite(path)
	if code(err) != sqlite3.SQLITE_NOTADB {
		return s, err
	}
	kept, err := migrate(path)
	if err != nil {
		return nil, err
	}
	if s, err = createSQLite(path); err == nil {
		s.kept = kept
	}
	return s, err
}

func createSQLite(path string) (*Store, error) {
	s, err := open(path, "rwc")
	if err != nil {
		return nil, err
	}
	if err := s.prepare(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// open makes a handle; the file is opened by the first transaction. Where the
// file cannot be written to, SQLite opens it for reading alone.
func open(path, mode string, pragmas ...string) (*Store, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	// SQLite takes what is smaller than any page for a new database.
	if info, err := os.Stat(full); err == nil && info.Size() > 0 && info.Size() < 512 {
		return nil, &DamagedError{path, fmt.Errorf("%d bytes: %w", info.Size(), errContent)}
	}
	q := url.Values{"mode": {mode}, "_txlock": {"immediate"}, "_pragma": append(pragmas,
		fmt.Sprintf("busy_timeout(%d)", patience.Milliseconds()), "foreign_keys(1)", "cell_size_check(1)", "trusted_schema(0)")}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: full}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open history %s: %w", path, err)
	}
	return &Store{path: path, db: db}, nil
}

// layout says what a file holds.
type layout int

const (
	none    layout = iota // nothing yet
	older                 // all but sheets
	present               // what schema.sql and sheets.sql say
)

func (s *Store) layout(tx *sql.Tx) (layout, error) {
	var application, version, tables int
	for _, q := range []struct {
		query string
		to    *int
	}{{"PRAGMA application_id", &application}, {"PRAGMA user_version", &version}, {"SELECT count(*) FROM sqlite_schema", &tables}} {
		if err := tx.QueryRow(q.query).Scan(q.to); err != nil {
			return none, err
		}
	}
	switch {
	case application == 0 && version == 0 && tables == 0:
		return none, nil
	case application != applicationID:
		return none, fmt.Errorf("it is not a history of xsmbench: %w", errContent)
	case version == rowSchema:
		return older, nil
	case version != Schema:
		return none, fmt.Errorf("open history %s: its schema is %d, this program's %d: use the xsmbench that wrote it", s.path, version, Schema)
	}
	return present, nil
}

// prepare makes what a new file lacks, and checks all pages of another: to
// write to a damaged file makes it worse.
func (s *Store) prepare() error {
	return s.transact(false, func(tx *sql.Tx) error {
		layout, err := s.layout(tx)
		if err != nil {
			return err
		}
		if layout != none {
			if err := checkPages(tx); err != nil || layout == present {
				return err
			}
			return addSheets(tx)
		}
		if _, err := tx.Exec(fmt.Sprintf("%s; %s; PRAGMA application_id = %d; PRAGMA user_version = %d", schema, sheetsSchema, applicationID, Schema)); err != nil {
			return err
		}
		return seal(tx)
	})
}

func checkPages(tx *sql.Tx) error {
	var verdict string
	if err := tx.QueryRow("PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%s: %w", verdict, errContent)
	}
	return nil
}

// view runs what reads, in one transaction: what others add meanwhile is not
// seen.
func (s *Store) view(do func(*sql.Tx) error) error {
	if s.db == nil {
		return nil
	}
	return s.transact(true, do)
}

// update runs what changes the store, all or nothing. It is given the runs as
// they were.
func (s *Store) update(do func(*sql.Tx, []Run) error) error {
	return s.transact(false, func(tx *sql.Tx) error {
		runs, err := readRuns(tx)
		if err != nil {
			return err
		}
		if err := do(tx, runs); err != nil {
			return err
		}
		return seal(tx)
	})
}

func (s *Store) transact(reads bool, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: reads})
	if err != nil {
		return s.explain(err)
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return s.explain(err)
	}
	return s.explain(tx.Commit())
}

// Path is the store's file.
func (s *Store) Path() string { return s.path }

// Kept is the name that the file of an old store has since Create converted it,
// "" if there was none.
func (s *Store) Kept() string { return s.kept }

// Close lets go of the file.
func (s *Store) Close() error {
	if s.db == nil {
		return nil
	}
	err := s.db.Close()
	if s.temp != "" {
		err = errors.Join(err, os.RemoveAll(s.temp))
	}
	return err
}
