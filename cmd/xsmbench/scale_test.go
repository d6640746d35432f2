package main

import (
	"bufio"
	"encoding/csv"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
)

var (
	scaleLines = flag.Int("scale.lines", 6000, "result lines that TestScale compares")
	scaleRuns  = flag.Int("scale.runs", 1, "how often TestScale times each program, for the median")
)

// What is compared at scale: three builds, two domains, sixty benchmarks, and
// as many boots as make up the lines.
var (
	scaleBuilds  = []string{"native", "dummy", "flask"}
	scaleDomains = []string{"dom0", "domU"}
)

const scaleBenchmarks = 60

// scaleShapes are the kinds of input. Each writes at least so many result lines
// below dir, and gives the paths for both programs and how many samples a row
// has.
var scaleShapes = []struct {
	name     string
	generate func(dir string, lines int) error
	perCell  func(lines int) int
	// paths are what the programs get, and benchstat what it gets besides.
	paths     func(dir string) []string
	benchstat []string
}{
	{"run directory", generateRun, scaleRounds, func(dir string) []string { return []string{dir} },
		[]string{"-col", "build@(native dummy flask)"}},
	{"Go benchmark files", generatePlain, func(lines int) int { return ceil(lines, len(scaleBuilds)*scaleBenchmarks) }, plainFiles, nil},
}

func ceil(a, b int) int { return (a + b - 1) / b }

func scaleRounds(lines int) int {
	return ceil(lines, len(scaleBuilds)*len(scaleDomains)*scaleBenchmarks)
}

// generateRun writes a run directory as a run writes it, with the windows of
// each sample.
func generateRun(dir string, lines int) error {
	spec := results.Spec{Target: "model", Workload: "idle", Rounds: scaleRounds(lines), Domains: scaleDomains}
	for _, b := range scaleBuilds {
		spec.Builds = append(spec.Builds, hv.Build{Name: b, Arch: "amd64"})
	}
	d, err := results.Create(dir, results.Run{Started: time.Date(2008, 1, 17, 0, 0, 0, 0, time.UTC), Spec: spec})
	if err != nil {
		return err
	}
	defer d.Close()
	random := rand.New(rand.NewPCG(1, 2))
	for round := 1; round <= spec.Rounds; round++ {
		for i, b := range spec.Builds {
			if err := generateBoot(d, results.Boot{
				Boot: d.LastBoot() + 1, Round: round, Order: i + 1, Layout: round,
				Image: fmt.Sprintf("%064x", i*spec.Rounds+round), Seed: int64(round),
			}, b, random); err != nil {
				return err
			}
		}
	}
	return nil
}

func generateBoot(d *results.Dir, boot results.Boot, b hv.Build, random *rand.Rand) error {
	w, err := d.Begin(boot, b)
	if err != nil {
		return err
	}
	for _, domain := range scaleDomains {
		for i := range scaleBenchmarks {
			m := bench.Measurement{Domain: domain, Benchmark: scaleName(i), Iterations: 1000 + int64(i), Windows: make([]float64, 11)}
			level := scaleValue(i, boot.Order-1, random)
			for j := range m.Windows {
				m.Windows[j] = hundredths(level * (1 + 0.005*random.Float64()))
			}
			sorted := slices.Sorted(slices.Values(m.Windows))
			m.Values = []bench.Value{{Value: sorted[5], Unit: "ns/op"}}
			if err := w.Add(m); err != nil {
				return err
			}
		}
	}
	return w.End()
}

