package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"xsmbench/cmd/xsmbench/internal/cli"
	"xsmbench/reports/synthetic"
	"xsmbench/results"
)

// said runs a command in this process.
func said(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = cli.Run(args, &out, &err)
	return code, out.String(), err.String()
}

// copied is a copy of one of the documentation's runs.
func copied(t testing.TB, run string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), run)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("../../docs/testdata", run))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// later is a copy of a run that was started another time.
func later(t testing.TB) string {
	t.Helper()
	dir := copied(t, "xen")
	edit(t, dir, "run.json", func(text string) string { return strings.Replace(text, `"started": "2`, `"started": "3`, 1) })
	return dir
}

// edit replaces text in those files of a run whose name matches.
func edit(t testing.TB, dir, files string, change func(text string) string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, files))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s in %s: %v", files, dir, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, []byte(change(string(text))), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func remove(t testing.TB, dir, files string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, files))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s in %s: %v", files, dir, err)
	}
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// without takes a benchmark out of the samples of a run, as if the run had not
// measured it: the counts at the ends of boots fit.
func without(t testing.TB, dir, files, benchmark string) {
	t.Helper()
	counts := regexp.MustCompile(`(?m)^# end: boot=(\d+) samples=(\d+) total=(\d+)$`)
	edit(t, dir, files, func(text string) string {
		var kept []string
		skip, left := false, 0
		for _, line := range strings.Split(text, "\n") {
			switch {
			case strings.HasPrefix(line, "Benchmark"):
				if skip = strings.HasPrefix(line, "Benchmark"+benchmark+" "); !skip {
					left++
				}
			case strings.HasPrefix(line, "# warning:") || strings.HasPrefix(line, "# windows:"):
			default:
				skip = false
			}
			if m := counts.FindStringSubmatch(line); m != nil {
				text, err := json.Marshal(left)
				if err != nil {
					t.Fatal(err)
				}
				line, left = "# end: boot="+m[1]+" samples="+string(text)+" total="+m[3], 0
			}
			if !skip {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "\n")
	})
}

// planWithout takes a benchmark out of run.json.
func planWithout(t testing.TB, dir, benchmark string) {
	t.Helper()
	edit(t, dir, "run.json", func(text string) string {
		return regexp.MustCompile(`\s*"`+regexp.QuoteMeta(benchmark)+`",?`).ReplaceAllString(text, "")
	})
}

// rebuilt gives images other hashes: another build, which is judged.
func rebuilt(t testing.TB, dir, files string) {
	t.Helper()
	edit(t, dir, files, func(text string) string {
		return regexp.MustCompile(`image=.`).ReplaceAllString(text, "image=f")
	})
}

const send = "Kbench/hypercall/op=evtchn_status"

// TestGateAccounts holds the gate's exit code and words against what was taken
// from a run, renamed, or broken.
func TestGateAccounts(t *testing.T) {
	xen := filepath.Join("..", "..", "docs", "testdata", "xen")
	nights := t.TempDir()
	if err := synthetic.WriteNightly(nights); err != nil {
		t.Fatal(err)
	}
	night := func(n string) string { return filepath.Join(nights, n) }
	renamed := filepath.Join(t.TempDir(), "ren")
	if err := os.CopyFS(renamed, os.DirFS(night("12"))); err != nil {
		t.Fatal(err)
	}
	for _, files := range []string{"results/flask*", "run.json"} {
		edit(t, renamed, files, func(text string) string {
			return strings.NewReplacer(`"name": "flask"`, `"name": "flask-new"`, "build: flask\n", "build: flask-new\n").Replace(text)
		})
	}
	if err := os.Rename(filepath.Join(renamed, "results/flask-amd64-dom0.txt"), filepath.Join(renamed, "results/flask-new-amd64-dom0.txt")); err != nil {
		t.Fatal(err)
	}
	write := func(text string) string {
		config := filepath.Join(t.TempDir(), "x.toml")
		if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return config
	}
	twoNames := func(benchmark string) string {
		dir := filepath.Join(t.TempDir(), "moved")
		if err := os.CopyFS(dir, os.DirFS(night("12"))); err != nil {
			t.Fatal(err)
		}
		for _, files := range []string{"results/*", "run.json"} {
			edit(t, dir, files, func(text string) string {
				return strings.ReplaceAll(text, "Kbench/hypercall/op=evtchn_send", benchmark)
			})
		}
		return dir
	}
	gone := func() string { // what this run did not select
		dir := later(t)
		rebuilt(t, dir, "results/*")
		without(t, dir, "results/*", send)
		planWithout(t, dir, send)
		return dir
	}
	changed := func(change func(dir string)) string {
		dir := later(t)
		change(dir)
		return dir
	}
	const waiver = "[[waive]]\nbenchmark = \"op=evtchn_status$\"\nuntil = 2999-12-31\nreason = \"it is not measured any more\"\n"
	for _, tt := range []struct {
		name string
		args []string
		code int
		says []string // parts of standard output, by regular expressions
	}{
		{"as it was", []string{xen, "--only", "dummy", "--margin", "40%"}, 0, []string{`^pass: of 12 rows 12 within the margin, against native\n`, `evtchn_roundtrip`}},
		{"renamed build", []string{renamed, "--against", night("01"), "--only", "flask-new"}, 2,
			[]string{`^not judged: of 3 rows 3 not judged, each build against itself in `, `flask-new +dom0 +Lmbench/lat_proc/op=fork .* the earlier run does not have it \(ns/op\)`,
				`build flask is only in the earlier run, and flask-new only in this one; if it was renamed, --rename flask=flask-new compares`}},
		{"renamed, with all builds", []string{renamed, "--against", night("01")}, 2, []string{`^not judged: `, `flask +dom0 .* only the earlier run has it`}},
		{"renamed, and allowed, with nothing left", []string{renamed, "--against", night("01"), "--only", "flask-new", "--allow-missing"}, 2,
			[]string{`^not judged: of 3 rows 3 not judged, which is allowed`}},
		{"--rename judges it", []string{renamed, "--against", night("01"), "--only", "flask-new", "--rename", "flask=flask-new"}, 1,
			[]string{`^regression: of 3 rows 1 slower, `, `note: renamed: flask of the earlier run is flask-new here`}},
		{"[rename] judges it", []string{renamed, "--against", night("01"), "--only", "flask-new", "--config", write("[rename]\nflask = \"flask-new\"\n")}, 1, []string{`^regression: `}},
		{"renamed benchmark", []string{twoNames("Kbench/hypercall/op=evtchn_notify"), "--against", night("01"), "--only", "flask"}, 2,
			[]string{`^not judged: of 4 rows 2 not judged, `, `benchmark Kbench/hypercall/op=evtchn_send is only in the earlier run, and Kbench/hypercall/op=evtchn_notify`}},
		{"--rename of a typing error", []string{renamed, "--against", night("01"), "--rename", "flsk=flask-new"}, 3, nil},
		{"--rename to a typing error", []string{renamed, "--against", night("01"), "--rename", "flask=flask-nwe"}, 3, nil},
		{"--rename to a build that was there", []string{renamed, "--against", night("01"), "--rename", "flask=native"}, 3, nil},
		{"--rename without an earlier run", []string{renamed, "--rename", "flask=flask-new"}, 3, nil},
		{"benchmark gone", []string{gone(), "--against", xen, "--margin", "5%"}, 2,
			[]string{`^not judged: of \d+ rows 6 not judged, `, `native, dummy, flask +dom0, domU +` + send + ` .* only the earlier run has it \(xen-instr/op\)`}},
		{"benchmark gone, allowed", []string{gone(), "--against", xen, "--margin", "5%", "--allow-missing"}, 0, []string{`^pass: of \d+ rows 6 not judged, which is allowed, `, send}},
		{"benchmark gone, waived", []string{gone(), "--against", xen, "--margin", "5%", "--config", write(waiver)}, 0, []string{`^pass: of \d+ rows 6 waived, `}},
		{"benchmark gone, inconclusive allowed", []string{gone(), "--against", xen, "--margin", "5%", "--allow-inconclusive"}, 2, []string{`^not judged: `}},
		{"benchmark new", []string{xen, "--against", gone(), "--margin", "5%"}, 2, []string{send + ` .* the earlier run does not have it`}},
		{"domain gone", []string{changed(func(dir string) { remove(t, dir, "results/*domU*") }), "--margin", "40%"}, 3,
			[]string{`^incomplete: of \d+ rows 21 without a sample, `, `native, dummy, flask +domU +7 benchmarks .* planned, but there is no sample`}},
		{"domain gone, missing allowed", []string{changed(func(dir string) { remove(t, dir, "results/*domU*") }), "--margin", "40%", "--allow-missing"}, 3, []string{`^incomplete: `}},
		{"domain gone, waived", []string{changed(func(dir string) { remove(t, dir, "results/*domU*") }), "--margin", "40%", "--config", write(strings.Replace(waiver, "op=evtchn_status$", ".", 1) + "domain = \"domU\"\n")}, 0, []string{`^pass: of \d+ rows 21 waived, 12 within the margin`}},
		{"domain gone, against itself as it was", []string{changed(func(dir string) { remove(t, dir, "results/*domU*"); rebuilt(t, dir, "results/*") }), "--against", xen}, 3, []string{`^incomplete: `}},
		{"domain gone from the earlier run", []string{xen, "--against", changed(func(dir string) { remove(t, dir, "results/*domU*") })}, 2, []string{`domU .* the earlier run does not have it`}},
		{"build gone", []string{changed(func(dir string) { remove(t, dir, "results/flask*") }), "--margin", "40%"}, 3, []string{`^incomplete: `, `flask +dom0, domU +7 benchmarks`}},
		{"build gone, another judged", []string{changed(func(dir string) { remove(t, dir, "results/flask*") }), "--only", "dummy", "--margin", "40%"}, 0, []string{`^pass: `}},
		{"base gone in a domain", []string{changed(func(dir string) { remove(t, dir, "results/native*domU*") }), "--only", "dummy", "--margin", "40%"}, 3,
			[]string{`native +domU +7 benchmarks`, `dummy +domU .* native does not have it`}},
		{"one benchmark of one build", []string{changed(func(dir string) { without(t, dir, "results/flask-amd64-dom0.txt", send) }), "--margin", "40%"}, 3,
			[]string{`flask +dom0 +` + send + ` +– +– +planned, but there is no sample`}},
		{"could not be measured, as the run says", []string{changed(func(dir string) {
			without(t, dir, "results/flask-amd64-dom0.txt", send)
			edit(t, dir, "results/flask-amd64-dom0.txt", func(text string) string {
				return strings.ReplaceAll(text, "# end:", "# missing: "+send+" the policy forbids it\n# end:")
			})
		}), "--margin", "40%"}, 2, []string{`^not judged: `, `planned, but could not be measured: the policy forbids it`}},
		{"a unit gone", []string{changed(func(dir string) {
			rebuilt(t, dir, "results/*")
			edit(t, dir, "results/*dom0*", func(text string) string { return strings.ReplaceAll(text, " xen-instr/op", " ns/op") })
		}), "--against", xen}, 2, []string{`only the earlier run has it \(xen-instr/op\)`, `the earlier run does not have it \(ns/op\)`}},
		{"no cost in any build", []string{changed(func(dir string) {
			edit(t, dir, "results/*domU*", func(text string) string { return strings.ReplaceAll(text, " xen-instr/op", " odd-instr") })
		}), "--margin", "40%"}, 2, []string{`no sample has a cost`}},
		{"no run.json", []string{changed(func(dir string) { remove(t, dir, "run.json") }), "--only", "dummy", "--margin", "40%"}, 2, []string{`^not judged: `, `there is no run.json`}},
		{"damaged run.json", []string{changed(func(dir string) { edit(t, dir, "run.json", func(text string) string { return text[:len(text)/2] }) }), "--only", "dummy", "--margin", "40%"}, 3,
			[]string{`^damaged: `, `\ndamaged input: `}},
		{"two builds of one name", []string{changed(func(dir string) {
			edit(t, dir, "run.json", func(text string) string { return strings.ReplaceAll(text, `"name": "native"`, `"name": "dummy"`) })
		}), "--only", "dummy", "--margin", "40%"}, 3, []string{`^damaged: `, `two builds have the name dummy: their samples cannot be told apart`}},
		{"damaged samples", []string{changed(func(dir string) {
			edit(t, dir, "results/dummy*dom0*", func(text string) string { return text + "@@@\n" })
		}), "--only", "dummy", "--margin", "40%"}, 3,
			[]string{`^damaged: of 12 rows 12 within the margin, against native\n`}},
		{"damaged earlier run", []string{xen, "--against", changed(func(dir string) {
			edit(t, dir, "results/dummy*dom0*", func(text string) string { return text + "@@@\n" })
		})}, 3, []string{`^damaged: `}},
		{"nothing in common", []string{night("12"), "--against", xen}, 2, []string{`^not judged: `}},
		{"identical images", []string{changed(func(string) {}), "--against", night("12")}, 2, []string{`^not judged: `}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := t.TempDir()
			at := func(name string) string { return filepath.Join(files, name) }
			code, stdout, stderr := said(append([]string{"gate", "--junit", at("j.xml"), "--summary", at("s.md"), "--gitlab", at("g.json"), "--comment", at("c.md")}, tt.args...)...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.says {
				if !regexp.MustCompile(want).MatchString(stdout) {
					t.Errorf("it does not say %q", want)
				}
			}
			if code != 0 {
				neverPasses(t, stdout+stderr, files)
			}
			if t.Failed() {
				t.Logf("%s%s", stdout, stderr)
			}
		})
	}
}

// neverPasses looks for the word in all that a run that failed says.
func neverPasses(t *testing.T, said, files string) {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(files, "*"))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		said += string(text)
	}
	if found := regexp.MustCompile(`(?im)^.*\bpass(es|ed)?\b.*$`).FindString(said); found != "" {
		t.Errorf("a run that failed says: %s", found)
	}
}

