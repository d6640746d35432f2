//go:build realxen

package realtest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"xsmbench/hv"
	"xsmbench/hv/xen"
	"xsmbench/internal/require"
)

// program is the command, built once for all tests.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	if missing := missing(); missing != "" {
		if require.Everything() {
			fmt.Fprintln(os.Stderr, "FAIL: the real Xen cannot be tested here:", missing)
			return 1
		}
		fmt.Println("SKIPPED: the real Xen is not tested on this machine:", missing)
		return 0
	}
	dir, err := os.MkdirTemp("", "xsmbench-realtest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "xsmbench")
	if out, err := exec.Command("go", "build", "-o", program, "xsmbench/cmd/xsmbench").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// missing is what doctor misses, "" for nothing.
func missing() string {
	var list []string
	for _, f := range xen.New().Doctor(context.Background(), hv.Build{}) {
		if !f.OK && !f.Advice {
			list = append(list, f.What+": "+f.Detail)
		}
	}
	return strings.Join(list, "; ")
}

// suite is a short one: what the checks below look at.
const suite = `lat_syscall/op=null$|vm/op=anon_touch$|lat_proc/op=fork$|lat_pipe$|op=(xen_version|evtchn_status|evtchn_send_peer|evtchn_alloc_close|evtchn_roundtrip|grant_map_unmap)$`

// measure runs the command's run into a new directory.
func measure(t *testing.T, args ...string) string {
	t.Helper()
	return measureWith(t, os.Getenv("PATH"), args...)
}

// measureWith does so with the programs that are found by a path.
func measureWith(t *testing.T, path string, args ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	args = append([]string{"run", "--target", "xen", "--bench", suite, "-o", dir}, args...)
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "PATH="+path)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("xsmbench %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
	return dir
}

// row is a line of a comparison.
type row struct {
	Benchmark, Domain, Build, Unit string
	Base, Value                    *float64
	Verdict                        string
	exact                          bool
	warnings                       []string // why it is not exact, among them
}

// comparison is what the checks need of compare's JSON.
type comparison struct {
	rows, controls map[string]row     // by build, domain and benchmark
	figures        map[string]float64 // by build, domain, benchmark and unit
}

func key(words ...string) string { return strings.Join(words, " ") }

func compareRun(t testing.TB, dir string, args ...string) comparison {
	t.Helper()
	out, err := exec.Command(program, append([]string{"compare", dir, "--format", "json"}, args...)...).Output()
	if err != nil {
		t.Fatalf("compare %s: %v", dir, err)
	}
	var doc struct {
		Rows, Controls []row
		Checks         []struct {
			Exact    bool
			Warnings []string
		}
		Figures []struct {
			Benchmark, Domain, Build, Unit string
			Value                          float64
		}
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	c := comparison{map[string]row{}, map[string]row{}, map[string]float64{}}
	for i, r := range doc.Rows {
		r.exact, r.warnings = doc.Checks[i].Exact, doc.Checks[i].Warnings
		c.rows[key(r.Build, r.Domain, r.Benchmark)] = r
	}
	for i, r := range doc.Controls {
		r.exact, r.warnings = doc.Checks[len(doc.Rows)+i].Exact, doc.Checks[len(doc.Rows)+i].Warnings
		c.controls[key(r.Build, r.Domain, r.Benchmark)] = r
	}
	for _, f := range doc.Figures {
		c.figures[key(f.Build, f.Domain, f.Benchmark, f.Unit)] = f.Value
	}
	return c
}

// consoles are those of a run's boots, by build.
func consoles(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "console", "*.log"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no consoles in %s: %v", dir, err)
	}
	all := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		_, build, _ := strings.Cut(strings.TrimSuffix(filepath.Base(f), ".log"), "-")
		all[build] += string(text)
	}
	return all
}

// lines are the result lines of a run, by file.
func lines(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "results", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no results in %s: %v", dir, err)
	}
	all := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = strings.Join(regexp.MustCompile(`(?m)^Benchmark.*$`).FindAllString(string(text), -1), "\n")
	}
	return all
}

// images are a run's images, by build.
func images(t *testing.T, dir string) map[string]hv.Image {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	var run struct{ Images []hv.Image }
	if err := json.Unmarshal(text, &run); err != nil {
		t.Fatal(err)
	}
	all := map[string]hv.Image{}
	for _, img := range run.Images {
		all[img.Build.Name] = img
	}
	return all
}
