package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// lock is a lock that this process holds on an open file.
type lock struct {
	file *os.File
	once sync.Once
}

const (
	shared    = unix.LOCK_SH
	exclusive = unix.LOCK_EX
)

// locks are all that this process holds. An open file that nothing refers to is
// closed by the garbage collector, and its lock with it; who forgets an entry
// but goes on using its path must not lose it.
var locks sync.Map

// errHeld says that somebody else has the lock.
var errHeld = errors.New("the lock is held")

// tryLock takes the lock of a file, which it makes, or returns errHeld.
func tryLock(path string, how int) (*lock, error) {
	for {
		f, err := openLock(path)
		if err != nil {
			return nil, err
		}
		err = flock(f, how)
		if err == nil && isAt(f, path) {
			l := &lock{file: f}
			locks.Store(l, nil)
			return l, nil
		}
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errHeld
		}
		if err != nil {
			return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
		}
		// The file was removed between its opening and its locking.
	}
}

// openLock opens a lock file. One that cannot be written can be locked all the
// same, but for NFS.
func openLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if cannotWrite(err) {
		return os.Open(path)
	}
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.Mode().Perm() != 0o644 {
		_ = f.Chmod(0o644) // other users can only not lock it
	}
	return f, nil
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// isAt says whether an open file is the one at the path.
func isAt(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(path)
	return err == nil && os.SameFile(a, b)
}

// awaitLock takes a lock as soon as it is free. word is called once if that
// takes longer than patience. It polls, since a blocked flock cannot be
// cancelled.
func awaitLock(ctx context.Context, path string, how int, patience time.Duration, word func()) (*lock, error) {
	begun, told := time.Now(), false
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		l, err := tryLock(path, how)
		if !errors.Is(err, errHeld) {
			return l, err
		}
		if !told && time.Since(begun) >= patience {
			told = true
			word()
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// sign writes the process into the lock's file, for those who wait.
func (l *lock) sign() {
	if l.file.Truncate(0) == nil {
		_, _ = l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
}

// signer says which process holds a lock. It may be this one: two of a run's
// builds can want one thing.
func signer(path string) string {
	text, _ := os.ReadFile(path)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case err != nil:
		return "another process"
	case pid == os.Getpid():
		return "this process"
	}
	return "process " + strconv.Itoa(pid)
}

// touch makes now the file's time.
func (l *lock) touch() {
	now := time.Now()
	_ = os.Chtimes(l.file.Name(), now, now) // of no consequence if it fails
}

// release gives the lock up, also under children that inherited the file.
func (l *lock) release() {
	if l == nil {
		return
	}
	l.once.Do(func() {
		_ = unix.Flock(int(l.file.Fd()), unix.LOCK_UN)
		l.close()
	})
}

// leave closes the file: the lock ends with the last process that has it.
func (l *lock) leave() {
	l.once.Do(l.close)
}

func (l *lock) close() {
	locks.Delete(l)
	l.file.Close()
}

// remove deletes the file and gives the lock up. Only an exclusive holder may.
func (l *lock) remove() {
	_ = os.Remove(l.file.Name())
	l.release()
}
