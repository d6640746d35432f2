package xen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
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
// or finds that in the store. If the boot fails its console is written to
// console, which may be nil.
func (t *Target) snapshot(ctx context.Context, s *start, console io.Writer, progress func(string)) (*store.Entry, error) {
	st, err := t.store()
	if err != nil {
		return nil, err
	}
	if f, ok := t.failed.get(s.key); ok {
		f.tell(console)
		return nil, f.err
	}
	var failed failedBoot
	entry, err := st.Get(ctx, snapshots, s.key, store.Recipe{
		What: "the snapshot of " + label(s.img.Build), Progress: progress,
		Make: func(ctx context.Context, dir string) error {
			release, err := t.running.take(ctx, toSnapshot)
			if err != nil {
				return err
			}
			defer release()
			progress(label(s.img.Build) + ": booting to a snapshot")
			begun := time.Now()
			if err := t.bootToSnapshot(ctx, s, dir); err != nil {
				failed.console, _ = os.ReadFile(filepath.Join(dir, consoleFile))
				return err
			}
			progress(fmt.Sprintf("%s: snapshot in %.0f s", label(s.img.Build), time.Since(begun).Seconds()))
			return nil
		},
	})
	if err != nil {
		failed.err = err
		failed.tell(console)
		t.failed.put(s.key, failed)
	}
	return entry, err
}

// failedBoot is a boot to a snapshot that came to nothing.
type failedBoot struct {
	err     error
	console []byte
}

// tell writes the console to a boot's log.
func (f failedBoot) tell(log io.Writer) {
	if log != nil && f.console != nil {
		fmt.Fprintf(log, "[xsmbench] console of the boot to the snapshot, which failed:\n%s", f.console)
	}
}

// certain says that another boot fails in the same way: the guest gave up, and
// what it executes is determined by the snapshot's name. Time that ran out, or a
// QEMU that died, may be the computer's fault.
func (f failedBoot) certain() bool {
	var boot *hv.BootError
	return errors.As(f.err, &boot) && boot.Kind == hv.GuestFailed
}

// failedBoots are those of this process that need not be tried again.
type failedBoots struct {
	mu  sync.Mutex
	all map[store.Key]failedBoot
}

func (b *failedBoots) get(k store.Key) (f failedBoot, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok = b.all[k]
	return f, ok
}

func (b *failedBoots) put(k store.Key, f failedBoot) {
	if !f.certain() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[store.Key]failedBoot{}
	}
	b.all[k] = f
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
	if err := monitor.Begin(w.until(ctx)); err != nil {
		return w.broken(ctx, err)
	}
	if err := w.awaitStop(ctx, monitor, t.limits.silence*time.Duration(s.accel.SlowDown())); err != nil {
		return err
	}
	if err := w.checkTaken(); err != nil {
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
				return w.failed(hv.NoProgress, fmt.Errorf("the console printed nothing for %v, and dom0 is not ready", silence))
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
