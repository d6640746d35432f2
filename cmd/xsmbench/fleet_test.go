package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/results"
)

// shardKills is the environment variable that says how many shards TestKilledShards
// kills; shardSeed gives other moments.
const (
	shardKills = "XSMBENCH_SHARD_KILLS"
	shardSeed  = "XSMBENCH_SHARD_SEED"
)

// fleetRun is a run that has all that a run can have: several builds of one kind, whose
// changes are compared, a control, profiles, functions and consoles.
var fleetRun = []string{"--target", "counting", "--builds", "v1=flask@R1,v2=flask@R2,native", "--rounds", "4", "--bench", "lat_syscall|lat_sig|evtchn"}

// fleet starts a run of the target that counts, each measurement of which takes a while.
func fleet(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	cmd := program(t, "{}", args...)
	cmd.Env = append(cmd.Env, `XSMBENCH_COUNTING={"Pace": 300000, "Overlap": 2}`)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// TestKilledShards kills shards at random moments and starts them again by the same
// command: what is merged is what one machine writes that nobody disturbs.
func TestKilledShards(t *testing.T) {
	kills := number(t, shardKills, 8)
	seed := number(t, shardSeed, 1)
	t.Logf("%d kills, seed %d", kills, seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	dir := memoryDir(t)
	whole := filepath.Join(dir, "whole")
	begun := time.Now()
	if out, err := fleet(t, append([]string{"run", "-o", whole}, fleetRun...)...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	usual := time.Since(begun)
	for fleetNo := 1; kills > 0; fleetNo++ {
		n := 2 + random.IntN(4)
		var parts []string
		for i := 1; i <= n; i++ {
			part := filepath.Join(dir, fmt.Sprintf("%d-%d", fleetNo, i))
			parts = append(parts, part)
			args := append([]string{"run", "-o", part, "--shard", fmt.Sprintf("%d/%d", i, n)}, fleetRun...)
			for range random.IntN(3) {
				killShard(t, time.Duration(random.Int64N(int64(usual))), args)
				kills--
			}
			if out, err := fleet(t, args...); err != nil {
				t.Fatalf("fleet %d, shard %d/%d: %v\n%s", fleetNo, i, n, err, out)
			}
		}
		random.Shuffle(len(parts), func(i, k int) { parts[i], parts[k] = parts[k], parts[i] })
		merged := filepath.Join(dir, fmt.Sprintf("merged-%d", fleetNo))
		if out, err := fleet(t, slices.Concat([]string{"merge", "-o", merged}, parts)...); err != nil {
			t.Fatalf("fleet %d: merge: %v\n%s", fleetNo, err, out)
		}
		sameRun(t, whole, merged)
		if t.Failed() {
			return
		}
		for _, d := range append(parts, merged) {
			os.RemoveAll(d)
		}
	}
}

// number is an environment variable's.
func number(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s=%s: %v", name, text, err)
	}
	return n
}

// killShard starts a shard and kills it, unless it ends before.
func killShard(t *testing.T, after time.Duration, args []string) {
	t.Helper()
	cmd := program(t, "{}", args...)
	cmd.Env = append(cmd.Env, `XSMBENCH_COUNTING={"Pace": 300000, "Overlap": 2}`)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait() // killed, or whole
}

// ofMachines are the files of a run that depend on machines and times.
var ofMachines = []string{"run.json", "times.jsonl", "lock"}

// sameRun compares two run directories byte by byte, but for what depends on machines
// and times, and the records field by field, likewise.
func sameRun(t *testing.T, want, got string) {
	t.Helper()
	a, b := contents(t, want), contents(t, got)
	for name := range b {
		if _, ok := a[name]; !ok {
			t.Errorf("%s has %s, and %s does not", got, name, want)
		}
	}
	for name, text := range a {
		same := bytes.Equal
		if filepath.Dir(name) == "console" {
			same = sameLines
		}
		if !same(text, b[name]) {
			t.Errorf("%s differs in %s (%d bytes) and %s (%d bytes)", name, want, len(text), got, len(b[name]))
		}
	}
	x, y := recordOf(t, want), recordOf(t, got)
	if d := cmp.Diff(x, y); d != "" {
		t.Errorf("run.json (-%s +%s):\n%s", want, got, d)
	}
}

// sameLines compares lines, in any order: domains of the real Xen are counted side by
// side, and the one that ends first comes first on the console.
func sameLines(a, b []byte) bool {
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// contents are the files of a run that do not depend on the machine.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || slices.Contains(ofMachines, name) {
			return err
		}
		all[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatalf("%s is empty", dir)
	}
	return all
}

// recordOf is a run's record without what depends on machines and times.
func recordOf(t *testing.T, dir string) results.Run {
	t.Helper()
	run, err := results.ReadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	run.Started, run.Command, run.Host, run.Parts = time.Time{}, nil, results.Host{}, nil
	run.Spec = experiment.Portable(run.Spec)
	for i := range run.Images {
		run.Images[i].Path = filepath.Base(run.Images[i].Path)
		run.Images[i].Build = experiment.Portable(results.Spec{Builds: []hv.Build{run.Images[i].Build}}).Builds[0]
	}
	return run
}

// TestColdShards measures the real Xen's pipeline, with fakes for what it starts, whole
// on one machine and in shards on two others.
func TestColdShards(t *testing.T) {
	needDebian(t)
	one := newColdMachine(t)
	if out, err := one.command(append(slices.Clone(coldRun), "-o", "whole")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var parts []string
	for i := 1; i <= 2; i++ {
		m := newColdMachine(t)
		if out, err := m.command(append(slices.Clone(coldRun), "--shard", fmt.Sprintf("%d/2", i), "-o", "part")...).CombinedOutput(); err != nil {
			t.Fatalf("shard %d/2: %v\n%s", i, err, out)
		}
		if built := m.made()["xen-builds"]; built != 1 {
			t.Errorf("shard %d/2 built Xen %d times: it needs one of the two builds", i, built)
		}
		parts = append(parts, filepath.Join(m.dir, "part"))
	}
	if out, err := one.command(append([]string{"merge", "-o", "merged"}, parts...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sameRun(t, filepath.Join(one.dir, "whole"), filepath.Join(one.dir, "merged"))
	text, err := os.ReadFile(filepath.Join(one.dir, "merged", "times.jsonl"))
	if n := strings.Count(string(text), `"what":"boot"`); err != nil || n != 6 {
		t.Errorf("times of %d boots, want 6 (%v)", n, err)
	}
}
