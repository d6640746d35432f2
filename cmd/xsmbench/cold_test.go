package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/internal/require"
	"xsmbench/results"
)

var (
	coldRuns = flag.Int("cold.runs", 10, "how often each test of a cold machine begins with one")
	coldSeed = flag.Uint64("cold.seed", 0, "seed of when tests of a cold machine kill a run (0: another one each time)")
)

// needDebian skips where the distribution is another one: which archives there
// are is read from the machine's own configuration.
func needDebian(t *testing.T) {
	t.Helper()
	for _, pattern := range []string{"/etc/apt/sources.list", "/etc/apt/sources.list.d/*"} {
		if found, _ := filepath.Glob(pattern); found != nil {
			return
		}
	}
	require.Missing(t, "a Debian machine's package sources, in /etc/apt")
}

// TestColdAtOnce starts two runs at once on a cold machine: both complete, and
// together they make everything once.
func TestColdAtOnce(t *testing.T) {
	needDebian(t)
	for i := range *coldRuns {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			m := newColdMachine(t)
			first, second := m.start(), m.start()
			m.completes(first)
			m.completes(second)
			m.tidy()
			if d := cmp.Diff(programsFor(entriesWanted), m.made()); d != "" {
				t.Errorf("made (-want +got):\n%s%s\n%s", d, first.said.String(), second.said.String())
			}
		})
	}
}

// programsFor is how often the fakes are called for entries.
func programsFor(entries map[string]int) map[string]int {
	n := map[string]int{}
	for _, kind := range []string{"package-indexes", "package-versions", "guest-packages", "xen-sources", "xen-headers", "xen-builds", "plugins", "guest-agents", "snapshots"} {
		n[kind] = entries[kind]
	}
	n["guest-agents"] *= 2 // a program for each domain
	return n
}

// TestColdKilled kills a run on a cold machine at a random moment and starts it
// again: it completes, and makes what was not complete, and nothing else.
func TestColdKilled(t *testing.T) {
	needDebian(t)
	random, took := coldMoments(t)
	for i := range *coldRuns {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			m := newColdMachine(t)
			victim := m.start()
			after := time.Duration(random.Int64N(int64(took)))
			time.Sleep(after)
			_ = victim.Process.Kill()
			_ = victim.Wait()
			m.quiet()
			complete, ids, before := m.entries(), m.identities(), m.made()
			t.Logf("killed after %v, with %d entries", after, len(ids))
			m.completes(m.again(victim, random.IntN(2) == 0))
			m.tidy()
			m.stands(ids)
			made, missing := m.made(), map[string]int{}
			for kind, n := range before {
				made[kind] -= n
			}
			for kind, n := range entriesWanted {
				missing[kind] = n - complete[kind]
			}
			if d := cmp.Diff(programsFor(missing), made); d != "" {
				t.Errorf("made after the kill (-missing +made):\n%s", d)
			}
		})
	}
}

// again starts a run that was killed: where it was, or anew.
func (m *coldMachine) again(victim *process, resume bool) *process {
	m.t.Helper()
	if _, err := results.ReadRun(victim.dir); err == nil && resume {
		return m.begin(victim.dir, "run", "--resume", filepath.Base(victim.dir))
	}
	return m.startIn(filepath.Base(victim.dir), "--replace")
}

// TestColdOneKilled kills one of two runs: the other takes over what it made,
// and completes.
func TestColdOneKilled(t *testing.T) {
	needDebian(t)
	random, took := coldMoments(t)
	for i := range (*coldRuns + 2) / 3 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			m := newColdMachine(t)
			victim, other := m.start(), m.start()
			after := time.Duration(random.Int64N(int64(took)))
			time.Sleep(after)
			_ = victim.Process.Kill()
			_ = victim.Wait()
			ids := m.identities()
			t.Logf("killed after %v, with %d entries", after, len(ids))
			m.completes(other)
			m.completes(m.again(victim, true))
			m.tidy()
			m.stands(ids)
		})
	}
}

// TestColdSelftestKilled: the trees into which selftest puts work do not outlive
// it by more than the next start.
func TestColdSelftestKilled(t *testing.T) {
	needDebian(t)
	m := newColdMachine(t)
	p := m.begin("", "selftest", "--target", "xen")
	scratch := filepath.Join(m.dir, "cache", "xsmbench", "store-1", "tmp")
	var trees []string
	for deadline := time.Now().Add(20 * time.Second); trees == nil && time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		trees, _ = filepath.Glob(filepath.Join(scratch, "*", "count16", "xen"))
	}
	_ = p.Process.Kill()
	_ = p.Wait()
	if trees == nil {
		t.Fatalf("no tree was made: %s", p.said.String())
	}
	m.quiet()
	m.entries() // as any other command, it opens the store
	for _, dir := range []string{scratch, filepath.Join(m.dir, "tmp")} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 1 || len(left) == 1 && left[0].Name() != ".keep" {
			t.Errorf("left in %s: %v, %v", dir, left, err)
		}
	}
}

// coldMoments are random moments of a run that takes so long.
func coldMoments(t *testing.T) (*rand.Rand, time.Duration) {
	t.Helper()
	seed := *coldSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-cold.seed %d", seed)
	var took time.Duration
	t.Run("whole", func(t *testing.T) {
		m := newColdMachine(t)
		begun := time.Now()
		m.completes(m.start())
		took = time.Since(begun)
		m.tidy()
	})
	if t.Failed() {
		t.FailNow()
	}
	t.Logf("a whole run takes %v", took)
	return rand.New(rand.NewPCG(seed, 0)), took
}
