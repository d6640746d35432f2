package merge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"xsmbench/bench"
	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/results"
)

// image is that of a build, by its name.
func image(b hv.Build) hv.Image {
	return hv.Image{Build: b, Hash: fmt.Sprintf("%064x", b.Name), Toolchain: "cc 1"}
}

// specOf has two builds that are counted in one domain.
func specOf(rounds int) results.Spec {
	return results.Spec{
		Target: "counting", Domains: []string{"dom0"}, Benchmarks: []string{"Kbench/hypercall/op=xen_version"}, Workload: "idle", Rounds: rounds,
		Builds: []hv.Build{{Name: "a", Arch: "amd64"}, {Name: "b", Arch: "amd64"}}, Options: bench.Options{Windows: 20},
	}
}

// writeShard writes the directory of a shard that has some places, as a run writes it.
func writeShard(t testing.TB, dir string, index, of int, spec results.Spec, places []int, change func(*results.Run)) {
	t.Helper()
	run := results.Run{Schema: results.Schema, Tool: "devel", Started: time.Date(2026, 1, 1, 0, 0, index, 0, time.UTC), Spec: spec,
		Host: results.Host{CPU: fmt.Sprint("CPU ", index%3), CPUs: 2}, Shard: &results.Shard{Index: index, Of: of, Places: places}}
	texts := map[string]string{}
	slots := experiment.Schedule(spec)
	told := map[string]bool{}
	for n, place := range places {
		s := slots[place-1]
		img := image(s.Build)
		name := s.Build.Name + "-amd64-dom0.txt"
		if !told[s.Build.Name] {
			told[s.Build.Name] = true
			run.Images = append(run.Images, img)
			run.Shard.Told = append(run.Shard.Told, results.Told{Build: s.Build.Name, Arch: "amd64", Settings: []hv.Setting{{Item: hv.SettingEmulator, Text: "QEMU 7.2"}}})
			texts[name] = fmt.Sprintf("target: counting\narch: amd64\nbuild: %s\ndomain: dom0\nworkload: idle\n", s.Build.Name)
		}
		texts[name] += fmt.Sprintf("# boot: boot=%d round=%d order=%d layout=%d image=%s seed=%d\nBenchmarkKbench/hypercall/op=xen_version 20 %d instr/op\n# end: boot=%d samples=1 total=1\n",
			n+1, s.Round, s.Order, s.Layout, img.Hash, s.Round, 1000+place, n+1)
	}
	if change != nil {
		change(&run)
	}
	record, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	texts["../run.json"] = string(record)
	if err := os.MkdirAll(filepath.Join(dir, "results"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, "results", name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDiffers: what is not of one run is refused, and what differs is named.
func TestDiffers(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*results.Run)
		want   string
	}{
		{"nothing", nil, ""},
		{"rounds", func(r *results.Run) { r.Spec.Rounds = 3 }, "rounds: it has 3, and A has 2: they are runs of different plans"},
		{"a benchmark", func(r *results.Run) { r.Spec.Benchmarks = nil }, "benchmarks: it has null, and A has [\"Kbench"},
		{"the program", func(r *results.Run) { r.Tool = "v2" }, "the version of xsmbench: it has v2, and A has devel: measure"},
		{"an image", func(r *results.Run) { r.Images = append(r.Images, hv.Image{Build: r.Spec.Builds[0], Hash: "abc"}) }, "the image of a amd64: it has abc, and A has 000000000000: build"},
		{"a compiler", func(r *results.Run) {
			img := image(r.Spec.Builds[0])
			img.Toolchain = "cc 2"
			r.Images = append(r.Images, img)
		}, "the compiler of a amd64: it has cc 2, and A has cc 1: build"},
		{"the emulator", func(r *results.Run) { r.Shard.Told[0].Settings[0].Text = "QEMU 10" }, "the emulator of b: it has QEMU 10, and A has QEMU 7.2: set"},
		{"the guests", func(r *results.Run) {
			r.Shard.Told = append(r.Shard.Told, results.Told{Build: "a", Arch: "amd64", Settings: []hv.Setting{{Item: hv.SettingGuests, Text: "Linux 6"}}})
		}, ""}, // of which the other says nothing
		{"files", func(r *results.Run) { r.Images[0].Hash = "abc" }, "boot 1, of b in round 1: it is of the image 000000000000, which is not the one that run.json names"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			a, b := filepath.Join(dir, "A"), filepath.Join(dir, "B")
			writeShard(t, a, 1, 2, specOf(2), []int{1, 4}, nil)
			writeShard(t, b, 2, 2, specOf(2), []int{2, 3}, c.change)
			_, err := Merge(context.Background(), Request{Dirs: []string{a, b}, Output: filepath.Join(dir, "out")})
			text := ""
			if err != nil {
				text = strings.ReplaceAll(strings.ReplaceAll(err.Error(), a, "A"), b, "B")
			}
			if c.want == "" && err != nil || !strings.Contains(text, c.want) {
				t.Errorf("error %q, want %q", text, c.want)
			}
			if _, none := os.Stat(filepath.Join(dir, "out", "run.json")); (none == nil) != (err == nil) {
				t.Errorf("error %v, and of the run: %v", err, none)
			}
		})
	}
}