// generatePlain writes what "go test -bench -count" prints, a file for each
// build.
func generatePlain(dir string, lines int) error {
	random := rand.New(rand.NewPCG(3, 4))
	per := ceil(lines, len(scaleBuilds)*scaleBenchmarks)
	for b, path := range plainFiles(dir) {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		w := bufio.NewWriter(f)
		fmt.Fprintf(w, "goos: linux\ngoarch: amd64\npkg: example.org/calls\n")
		for range per {
			for i := range scaleBenchmarks {
				fmt.Fprintf(w, "Benchmark%s-8\t%8d\t%10.2f ns/op\t%d B/op\n", scaleName(i), 1000+i, scaleValue(i, b, random), 16*i)
			}
		}
		fmt.Fprintf(w, "PASS\nok  \texample.org/calls\t1.000s\n")
		if err := w.Flush(); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

func plainFiles(dir string) []string {
	var paths []string
	for _, b := range scaleBuilds {
		paths = append(paths, filepath.Join(dir, b+".txt"))
	}
	return paths
}

func scaleName(i int) string { return fmt.Sprintf("Kbench/hypercall/op=call_%02d", i) }

// scaleValue is a time that build number b costs, two per cent more than the
// one before it, with noise of three.
func scaleValue(i, b int, random *rand.Rand) float64 {
	return hundredths(float64(50*(i+1)) * (1 + 0.02*float64(b)) * (1 + 0.03*random.Float64()))
}

func hundredths(v float64) float64 { return float64(int64(v*100)) / 100 }

// TestScale compares many result lines with this program and with benchstat on
// the same files. Every line must be in the figures; how long the programs took
// and how much memory they used is printed. "make bench-scale" runs it with a
// million lines.
func TestScale(t *testing.T) {
	for _, shape := range scaleShapes {
		t.Run(shape.name, func(t *testing.T) {
			dir := t.TempDir()
			generate(t, shape.name, dir)
			paths := shape.paths(dir)
			var files []string
			for _, p := range paths {
				if info, err := os.Stat(p); err == nil && info.IsDir() {
					found, err := filepath.Glob(filepath.Join(p, "results", "*.txt"))
					if err != nil {
						t.Fatal(err)
					}
					files = append(files, found...)
				} else {
					files = append(files, p)
				}
			}
			ours := func() *exec.Cmd {
				return program(t, "{}", append([]string{"compare", "--base", "native", "--format", "csv"}, paths...)...)
			}
			theirs := func() *exec.Cmd {
				return exec.Command(benchstatPath(t), append(slices.Clone(shape.benchstat), files...)...)
			}
			var a, b []usage
			for range *scaleRuns { // in turn: what else the machine does hits both
				a, b = append(a, measure(t, theirs())), append(b, measure(t, ours()))
			}
			checkScale(t, b[0].out, shape.perCell(*scaleLines))
			t.Logf("%d result lines, %s\n%-18s %8s %8s %10s\n%s%s", *scaleLines, shape.name, "", "wall", "CPU", "peak RSS",
				median(a).line("benchstat"), median(b).line("xsmbench compare"))
		})
	}
}

// generate makes the input in a process of its own: a child that is started
// begins with the peak of its parent's memory as its own.
func generate(t *testing.T, shape, dir string) {
	t.Helper()
	cmd := program(t, "{}")
	cmd.Args = []string{"generate", shape, dir, strconv.Itoa(*scaleLines)}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("generate: %v\n%s", err, out)
	}
}

func generateMain() {
	for _, s := range scaleShapes {
		if s.name == os.Args[1] {
			lines, err := strconv.Atoi(os.Args[3])
			if err == nil {
				err = s.generate(os.Args[2], lines)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
}

func benchstatPath(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "tool", "-n", "benchstat").Output()
	if err != nil {
		t.Fatalf("build benchstat: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// usage is what one execution took.
type usage struct {
	wall, cpu time.Duration
	rss       int64 // bytes
	out       string
}

func (u usage) line(name string) string {
	return fmt.Sprintf("%-18s %6.2f s %6.2f s %7d MB\n", name, u.wall.Seconds(), u.cpu.Seconds(), u.rss>>20)
}

// measure runs a command.
func measure(t *testing.T, cmd *exec.Cmd) usage {
	t.Helper()
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	begun := time.Now()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Args[0], err, errs.String())
	}
	wall := time.Since(begun)
	state := cmd.ProcessState
	peak := state.SysUsage().(*syscall.Rusage).Maxrss << 10
	return usage{wall, state.UserTime() + state.SystemTime(), int64(peak), out.String()}
}

// median gives the median of each figure.
func median(all []usage) usage {
	middle := func(figure func(usage) int64) int64 {
		var figures []int64
		for _, u := range all {
			figures = append(figures, figure(u))
		}
		slices.Sort(figures)
		return figures[len(figures)/2]
	}
	return usage{
		wall: time.Duration(middle(func(u usage) int64 { return int64(u.wall) })),
		cpu:  time.Duration(middle(func(u usage) int64 { return int64(u.cpu) })),
		rss:  middle(func(u usage) int64 { return u.rss }),
	}
}

// checkScale checks that every row is there and stands on every sample.
func checkScale(t *testing.T, text string, perCell int) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("read the comparison: %v\n%s", err, text)
	}
	n, name := slices.Index(rows[0], "n"), slices.Index(rows[0], "benchmark")
	if n < 0 || name < 0 {
		t.Fatalf("no column n or benchmark: %q", rows[0])
	}
	seen := map[string]bool{}
	for _, r := range rows[1:] {
		seen[r[name]] = true
		if got, err := strconv.Atoi(r[n]); err != nil || got != perCell {
			t.Errorf("a row stands on %s samples, want %d: %q", r[n], perCell, r)
		}
	}
	if len(seen) < scaleBenchmarks {
		t.Errorf("%d benchmarks in the comparison, want %d", len(seen), scaleBenchmarks)
	}
}
