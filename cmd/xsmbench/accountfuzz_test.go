package main

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// FuzzGateAccounts takes parts out of two runs, renames and breaks others, and
// looks for an exit code 0 in spite of a row that was planned, or that the
// earlier run has, and that nobody judged. What is judged is read from the test
// results that the gate writes; what there was to judge, from the runs' own files
// with as little code as that takes.
//
// Each three bytes are a change: what is done, to which file, and where.
func FuzzGateAccounts(f *testing.F) {
	f.Add(false, []byte{})
	f.Add(true, []byte{})
	f.Add(false, []byte{5, 176, 4}) // two builds of one name
	for kind := range byte(len(changes)) {
		for _, at := range []byte{1, 8} {
			f.Add(false, []byte{kind, at, at * 17})
			f.Add(true, []byte{kind, at, at*17 + 1, (kind + at) % byte(len(changes)), 9 + at, 40})
		}
	}
	older, newer := fuzzed(f, "old", 'e'), fuzzed(f, "new", 'f')
	f.Fuzz(func(t *testing.T, against bool, script []byte) { gateAfter(t, newer, older, against, script) })
}

// gateAfter changes two runs and lets the gate judge them.
func gateAfter(t *testing.T, newer, older *fuzzRun, against bool, script []byte) {
	dir, untouched := t.TempDir(), len(script) < 3
	runs := []*fuzzRun{newer.copy(filepath.Join(dir, "new")), older.copy(filepath.Join(dir, "old"))}
	for len(script) >= 3 && len(script) <= 3*8 {
		change, at := changes[int(script[0])%len(changes)], int(script[1])
		change(runs[at/8%2], at%8, int(script[2]))
		script = script[3:]
	}
	for _, r := range runs {
		r.write(t)
	}
	args := []string{"gate", runs[0].dir, "--margin", "95%", "--junit", filepath.Join(dir, "reports", "junit.xml")}
	if against {
		args = append(args, "--against", runs[1].dir)
	}
	code, stdout, stderr := said(args...)
	if code != 0 {
		neverPasses(t, stdout+stderr, filepath.Join(dir, "reports"))
		if untouched {
			t.Errorf("%q: exit code %d of runs that are whole\n%s%s", args, code, stdout, stderr)
		}
		return
	}
	judged := readJudged(t, filepath.Join(dir, "reports", "junit.xml"), stdout)
	for _, row := range expected(runs, against) {
		if !judged.has(row) {
			t.Errorf("%q: exit code 0, and nobody judged %+v\n%s", args, row, stdout)
		}
	}
}

// fuzzRun is a run directory in memory.
type fuzzRun struct {
	dir   string
	files map[string]string // by the name in the directory
	names []string          // in order; those of samples first
}

// fuzzed reads one of the documentation's runs, with images of its own.
func fuzzed(t testing.TB, name string, image byte) *fuzzRun {
	t.Helper()
	root := filepath.Join("..", "..", "docs", "testdata", "xen")
	paths, err := filepath.Glob(filepath.Join(root, "results", "*.txt"))
	if err != nil || len(paths) != 6 {
		t.Fatal(paths, err)
	}
	r := &fuzzRun{dir: name, files: map[string]string{}}
	for _, path := range append(paths, filepath.Join(root, "run.json")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		short, _ := filepath.Rel(root, path)
		r.names = append(r.names, short)
		r.files[short] = strings.Replace(regexp.MustCompile(`image=.`).ReplaceAllString(string(text), "image="+string(image)), `"tool": "`, `"tool": "`+name, 1)
	}
	if name == "old" {
		r.files["run.json"] = strings.Replace(r.files["run.json"], `"started": "2`, `"started": "1`, 1)
	}
	return r
}

func (r *fuzzRun) copy(dir string) *fuzzRun {
	c := &fuzzRun{dir: dir, files: map[string]string{}, names: r.names}
	for name, text := range r.files {
		c.files[name] = text
	}
	return c
}