// TestPaths: a tree may be elsewhere on each machine.
func TestPaths(t *testing.T) {
	dir := t.TempDir()
	var dirs []string
	for i, path := range []string{"/home/a/xen", "/builds/xen"} {
		spec := specOf(1)
		for k := range spec.Builds {
			spec.Builds[k].Source = path
		}
		dirs = append(dirs, filepath.Join(dir, fmt.Sprint(i)))
		writeShard(t, dirs[i], i+1, 2, spec, []int{i + 1}, nil)
	}
	if _, err := Merge(context.Background(), Request{Dirs: dirs, Output: filepath.Join(dir, "out")}); err != nil {
		t.Error(err)
	}
}

// TestThousandShards merges a boot of each of 1,000 shards. It allocates in proportion
// to their number, and what is missing is named.
func TestThousandShards(t *testing.T) {
	few, _ := mergeMany(t, 250, false)
	many, r := mergeMany(t, 1000, true)
	if len(r.Missing) != 1 || r.Missing[0].Place != 500 || r.Boots != 999 || len(r.Absent) != 1 || r.Absent[0] != "500/1000" {
		t.Errorf("%d boots, missing %+v, absent %v", r.Boots, r.Missing, r.Absent)
	}
	if ratio := float64(many) / float64(few); ratio > 4.6 {
		t.Errorf("four times as many shards allocate %.2f times as much", ratio)
	}
}

// mergeMany merges n shards of a boot each, all but one if less, and tells how many
// bytes that allocated.
func mergeMany(t testing.TB, n int, less bool) (uint64, *Result) {
	t.Helper()
	dir, spec := t.TempDir(), specOf(n/2)
	var dirs []string
	for i := 1; i <= n; i++ {
		if less && i == n/2 {
			continue
		}
		dirs = append(dirs, filepath.Join(dir, fmt.Sprint(i)))
		writeShard(t, dirs[len(dirs)-1], i, n, spec, []int{i}, nil)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := Merge(context.Background(), Request{Dirs: dirs, Output: filepath.Join(dir, "out")})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	run, err := results.ReadRun(filepath.Join(dir, "out"))
	if err != nil || len(run.Parts) != len(dirs) || run.Host.CPU != "CPU 0 and CPU 1 and CPU 2" {
		t.Errorf("%d parts of %d, on %q (%v)", len(run.Parts), len(dirs), run.Host.CPU, err)
	}
	samples, problems, err := results.ReadFiles(filepath.Join(dir, "out"))
	if err != nil || len(problems) > 0 || len(samples) != len(dirs) {
		t.Errorf("%d samples, problems %v, %v", len(samples), problems, err)
	}
	for _, s := range samples {
		if v, _ := s.Value("instr/op"); int(v) != 1000+s.Boot.Boot {
			t.Fatalf("boot %d has %v", s.Boot.Boot, v)
		}
	}
	return after.TotalAlloc - before.TotalAlloc, r
}

// BenchmarkMerge merges shards of a boot each.
func BenchmarkMerge(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir, spec := b.TempDir(), specOf(n/2)
			var dirs []string
			for i := 1; i <= n; i++ {
				dirs = append(dirs, filepath.Join(dir, fmt.Sprint(i)))
				writeShard(b, dirs[i-1], i, n, spec, []int{i}, nil)
			}
			for b.Loop() {
				if _, err := Merge(context.Background(), Request{Dirs: dirs, Output: filepath.Join(dir, "out"), Replace: true}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/shard")
		})
	}
}

// TestInterruptedMerge: what a merge that was killed left behind is no run, and the
// next one removes it.
func TestInterruptedMerge(t *testing.T) {
	dir := t.TempDir()
	a, out := filepath.Join(dir, "a"), filepath.Join(dir, "out")
	writeShard(t, a, 1, 1, specOf(1), []int{1, 2}, nil)
	for _, sub := range []string{"results", ".merging/results", ".merging/console"} {
		if err := os.MkdirAll(filepath.Join(out, sub), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(out, sub, "a-amd64-dom0.txt"), []byte("half"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	stopped := errors.New("stopped")
	cancel(stopped)
	if _, err := Merge(ctx, Request{Dirs: []string{a}, Output: out}); !errors.Is(err, stopped) {
		t.Errorf("error %v, want %v", err, stopped)
	}
	if _, err := Merge(context.Background(), Request{Dirs: []string{a}, Output: out}); err != nil {
		t.Fatal(err)
	}
	if samples, problems, err := results.ReadFiles(out); err != nil || len(problems) > 0 || len(samples) != 2 {
		t.Errorf("%d samples, %v, %v", len(samples), problems, err)
	}
	if _, err := os.Stat(filepath.Join(out, ".merging")); err == nil {
		t.Error("the folder that it was put together in is still there")
	}
	// Samples that somebody copied there are not removed.
	mine := filepath.Join(dir, "mine")
	if err := os.CopyFS(filepath.Join(mine, "results"), os.DirFS(filepath.Join(a, "results"))); err != nil {
		t.Fatal(err)
	}
	if _, err := Merge(context.Background(), Request{Dirs: []string{a}, Output: mine}); !errors.Is(err, results.ErrExists) {
		t.Errorf("error %v, want %v", err, results.ErrExists)
	}
}
