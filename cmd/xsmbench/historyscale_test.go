package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"xsmbench/reports/synthetic"
)

var (
	historyRuns       = flag.Int("history.runs", 40, "runs of the history that TestHistoryScale reads")
	historyBenchmarks = flag.Int("history.benchmarks", 20, "benchmarks of each of its runs")
	historyBuilds     = flag.String("history.builds", "native,flask", "builds of each of its runs")
	historySite       = flag.Bool("history.site", true, "write the history's site, too")
	historySeconds    = flag.Float64("history.seconds", 0, "how long \"history trend\" may take at most; 0 for any time")
	historyMB         = flag.Int64("history.mb", 0, "how much memory it may use at most; 0 for any")
)

// generateHistoryMain makes a history: generate-history FILE RUNS BENCHMARKS BUILDS.
func generateHistoryMain() {
	runs, err := strconv.Atoi(os.Args[2])
	benchmarks, err2 := strconv.Atoi(os.Args[3])
	if err == nil {
		err = err2
	}
	if err == nil {
		err = synthetic.Large{Runs: runs, Benchmarks: benchmarks, Builds: strings.Split(os.Args[4], ",")}.Store(os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestHistoryScale looks for changes in a history of many runs, and writes its site.
// The changes that are in it must be found, and each figure must be on the site; how
// long it took and how much memory it used is printed. "make bench-history" and
// "make bench-site" run it with thousands of runs.
func TestHistoryScale(t *testing.T) {
	dir := t.TempDir()
	store := filepath.Join(dir, "runs.db")
	cmd := program(t, "{}")
	cmd.Args = []string{"generate-history", store, strconv.Itoa(*historyRuns), strconv.Itoa(*historyBenchmarks), *historyBuilds}
	made := measure(t, cmd)
	builds := strings.Split(*historyBuilds, ",")
	trend := measure(t, program(t, "{}", "history", "trend", "--store", store))
	checkTrend(t, trend.out, builds)
	if *historySeconds > 0 && trend.wall.Seconds() > *historySeconds || *historyMB > 0 && trend.rss>>20 > *historyMB {
		t.Errorf("history trend took %.1f s and %d MB, and may take %g s and %d MB", trend.wall.Seconds(), trend.rss>>20, *historySeconds, *historyMB)
	}
	report := trend.line("history trend")
	if *historySite {
		out := filepath.Join(dir, "site")
		first := measure(t, program(t, "{}", "site", "--store", store, "-o", out))
		again := measure(t, program(t, "{}", "site", "--store", store, "-o", out))
		files, size := checkSite(t, out)
		report += first.line("site") + again.line("site, again") + fmt.Sprintf("the site has %d files, %d MB\n", files, size>>20)
	}
	info, err := os.Stat(store)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d runs of %d benchmarks in %d builds, a history of %d MB made in %.0f s\n%-18s %8s %8s %10s\n%s",
		*historyRuns, *historyBenchmarks, len(builds), info.Size()>>20, made.wall.Seconds(), "", "wall", "CPU", "peak RSS", report)
}

// checkTrend checks that all runs were read, each series is listed, and those changed
// that did.
func checkTrend(t *testing.T, text string, builds []string) {
	t.Helper()
	changed := 0
	for i := range *historyBenchmarks {
		if synthetic.LargeChanges(i) {
			changed += len(builds)
		}
	}
	first, _, _ := strings.Cut(text, "\n")
	if !strings.HasPrefix(first, fmt.Sprintf("%d runs, ", *historyRuns)) || !strings.HasSuffix(first, fmt.Sprintf(": %d changes", changed)) {
		t.Errorf("the first line is %q, want %d runs and %d changes", first, *historyRuns, changed)
	}
	for i := range *historyBenchmarks {
		if got, want := strings.Count(text, "\n"+synthetic.LargeName(i)+" "), len(builds); got != want {
			t.Errorf("%s is listed %d times, want %d", synthetic.LargeName(i), got, want)
		}
	}
}

// checkSite counts the site's files and bytes, and checks that there is a page for
// each benchmark and a file for each run.
func checkSite(t *testing.T, dir string) (files int, size int64) {
	t.Helper()
	kinds := map[string]int{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files, size = files+1, size+info.Size()
		kinds[filepath.Base(filepath.Dir(path))[:4]+filepath.Ext(path)]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if kinds["data.json"] != *historyRuns+1 || kinds["data.js"] != *historyRuns+1 || kinds["main.html"] != *historyBenchmarks+1 {
		t.Errorf("files by kind: %v", kinds)
	}
	return files, size
}
