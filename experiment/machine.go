package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"xsmbench/results"
)

// machineLock is the file whose lock a timed run holds: two at once would
// disturb each other, and nothing in their figures would say so. It is the
// machine's, not the user's; the variable XSMBENCH_MACHINE_LOCK names another.
const machineLock = "/tmp/xsmbench-timed.lock"

func machineLockPath() string {
	if path := os.Getenv("XSMBENCH_MACHINE_LOCK"); path != "" {
		return path
	}
	return machineLock
}

// lookAgain is how often a waiting run looks whether the machine is free.
const lookAgain = 200 * time.Millisecond

// Timed says that the runs of a spec read clocks: their figures are those of one machine.
func Timed(s results.Spec) bool { return s.Options.Windows == 0 }

// holdMachine waits until no other timed run goes on. A lock that cannot be had
// at all costs a word, not the run.
func holdMachine(ctx context.Context, run string, say func(string)) (release func(), err error) {
	path := machineLockPath()
	lock := flock.New(path, flock.SetFlag(lockFlags(path)), flock.SetPermissions(0o666))
	held, err := lock.TryLock()
	if err == nil && !held {
		say(fmt.Sprintf("waiting for %s: two timed runs at once would disturb each other (--beside measures anyway)", holder(path)))
		held, err = lock.TryLockContext(ctx, lookAgain)
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil || !held:
		say(fmt.Sprintf("cannot tell whether another timed run is in progress: %v", err))
		return func() {}, nil
	}
	sign(path, run)
	return func() { _ = lock.Close() }, nil
}

// lockFlags open the file. In a directory for all, the kernel refuses to make a
// file that another user has made.
func lockFlags(path string) int {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return os.O_CREATE | os.O_RDWR
	}
	return os.O_RDONLY
}

// sign writes who holds the machine, for those who wait. It may be another
// user's file, which says nothing then.
func sign(path, run string) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "process %d, which measures %s", os.Getpid(), run)
}

// holder says who has the machine.
func holder(path string) string {
	text, _ := os.ReadFile(path)
	if who := strings.TrimSpace(string(text)); who != "" {
		return who
	}
	return "another timed run on this machine"
}
