package history

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// migrate converts a store of before SQLite in place, and returns the name that
// its file is kept by. Whoever dies while at it leaves the old store.
func migrate(path string) (kept string, err error) {
	// The programs that made such stores lock the file, too.
	old, err := lockedfile.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", fmt.Errorf("convert history: %w", err)
	}
	defer old.Close()
	kept = path + ".bbolt"
	if gone, err := replaced(old, path); gone || err != nil {
		return kept, err // another process was faster
	}
	dir := path + ".converting"
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("convert history: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := os.Mkdir(dir, 0o777); err != nil {
		return "", fmt.Errorf("convert history: %w", err)
	}
	converted, err := convert(old, path, dir)
	if err != nil {
		return "", err
	}
	if err := keep(path, kept); err != nil {
		return "", fmt.Errorf("convert history: %w", err)
	}
	if err := os.Rename(converted, path); err != nil {
		return "", fmt.Errorf("convert history: %w", err)
	}
	return kept, nil
}

// replaced reports whether path is no longer the file that is open.
func replaced(f *lockedfile.File, path string) (bool, error) {
	mine, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("convert history: %w", err)
	}
	now, err := os.Stat(path)
	if err != nil {
		return false, fmt.Errorf("convert history: %w", err)
	}
	return !os.SameFile(mine, now), nil
}

// keep gives a file a second name. It may have it already, from one that died
// before it renamed the new file.
func keep(path, kept string) error {
	err := os.Link(path, kept)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	mine, err1 := os.Stat(path)
	other, err2 := os.Stat(kept)
	if err1 == nil && err2 == nil && os.SameFile(mine, other) {
		return nil
	}
	return err
}

// openOld opens a store of before SQLite for reading: a copy of it, converted.
func openOld(path string) (*Store, error) {
	old, err := lockedfile.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	defer old.Close()
	dir, err := os.MkdirTemp("", "xsmbench-history-")
	if err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	converted, err := convert(old, path, dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s, err := Open(converted)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.path, s.temp = path, dir
	return s, nil
}

// convert makes a store in dir of the bbolt store that old holds, which was
// found at path.
func convert(old io.Reader, path, dir string) (string, error) {
	copied, converted := filepath.Join(dir, "old"), filepath.Join(dir, "new")
	if err := writeAll(copied, old); err != nil {
		return "", fmt.Errorf("convert history: %w", err)
	}
	s, err := createSQLite(converted)
	if err != nil {
		return "", err
	}
	err = s.update(func(tx *sql.Tx, _ []Run) error {
		return readBolt(copied, func(r *record) error { return r.put(tx) })
	})
	// What is damaged is the old store.
	var damaged *DamagedError
	if errors.As(err, &damaged) {
		err = &DamagedError{path, damaged.Err}
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return "", err
	}
	return converted, nil
}

func writeAll(path string, from io.Reader) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}
