package store

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strconv"
)

// Depot keeps archives of entries where other machines find them, by names with
// slashes. An archive is there whole or not at all, whatever becomes of who puts
// it; of several who put one name the last wins. Its methods are safe for
// concurrent use.
//
// The words of its errors have no credentials in them. What is not there is an
// fs.ErrNotExist, what the depot does not allow an fs.ErrPermission, and what may
// go well in a moment a TemporaryError.
type Depot interface {
	// String is the depot's URL, without what could be a credential.
	String() string
	// Get begins to read an archive.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// Has says whether an archive is there.
	Has(ctx context.Context, name string) (bool, error)
	// Put puts an archive of so many bytes. It may still read when it has failed.
	Put(ctx context.Context, name string, archive io.ReaderAt, size int64) error
}

// TemporaryError is a failure that may be none in a moment.
type TemporaryError struct{ Err error }

// Error is the cause's.
func (e *TemporaryError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *TemporaryError) Unwrap() error { return e.Err }

func isTemporary(err error) bool {
	var t *TemporaryError
	return errors.As(err, &t)
}

// archiveName is where a depot has an entry. Keys tell what an entry is made of,
// but not which machines can execute what was made: a plug-in has the same key
// wherever the compiler says the same of itself.
func archiveName(k Kind, key Key) string {
	return "store-" + strconv.Itoa(version) + "/" + runtime.GOOS + "-" + runtime.GOARCH + "/" + k.Name + "/" + string(key) + ".tar.zst"
}
