package xen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/qemu"
)

// Two processes that want one snapshot boot once: whoever comes second waits
// and resumes the other's.
func TestOneSnapshot(t *testing.T) {
	t.Parallel()
	for range 10 {
		s := started(t, "native", qemu.ICount, scenario{})
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() { // a target of its own has a store of its own
				if got, err := whole(context.Background(), patientTarget(), s, spec()); err != nil || len(got) != 5 {
					t.Errorf("%d samples, %v", len(got), err)
				}
			})
		}
		group.Wait()
		if n := len(pids(s)); n != 1+2*2 {
			t.Errorf("%d QEMUs ran, want one that boots and two times two that resume", n)
		}
	}
}

// A boot says what it makes, as when its preparation came to nothing, and nothing
// if all is there.
func TestBootSaysWhatItMakes(t *testing.T) {
	t.Parallel()
	s, target, sp := started(t, "native", qemu.ICount, scenario{}), patientTarget(), spec()
	var said []string
	sp.Progress = func(line string) { said = append(said, line) }
	for range 2 {
		if _, err := whole(context.Background(), target, s, sp); err != nil {
			t.Fatal(err)
		}
	}
	if len(said) != 2 || said[0] != "native: booting to a snapshot" || !strings.HasPrefix(said[1], "native: snapshot in ") {
		t.Errorf("said %q", said)
	}
}

// A snapshot that one domain could not load stays where it is: the other domain
// resumes it. The next boot makes another.
func TestSnapshotOfTheOtherDomain(t *testing.T) {
	t.Parallel()
	s, target := started(t, "native", qemu.ICount, scenario{Measure: "not loaded", Domain: "dom0"}), patientTarget()
	m, err := target.boot(context.Background(), s, spec())
	if err != nil {
		t.Fatal(err)
	}
	state := m.(*machine).snapshot.Path(stateFile)
	var domains []string
	err = m.Measure(context.Background(), func(b bench.Measurement) error {
		domains = append(domains, b.Domain)
		return nil
	})
	checkFailure(t, err, failure{scenario{}, hv.BootFailed, "the snapshot does not fit this QEMU, or is damaged"})
	if len(domains) == 0 || strings.Contains(strings.Join(domains, " "), "dom0") {
		t.Errorf("samples of %v, want some of domU", domains)
	}
	if !exist(state) {
		t.Error("the snapshot was removed while a machine used it")
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	setScenario(t, s, scenario{})
	before := len(pids(s))
	if got, err := whole(context.Background(), target, s, spec()); err != nil || len(got) != 5 {
		t.Errorf("the next boot: %d samples, %v", len(got), err)
	}
	if n := len(pids(s)) - before; n != 3 {
		t.Errorf("%d QEMUs ran, want one that boots and two that resume", n)
	}
}

// A snapshot's folder without its state, as a program that was killed or a disk
// that was full may leave it, is no snapshot.
func TestIncompleteSnapshot(t *testing.T) {
	t.Parallel()
	s := started(t, "native", qemu.ICount, scenario{})
	st, err := store.Default()
	if err != nil {
		t.Fatal(err)
	}
	place := filepath.Join(st.Dir(), "store-1", "entries", snapshots.Name, string(s.key), "files")
	if err := os.MkdirAll(place, 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := whole(context.Background(), patientTarget(), s, spec()); err != nil || len(got) != 5 {
		t.Errorf("%d samples, %v", len(got), err)
	}
}

// A store in a deep directory: the names of sockets have a limit.
func TestDeepStore(t *testing.T) {
	t.Parallel()
	s, target := started(t, "native", qemu.ICount, scenario{}), patientTarget()
	deep := filepath.Join(t.TempDir(), strings.Repeat("deep/", 40))
	target.opened = func() (*store.Store, error) { return store.Open(deep) }
	if got, err := whole(context.Background(), target, s, spec()); err != nil || len(got) != 5 {
		t.Errorf("%d samples, %v", len(got), err)
	}
}

// measureIn is the directory of an image that the test's program measures, as a
// process of its own.
const measureIn = "XSMBENCH_TEST_MEASURE_IN"

func measureAsChild(dir string) {
	_, err := whole(context.Background(), patientTarget(), startIn(dir, filepath.Base(dir), qemu.ICount), spec())
	fmt.Println(err)
	os.Exit(0)
}

// A program that is killed leaves no QEMU behind, and nothing that the next one
// does not remove.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, play := range []scenario{{Boot: "hang"}, {Measure: "hang"}} {
		t.Run(play.Boot+"/"+play.Measure, func(t *testing.T) {
			t.Parallel()
			s := started(t, "native", qemu.ICount, play)
			cache := t.TempDir()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), measureIn+"="+filepath.Dir(s.img.Path), "XDG_CACHE_HOME="+cache)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			want := 1 // that boots
			if play.Measure != "" {
				want += 2 // that resume
			}
			await(t, "QEMU's start", func() bool { return len(pids(s)) == want })
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			for _, pid := range pids(s) {
				await(t, "the end of QEMU "+pid, func() bool { return gone(pid) })
			}
			left, _ := filepath.Glob(filepath.Join(cache, "xsmbench", "store-1", "tmp", "*"))
			if len(left) == 0 {
				t.Error("the machine had no directory in the store")
			}
			setScenario(t, s, scenario{})
			target := patientTarget()
			target.opened = sync.OnceValues(func() (*store.Store, error) { return store.Open(filepath.Join(cache, "xsmbench")) })
			if got, err := whole(context.Background(), target, s, spec()); err != nil || len(got) != 5 {
				t.Errorf("the next run: %d samples, %v", len(got), err)
			}
			for _, path := range left {
				if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s is still there", filepath.Base(path))
				}
			}
		})
	}
}

// await waits for something that another process does.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 6000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("in vain: waiting for " + what)
}
