package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// seriesSources are what becomes of a source, one revision after another: figures change,
// a build fails, a boot fails, and images come again, in other shards too.
var seriesSources = []string{
	"native count null 1\n",
	"flask count null 400\n",
	"flask count null 400\n# a remark\n",
	"flask build xen/common/a.c:3: error: ';' expected\n",
	"native boot Panic on CPU 0\n",
	"native count null 1\n",
	"flask count null 500\n",
}

// revisions makes a repository of them, and returns the arguments of their series.
func (s *fleetSite) revisions() []string {
	s.t.Helper()
	repo := filepath.Join(s.dir, "source")
	s.git("init", "-q", repo)
	for i, text := range seriesSources {
		s.commit(repo, "source.txt", text)
		s.git("-C", repo, "tag", fmt.Sprint("v", i))
	}
	return []string{"--target", "counting", "--source", repo, "--revs", fmt.Sprint("v0..v", len(seriesSources)-1), "--builds", "native,flask", "--bench", "lat_syscall|lat_sig"}
}

// wholeSeries measures the series on one machine that nobody disturbs, and returns what
// that says.
func (s *fleetSite) wholeSeries(args []string) (said string) {
	s.t.Helper()
	cmd := program(s.t, "{}", slices.Concat([]string{"series"}, args, []string{"--store", filepath.Join(s.dir, "whole.db"), "-o", filepath.Join(s.dir, "whole")})...)
	cmd.Env = append(cmd.Env, fleetPace, "XDG_CACHE_HOME="+filepath.Join(s.dir, "whole-cache"))
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("%v\n%s%s", err, out, errs.String())
	}
	return string(out)
}

// seriesFleet is a series that shards measure, which are killed.
type seriesFleet struct {
	t      *testing.T
	dir    string
	args   []string
	random *rand.Rand
	kills  int
}

// newSeriesFleet also returns what one machine says that nobody disturbs.
func newSeriesFleet(t *testing.T, random *rand.Rand) (f *seriesFleet, said string) {
	t.Helper()
	s := newFleetSite(t, false)
	args := s.revisions()
	return &seriesFleet{t: t, dir: s.dir, args: append([]string{"series"}, args...), random: random}, s.wholeSeries(args)
}

func (f *seriesFleet) path(name string) string { return filepath.Join(f.dir, name) }

// whole is the command of the series without shards.
func (f *seriesFleet) whole(name string) []string {
	return slices.Concat(f.args, []string{"--store", f.path(name + ".db"), "-o", f.path(name)})
}

// must runs a command to its end.
func (f *seriesFleet) must(args ...string) string {
	f.t.Helper()
	cmd := program(f.t, "{}", args...)
	cmd.Env = append(cmd.Env, fleetPace)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		f.t.Fatalf("%q: %v\n%s%s", args, err, out, errs.String())
	}
	return string(out)
}

// disturbed kills a command some times, and then lets it come to its end. It is killed a
// moment after it made so many steps, of at most so many.
func (f *seriesFleet) disturbed(steps func() int, most int, args ...string) string {
	f.t.Helper()
	for range f.random.IntN(3) {
		enough, moment := f.random.IntN(most+1), time.Duration(f.random.Int64N(int64(20*time.Millisecond)))
		cmd := program(f.t, "{}", args...)
		cmd.Env = append(cmd.Env, fleetPace)
		if err := cmd.Start(); err != nil {
			f.t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			for steps() < enough {
				select {
				case <-ended:
					return
				case <-time.After(time.Millisecond):
				}
			}
			time.Sleep(moment)
			_ = cmd.Process.Kill()
		}()
		err := cmd.Wait() // killed, or whole
		close(ended)
		if err != nil {
			f.kills++
		}
	}
	return f.must(args...)
}

// files counts the files below a directory, of a name or of any.
func files(dir, name string) (n int) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (name == "" || d.Name() == name) {
			n++
		}
		return nil
	})
	return n
}

// TestKilledSeries kills shards of a series at random moments, and the merge of them, and
// starts each again by the same command: what is merged is what one machine has that
// nobody disturbs.
func TestKilledSeries(t *testing.T) {
	kills := number(t, shardKills, 6)
	seed := number(t, shardSeed, 1)
	f, want := newSeriesFleet(t, rand.New(rand.NewPCG(uint64(seed), 2)))
	fleets := 0
	for ; f.kills < kills && !t.Failed(); fleets++ {
		n := 2 + f.random.IntN(4)
		merged := fmt.Sprint("merged", fleets)
		merge := []string{"merge", "--replace", "-o", f.path(merged)}
		for i := 1; i <= n; i++ {
			part := f.path(fmt.Sprintf("part%d-%d", fleets, i))
			f.disturbed(func() int { return endedBelow(part) }, 2*8/n, slices.Concat(f.args, []string{"--shard", fmt.Sprintf("%d/%d", i, n), "-o", part})...)
			merge = append(merge, part)
		}
		parts := merge[4:]
		f.random.Shuffle(len(parts), func(i, k int) { parts[i], parts[k] = parts[k], parts[i] })
		f.disturbed(func() int { return files(f.path(merged), "") }, 20, merge...)
		sameSeries(t, f.path("whole"), f.path(merged))
		if got := f.disturbed(func() int { return files(f.dir, merged+".db") }, 1, f.whole(merged)...); plain(f, got, merged) != plain(f, want, "whole") {
			t.Errorf("%d shards say:\n%s\none machine says:\n%s", n, got, want)
		}
		for _, d := range append(parts, f.path(merged)) {
			os.RemoveAll(d)
		}
	}
	t.Logf("%d kills in %d fleets, seed %d", f.kills, fleets, seed)
}

// plain is what a series says without the name of its directory.
func plain(f *seriesFleet, said, name string) string {
	return strings.ReplaceAll(said, f.path(name), "DIR")
}

// sameSeries compares what became of each revision, and each run.
func sameSeries(t *testing.T, want, got string) {
	t.Helper()
	a, b := entries(t, want), entries(t, got)
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("series.json (-%s +%s):\n%s", want, got, d)
		return
	}
	for _, e := range a {
		if run, _ := e["run"].(string); e["state"] == "measured" {
			sameRun(t, filepath.Join(want, run), filepath.Join(got, run))
		}
	}
}

// entries are what a series has of each revision, without what the history calls its run.
func entries(t *testing.T, dir string) map[string]map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "series.json"))
	var book struct{ Entries map[string]map[string]any }
	if err == nil {
		err = json.Unmarshal(text, &book)
	}
	if err != nil || len(book.Entries) != len(seriesSources) {
		t.Fatalf("%s: %v, %d revisions of %d", dir, err, len(book.Entries), len(seriesSources))
	}
	for _, e := range book.Entries {
		delete(e, "id")
		if reason, ok := e["reason"].(string); ok {
			e["reason"] = strings.ReplaceAll(reason, dir, "DIR")
		}
	}
	return book.Entries
}