func (r *fuzzRun) write(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(r.dir, "results"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range r.files {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// edit changes a file that is there.
func (r *fuzzRun) edit(file int, change func(string) string) {
	name := r.names[file%len(r.names)]
	if text, ok := r.files[name]; ok {
		r.files[name] = change(text)
	}
}

// all changes every file of samples.
func (r *fuzzRun) all(change func(string) string) {
	for i := range len(r.names) - 1 {
		r.edit(i, change)
	}
}

var fuzzBenchmarks = []string{
	"Kbench/hypercall/op=xen_version", "Kbench/hypercall/op=evtchn_status", "Kbench/hypercall/op=evtchn_unmask", "Kbench/hypercall/op=evtchn_alloc_close",
	"Kbench/hypercall/op=evtchn_roundtrip", "Lmbench/lat_syscall/op=null", "Lmbench/lat_pagefault",
}

var fuzzBuilds = []string{"native", "dummy", "flask", "mine"}

func pick[T any](all []T, i int) T { return all[i%len(all)] }

// changes are what is done to a run: to a file, at a place.
var changes = []func(r *fuzzRun, file, at int){
	func(r *fuzzRun, file, _ int) { delete(r.files, r.names[file%len(r.names)]) },
	func(r *fuzzRun, file, at int) {
		r.edit(file, func(s string) string { return drop(s, pick(fuzzBenchmarks, at)) })
	},
	func(r *fuzzRun, _, at int) {
		r.all(func(s string) string { return drop(s, pick(fuzzBenchmarks, at)) })
	},
	func(r *fuzzRun, _, at int) { // not selected, and so not measured
		r.all(func(s string) string { return drop(s, pick(fuzzBenchmarks, at)) })
		r.edit(len(r.names)-1, func(s string) string {
			return regexp.MustCompile(`\s*"`+regexp.QuoteMeta(pick(fuzzBenchmarks, at))+`",?`).ReplaceAllString(s, "")
		})
	},
	func(r *fuzzRun, file, at int) { // another name, with or without the plan's
		old, name := pick(fuzzBenchmarks, at), pick(fuzzBenchmarks, at)+"_new"
		if file%2 == 0 {
			r.edit(len(r.names)-1, func(s string) string { return strings.ReplaceAll(s, `"`+old+`"`, `"`+name+`"`) })
		}
		r.all(func(s string) string { return strings.ReplaceAll(s, "Benchmark"+old+" ", "Benchmark"+name+" ") })
	},
	func(r *fuzzRun, file, at int) {
		old, name := pick(fuzzBuilds, at), pick(fuzzBuilds, at/4)
		if file%2 == 0 {
			r.edit(len(r.names)-1, func(s string) string { return strings.ReplaceAll(s, `"name": "`+old+`"`, `"name": "`+name+`"`) })
		}
		r.all(func(s string) string { return strings.ReplaceAll(s, "build: "+old+"\n", "build: "+name+"\n") })
	},
	func(r *fuzzRun, file, at int) {
		r.edit(file, func(s string) string { return strings.ReplaceAll(s, "build: ", "build: "+pick(fuzzBuilds, at)) })
	},
	func(r *fuzzRun, file, at int) {
		r.edit(file, func(s string) string { return s[:len(s)*at/256] })
	},
	func(r *fuzzRun, file, at int) { // boots, whole ones
		r.edit(file, func(s string) string {
			parts := strings.SplitAfter(s, "\n# end:")
			return strings.Join(parts[:min(len(parts), at%3+1)], "")
		})
	},
	func(r *fuzzRun, file, at int) {
		r.edit(file, func(s string) string {
			if s == "" {
				return s
			}
			b := []byte(s)
			b[len(b)*at/256] ^= byte(1 << (at % 7))
			return string(b)
		})
	},
	func(r *fuzzRun, file, at int) { // a unit is lost
		r.edit(file, func(s string) string {
			return regexp.MustCompile(`(?m)^(Benchmark`+regexp.QuoteMeta(pick(fuzzBenchmarks, at))+` .*?) [0-9.]+ xen-instr/op`).ReplaceAllString(s, "$1")
		})
	},
	func(r *fuzzRun, _, at int) {
		r.all(func(s string) string {
			return strings.ReplaceAll(s, " xen-instr/op", pick([]string{" ns/op", " x"}, at))
		})
	},
	func(r *fuzzRun, file, at int) { // one file in the place of another
		if text, ok := r.files[pick(r.names[:6], at)]; ok && file < 6 {
			r.files[r.names[file]] = text
		}
	},
	func(r *fuzzRun, file, at int) { // the images are the other run's
		r.edit(file, func(s string) string {
			return regexp.MustCompile(`image=.`).ReplaceAllString(s, "image="+pick([]string{"e", "f"}, at))
		})
	},
	func(r *fuzzRun, _, at int) { // a build is planned as a control
		r.edit(len(r.names)-1, func(s string) string {
			name := pick(fuzzBuilds, at)
			return strings.ReplaceAll(s, `"name": "`+name+`"`, `"name": "`+name+`", "control_of": "`+pick(fuzzBuilds, at/4)+`"`)
		})
	},
	func(r *fuzzRun, _, at int) { // a domain is not planned any more
		r.edit(len(r.names)-1, func(s string) string {
			return regexp.MustCompile(`,?\s*"`+pick([]string{"dom0", "domU"}, at)+`"`).ReplaceAllString(s, "")
		})
	},
	func(r *fuzzRun, file, _ int) { r.edit(file, func(string) string { return "" }) },
	func(r *fuzzRun, file, at int) {
		r.edit(file, func(s string) string {
			return strings.ReplaceAll(s, "domain: ", pick([]string{"accel: kvm\ndomain: ", "idle: 2\ndomain: ", "workload: busy\ndomain: "}, at))
		})
	},
}

// drop takes a benchmark's samples away; the counts at the ends of boots fit, and
// so does what follows a sample.
func drop(text, benchmark string) string {
	var kept []string
	skip, left := false, 0
	for _, line := range strings.Split(text, "\n") {
		if !strings.HasPrefix(line, "# warning:") {
			skip = strings.HasPrefix(line, "Benchmark"+benchmark+" ")
		}
		if skip {
			continue
		}
		if strings.HasPrefix(line, "Benchmark") {
			left++
		}
		if strings.HasPrefix(line, "# end:") {
			n, _ := json.Marshal(left)
			line, left = regexp.MustCompile(`samples=\d+`).ReplaceAllString(line, "samples="+string(n)), 0
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\n")
}

// fuzzRow is what somebody expects to be judged. Its unit is "" if it is not
// known.
type fuzzRow struct{ build, domain, benchmark, unit string }

// expected are the rows that the later run planned and, if they are compared,
// those that the earlier run has.
func expected(runs []*fuzzRun, against bool) []fuzzRow {
	var all []fuzzRow
	var run struct {
		Spec struct {
			Builds []struct {
				Name      string
				ControlOf string `json:"control_of"`
			}
			Domains, Benchmarks []string
		}
	}
	if json.Unmarshal([]byte(runs[0].files["run.json"]), &run) != nil {
		return []fuzzRow{{"no plan", "", "", ""}}
	}
	has := map[fuzzRow]bool{}
	for _, row := range runs[0].rows() {
		row.unit = ""
		has[row] = true
	}
	for i, b := range run.Spec.Builds {
		for _, domain := range run.Spec.Domains {
			for _, name := range run.Spec.Benchmarks {
				row := fuzzRow{b.Name, domain, name, ""}
				switch isBase := i == 0 && !against; {
				case (isBase || b.ControlOf != "") && has[row]: // measured, which is all
				default:
					all = append(all, row)
				}
			}
		}
	}
	if !against {
		return all
	}
	controls := runs[1].controls()
	for _, row := range runs[1].rows() {
		if row.unit == "xen-instr/op" && !slices.Contains(controls, row.build) {
			all = append(all, row)
		}
	}
	return all
}

func (r *fuzzRun) controls() []string {
	var names []string
	for _, m := range regexp.MustCompile(`"name": "([a-z]+)", "control_of": "[a-z]`).FindAllStringSubmatch(r.files["run.json"], -1) {
		names = append(names, m[1])
	}
	return names
}

// rows are what the files of samples hold.
func (r *fuzzRun) rows() []fuzzRow {
	var all []fuzzRow
	for _, name := range r.names[:6] {
		var build, domain string
		for _, line := range strings.Split(r.files[name], "\n") {
			words := strings.Fields(line)
			switch {
			case len(words) == 2 && words[0] == "build:":
				build = words[1]
			case len(words) == 2 && words[0] == "domain:":
				domain = words[1]
			case strings.HasPrefix(line, "Benchmark") && len(words) >= 4:
				for i := 3; i < len(words); i += 2 {
					all = append(all, fuzzRow{build, domain, strings.TrimPrefix(words[0], "Benchmark"), words[i]})
				}
			}
		}
	}
	return all
}

// fuzzJudged is what the gate judged, or gave a reason for not judging.
type fuzzJudged struct {
	rows      map[fuzzRow]bool
	identical []string
	uncounted string // the note that names them
}

func readJudged(t *testing.T, path, stdout string) fuzzJudged {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Suites []struct {
			Cases []struct {
				Class   string    `xml:"classname,attr"`
				Name    string    `xml:"name,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
				Skipped *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	j := fuzzJudged{rows: map[fuzzRow]bool{}}
	for _, s := range report.Suites {
		for _, c := range s.Cases {
			if c.Failure != nil || c.Error != nil || c.Skipped != nil {
				t.Errorf("exit code 0, and %s of %s is not in order", c.Name, c.Class)
			}
			build, where, _ := strings.Cut(c.Class, " in ")
			name, unit, _ := strings.Cut(c.Name, " ")
			domain := where[strings.LastIndex(where, " ")+1:]
			j.rows[fuzzRow{build, domain, name, unit}] = true
			j.rows[fuzzRow{build, domain, name, ""}] = true
		}
	}
	if m := regexp.MustCompile(`(?m)^note: (.*): the same image as `).FindStringSubmatch(stdout); m != nil {
		j.identical = strings.Split(m[1], ", ")
	}
	j.uncounted = regexp.MustCompile(`(?m)^note: not judged, because no build has an undisturbed count.*`).FindString(stdout)
	return j
}

func (j fuzzJudged) has(r fuzzRow) bool {
	return j.rows[r] || slices.Contains(j.identical, r.build) || r.benchmark != "" && strings.Contains(j.uncounted, r.benchmark)
}
