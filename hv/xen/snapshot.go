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
	"xsmbench/hv/store"
	"xsmbench/hv/xen/qemu"
)

// Files of a snapshot.
const (
	stateFile   = "state"
	consoleFile = "console"
)

// controlFile is the monitor's socket in a machine's directory.
const controlFile = "control"

// snapshots are machines that were saved when their domains were ready.
var snapshots = store.Register(store.Kind{
	Name: "snapshots", Doc: "machines with Xen, dom0 and domU, saved when they were ready to measure", Bound: 8 << 30,
})

// snapshot boots an image until its domains are ready and saves the machine,
// or finds that in the store.
func (t *Target) snapshot(ctx context.Context, s *start, progress func(string)) (*store.Entry, error) {
	st, err := t.store()
	if err != nil {
		return nil, err
	}
	return st.Get(ctx, snapshots, s.key, store.Recipe{
		What: "the snapshot of " + label(s.img.Build), Progress: progress,
		Make: func(ctx context.Context, dir string) error {
			select {
			case t.running <- struct{}{}:
				defer func() { <-t.running }()
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			progress(label(s.img.Build) + ": booting to a snapshot")
			begun := time.Now()
			if err := t.bootToSnapshot(ctx, s, dir); err != nil {
				return err
			}
			progress(fmt.Sprintf("%s: snapshot in %.0f s", label(s.img.Build), time.Since(begun).Seconds()))
			return nil
		},
	})
}

// bootToSnapshot boots until dom0 asks for the snapshot, and saves it.
func (t *Target) bootToSnapshot(ctx context.Context, s *start, dir string) error {
	m := s.machine(dir, s.snapshotOrder())
	m.Control = filepath.Join(dir, controlFile)
	defer os.Remove(m.Control)
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

// copyFile copies what is in a file to w; a file that is not there is empty.
func copyFile(w io.Writer, path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = io.Copy(w, f)
}
