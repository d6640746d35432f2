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
	PID string // the other process, if it is known
}

// Error names the other process.
func (e *LockedError) Error() string {
	if e.PID == "" {
		return "another process is writing there"
	}
	return fmt.Sprintf("process %s is writing there", e.PID)
}

// lock is an flock(2) on the file "lock". The kernel drops it when its
// process ends, however that happens, so a lock is never stale; the number
// in the file is for the error message alone.
type lock struct{ f *os.File }

func acquire(dir string) (*lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid, _ := io.ReadAll(io.LimitReader(f, 20))
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &LockedError{strings.TrimSpace(string(pid))}
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

func (l *lock) sign() error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := fmt.Fprintf(l.f, "%d\n", os.Getpid())
	return err
}

// release leaves the file in place: removing it would let two processes lock
// two files of the same name.
func (l *lock) release() error {
	if l.f == nil {
		return nil
	}
	f := l.f
	l.f = nil
	return errors.Join(f.Truncate(0), f.Close())
}
