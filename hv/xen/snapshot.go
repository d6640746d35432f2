package xen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"xsmbench/hv"
	"xsmbench/hv/xen/qemu"
)

// Files of a snapshot's directory.
const (
	stateFile = "state"
)

// snapshotDir is where a start's snapshot is.
func (s *start) snapshotDir() (string, error) {
	dir, err := cacheDir("snapshots")
	return filepath.Join(dir, s.key), err
}

// snapshot boots an image until its domains are ready and saves the machine,
// or finds that in the cache. It returns the directory.
func (t *Target) snapshot(ctx context.Context, s *start, progress func(string)) (string, error) {
	defer t.alone("snapshot " + s.key)()
	dir, err := s.snapshotDir()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, stateFile)); err == nil {
		now := time.Now()
		_ = os.Chtimes(dir, now, now) // used: kept longer
		return dir, nil
	}
	select {
	case t.running <- struct{}{}:
		defer func() { <-t.running }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	progress(label(s.img.Build) + ": booting to a snapshot")
	begun := time.Now()
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "boot-*.tmp")
	if err != nil {
		return "", fmt.Errorf("snapshot %s: %w", s.img.Build.Name, err)
	}
	defer os.RemoveAll(tmp)
	if err := t.bootToSnapshot(ctx, s, tmp); err != nil {
		return "", err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return "", fmt.Errorf("snapshot %s: %w", s.img.Build.Name, err)
	}
	pruneSnapshots(filepath.Dir(dir), time.Now())
	progress(fmt.Sprintf("%s: snapshot in %.0f s", label(s.img.Build), time.Since(begun).Seconds()))
	return dir, nil
}

// bootToSnapshot boots until dom0 asks for the snapshot, and saves it.
func (t *Target) bootToSnapshot(ctx context.Context, s *start, dir string) error {
	m := s.machine(dir, s.snapshotOrder())
	control, remove, err := controlSocket()
	if err != nil {
		return err
	}
	defer remove()
	m.Control = control
	w, err := t.watch(s, m, dir)
	if err != nil {
		return err
	}
	defer w.Kill()
	limit := t.limits.boot * time.Duration(s.accel.SlowDown())
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTimeOut)
	defer cancel()
	monitor, err := qemu.Dial(w.until(ctx), m.Control)
	if err != nil {
		return w.broken(ctx, err)
	}
	defer monitor.Close()
	if err := w.awaitStop(ctx, monitor, t.limits.silence*time.Duration(s.accel.SlowDown())); err != nil {
		return err
	}
	if err := monitor.Save(w.until(ctx), filepath.Join(dir, stateFile)); err != nil {
		return w.broken(ctx, err)
	}
	return nil
}

// controlSocket names a socket in a directory of its own: a path in the cache
// might be longer than a socket's may be.
func controlSocket() (path string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "xsmbench-qmp-")
	if err != nil {
		return "", nil, fmt.Errorf("make control socket: %w", err)
	}
	return filepath.Join(dir, "control"), func() { os.RemoveAll(dir) }, nil
}

var errTimeOut = errors.New("it takes too long")

// stopEvents are QEMU's for a machine that its guest has stopped.
var stopEvents = map[string]bool{"STOP": true}

// awaitStop waits until the machine stands still.
func (w *watched) awaitStop(ctx context.Context, monitor *qemu.Monitor, silence time.Duration) error {
	pulse := time.NewTicker(pulseEvery)
	defer pulse.Stop()
	last, seen := time.Now(), int64(-1)
	events := monitor.Events
	for {
		select {
		case name, ok := <-events:
			if stopEvents[name] {
				return nil
			}
			if !ok {
				events = nil // QEMU is about to end
			}
		case <-w.Ended:
			return w.ended()
		case <-ctx.Done():
			return w.interrupted(ctx, hv.BootFailed)
		case <-pulse.C:
			if n := w.life(); n != seen {
				last, seen = time.Now(), n
			} else if time.Since(last) > silence {
				return w.failed(hv.NoProgress, fmt.Errorf("the console says nothing for %v and dom0 is not ready", silence))
			}
		}
	}
}

// Limits of the snapshots' cache: above the size, those go that nothing used
// for some time, the oldest first.
const (
	snapshotsSize = 8 << 30
	snapshotsIdle = 2 * time.Hour
)

// pruneSnapshots removes what was not used for long.
func pruneSnapshots(dir string, now time.Time) {
	prune(filepath.Join(dir, "*"), stateFile, now)
}

// copyFile copies what is in a file to w; a file that is not there is empty.
func copyFile(w io.Writer, path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = io.Copy(w, f)
}