// Images that are the earlier run's have nothing to be judged, which is said.
func TestGateIdentical(t *testing.T) {
	dir := later(t)
	code, stdout, _ := said("gate", dir, "--against", copied(t, "xen"))
	if want := "pass: no row to judge: the images are identical (native, dummy, flask), each build against itself in "; code != 0 || !strings.HasPrefix(stdout, want) {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

// A run of a history stands in for a directory: the last one of the label.
func TestGateAgainstStore(t *testing.T) {
	dir := t.TempDir()
	if err := synthetic.WriteNightly(dir); err != nil {
		t.Fatal(err)
	}
	store := filepath.Join(dir, "runs.db")
	night := func(n string) string { return filepath.Join(dir, n) }
	for _, add := range [][]string{{"main", night("01"), night("05")}, {"topic", night("12")}} {
		if code, _, stderr := said(append([]string{"history", "add", "--store", store, "--label"}, add...)...); code != 0 {
			t.Fatal(stderr)
		}
	}
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{night("12"), "--against-store", store, "--label", "main"}, 1, `^regression: of .*each build against itself in \w{8} \(main\) of 2008-01-05 in `},
		{[]string{night("05"), "--against-store", store, "--label", "main", "--allow-inconclusive"}, 0, `\(main\) of 2008-01-01 in `},
		{[]string{night("13"), "--against-store", store, "--allow-inconclusive"}, 0, `\(topic\) of 2008-01-12 in `},
		{[]string{night("12"), "--against-store", store, "--label", "topic"}, 3, `has no earlier run with the label topic`},
		{[]string{night("12"), "--against-store", store, "--label", "mian"}, 3, `did you mean "main"`},
		{[]string{night("12"), "--against-store", store, "--against", night("01")}, 3, `leave one out`},
		{[]string{night("12"), "--label", "main"}, 3, `--label: .*--against-store`},
		{[]string{night("12"), "--against-store", filepath.Join(dir, "none.db")}, 3, `no history at `},
	} {
		code, stdout, stderr := said(append([]string{"gate"}, tt.args...)...)
		if code != tt.code || !regexp.MustCompile(tt.says).MatchString(stdout+stderr) {
			t.Errorf("%q: exit code %d, want %d, and %s in:\n%s%s", tt.args, code, tt.code, tt.says, stdout, stderr)
		}
	}
}

