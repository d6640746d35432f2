package results

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// LockedError tells that another process is writing to the directory.
type LockedError struct {
	Dir string
	PID string // the other process, if it is known
}

// Error names the other process and says what to do.
func (e *LockedError) Error() string {
	who := "another process"
	if e.PID != "" {
		who = "process " + e.PID
	}
	return who + " is writing a run in " + e.Dir + ": wait until it has ended, or name another directory"
}

const lockFile = "lock"

// lock is an flock(2) on the file "lock". The kernel drops it when its
// process ends, however that happens, so a lock is never stale; the number
// in the file is for the error message alone.
type lock struct{ f *os.File }

func acquire(dir string) (*lock, error) {
	path := filepath.Join(dir, lockFile)
	for {
		l, err := acquireFile(path)
		if err != nil {
			return nil, err
		}
		if l.isAt(path) {
			return l, nil
		}
		// Who had it removed it between the opening and the locking.
		l.f.Close()
	}
}

func acquireFile(path string) (*lock, error) {
	// A link would have the file that it names written over.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o666)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("lock: %s is a symbolic link: remove it", path)
	}
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid, _ := io.ReadAll(io.LimitReader(f, 20))
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &LockedError{filepath.Dir(path), strings.TrimSpace(string(pid))}
		}
		return nil, fmt.Errorf("lock: %w", err)
	}
	l := &lock{f}
	if err := l.sign(); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock: %w", err)
	}
	return l, nil
}

// isAt tells whether the locked file is the one that others would find.
func (l *lock) isAt(path string) bool {
	mine, err := l.f.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Stat(path)
	return err == nil && os.SameFile(mine, theirs)
}

func (l *lock) sign() error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := fmt.Fprintf(l.f, "%d\n", os.Getpid())
	return err
}

// release leaves the file in place, for the next process.
func (l *lock) release() error {
	if l.f == nil {
		return nil
	}
	f := l.f
	l.f = nil
	return errors.Join(f.Truncate(0), f.Close())
}