// TestFirstLine: compare and report begin with what is missing.
func TestFirstLine(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(dir string)
		want   string // "" for nothing
	}{
		{"whole", func(string) {}, ""},
		{"build gone", func(dir string) { remove(t, dir, "results/flask*") }, "incomplete: planned, but without a sample: build flask"},
		{"domain gone", func(dir string) { remove(t, dir, "results/*domU*") }, "incomplete: planned, but without a sample: domain domU"},
		{"benchmark gone", func(dir string) { without(t, dir, "results/*", send) }, "incomplete: planned, but without a sample: benchmark " + send},
		{"one file gone", func(dir string) {
			remove(t, dir, "results/*-domU.txt")
			without(t, dir, "results/dummy-*", send)
		}, "incomplete: planned, but without a sample: domain domU, " + send + " in dom0 of dummy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := copied(t, "xen")
			tt.change(dir)
			for _, format := range []string{"text", "markdown", "lkp", "mail", "csv", "json", "benchstat"} {
				code, stdout, stderr := said("compare", dir, "--format", format)
				first, _, _ := strings.Cut(stdout, "\n")
				if format == "csv" || format == "json" || format == "benchstat" {
					first, _, _ = strings.Cut(strings.TrimPrefix(stderr, "xsmbench: "), "\n")
				}
				plain := strings.NewReplacer("*", "", `\`, "").Replace(first)
				if code != 0 || tt.want != "" && format != "mail" && plain != tt.want || strings.HasPrefix(plain, "incomplete") != (tt.want != "") {
					t.Errorf("%s: exit code %d, first line %q", format, code, first)
				}
			}
			code, _, stderr := said("compare", dir, "--strict")
			if want := map[bool]int{true: 0, false: 3}[tt.want == ""]; code != want || tt.want != "" && !strings.Contains(stderr, "--strict: "+tt.want) {
				t.Errorf("--strict: exit code %d, want %d: %s", code, want, stderr)
			}
			if tt.name == "benchmark gone" || tt.name == "one file gone" {
				return // a report takes seconds, and says the same
			}
			code, stdout, stderr := said("report", dir)
			if first, _, _ := strings.Cut(stdout, "\n"); code != 0 || tt.want != "" && first != tt.want {
				t.Errorf("report: exit code %d, first line %q; %s", code, first, stderr)
			}
			for name, body := range map[string]string{"index.html": `class="answers"`, "report.md": "<details>"} {
				text, err := os.ReadFile(filepath.Join(dir, "report", name))
				if err != nil {
					t.Fatal(err)
				}
				top, _, ok := strings.Cut(string(text), body)
				if !ok || strings.Contains(top, "planned, but without a sample") != (tt.want != "") {
					t.Errorf("%s says before anything else what is missing: %t", name, tt.want == "")
				}
			}
		})
	}
	// Of several runs, each has its own plan.
	one, two := copied(t, "xen"), copied(t, "xen")
	remove(t, two, "results/flask*")
	if code, stdout, _ := said("compare", one, two, "--strict"); code != 3 || !strings.HasPrefix(stdout, "incomplete: "+two+": planned, but without a sample: build flask\n") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

// A plan that was written down says which benchmarks are dom0's alone.
func TestDom0Only(t *testing.T) {
	dir := copied(t, "xen")
	without(t, dir, "results/*domU*", send)
	edit(t, dir, "run.json", func(text string) string {
		return strings.Replace(text, `"rounds":`, `"dom0_only": ["`+send+`"], "rounds":`, 1)
	})
	if _, err := results.ReadRun(dir); err != nil {
		t.Fatal(err)
	}
	if code, stdout, _ := said("gate", dir, "--only", "dummy", "--margin", "40%"); code != 0 {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

// The history says by its exit code what the newest run brought, and takes runs
// out by names that are no slip of the finger.
func TestHistoryCodes(t *testing.T) {
	dir := t.TempDir()
	if err := synthetic.WriteNightly(dir); err != nil {
		t.Fatal(err)
	}
	renamed := filepath.Join(t.TempDir(), "ren")
	if err := os.CopyFS(renamed, os.DirFS(filepath.Join(dir, "24"))); err != nil {
		t.Fatal(err)
	}
	for _, files := range []string{"results/flask*", "run.json"} {
		edit(t, renamed, files, func(text string) string {
			return strings.NewReplacer(`"name": "flask"`, `"name": "mine"`, "build: flask\n", "build: mine\n").Replace(text)
		})
	}
	config := filepath.Join(t.TempDir(), "x.toml")
	if err := os.WriteFile(config, []byte("[rename]\nflask = \"mine\"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	store := func(last string, nights ...string) string {
		path := filepath.Join(t.TempDir(), "runs.db")
		args := []string{"history", "add", "--store", path}
		for _, n := range nights {
			args = append(args, filepath.Join(dir, n))
		}
		if last != "" {
			args = append(args, last)
		}
		if code, _, stderr := said(args...); code != 0 {
			t.Fatal(stderr)
		}
		return path
	}
	trend := func(store string, more ...string) []string {
		return append([]string{"history", "trend", "--store", store, "--fail-on", "new"}, more...)
	}
	changed := store("", "11", "12", "13")
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"a count more", trend(changed), 1, `new with \w+ of 2008-01-13: Kbench/hypercall/op=xen_version, flask: more\n[^$]*xsmbench: \w+ of 2008-01-13 shows 1 change to a higher cost`},
		{"never", []string{"history", "trend", "--store", changed}, 0, `new with `},
		{"nothing new", trend(store("", "13", "14", "15")), 0, `3 runs, 2008-01-13 to 2008-01-15: no change`},
		{"one run", trend(store("", "13")), 2, `is the only run`},
		{"renamed", trend(store(renamed, "22", "23")), 2, `ended with \w+ of 2008-01-23: .*xen_version, flask in dom0, xen-instr/op.*\nbegun with \w+ of 2008-01-24: .*xen_version, mine in dom0`},
		{"renamed, and allowed", trend(store(renamed, "22", "23"), "--allow-missing"), 0, `ended with `},
		{"renamed, in the file", trend(store(renamed, "22", "23"), "--config", config), 0, `renamed after \w+ of 2008-01-23: flask is read as mine`},
		{"unknown condition", []string{"history", "trend", "--store", changed, "--fail-on", "now"}, 3, `did you mean "new"`},
		{"one digit", []string{"history", "remove", "--store", changed, "7"}, 3, `"7" `},
		{"three digits", []string{"history", "remove", "--store", changed, "3ac", "299e"}, 3, `no run "3ac"|"3ac" is too short to remove a run by: give at least 4 digits of its ID`},
		{"four digits", []string{"history", "remove", "--store", changed, "299e"}, 0, `299e992d  removed: started 2008-01-13 02:00, target synthetic, native and flask, 6 boots, 18 samples`},
		{"nothing was removed by the others", []string{"history", "list", "--store", changed}, 0, `(?s)2008-01-11.*2008-01-12`},
	} {
		code, stdout, stderr := said(tt.args...)
		if code != tt.code || !regexp.MustCompile(tt.says).MatchString(stdout+stderr) {
			t.Errorf("%s: exit code %d, want %d, and %s in:\n%s%s", tt.name, code, tt.code, tt.says, stdout, stderr)
		}
	}
}
