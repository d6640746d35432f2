package results

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	testHead = "target: model\narch: amd64\nbuild: dummy\ndomain: dom0\n"
	testBoot = "# boot: boot=7 round=3 order=2 layout=3 image=5d41 seed=3\n"
)

// describe gives each sample in a line.
func describe(samples []Sample) []string {
	var all []string
	for _, s := range samples {
		all = append(all, fmt.Sprintf("%s %s boot=%d round=%d %v %v ended=%t", s.Build, s.Benchmark, s.Boot.Boot, s.Round, s.Values, s.Windows, s.Ended))
	}
	return all
}

func TestReadDamage(t *testing.T) {
	good := "dummy A/b boot=7 round=3 [{100 ns/op}] [] ended=true"
	tests := []struct {
		name     string
		text     string
		samples  []string
		problems []string // parts of them, in order
	}{
		{"whole", testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n", []string{good}, nil},
		{"comments are left alone", testHead + "# a word\n#\n" + testBoot + "\n#x\nBenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n", []string{good}, nil},
		{"units stay as written", testHead + testBoot + "BenchmarkA/b 11 100 MB/s 5 instr/op\n# end: boot=7 samples=1 total=1\n",
			[]string{"dummy A/b boot=7 round=3 [{100 MB/s} {5 instr/op}] [] ended=true"}, nil},
		{"a result above the boots", testHead + "BenchmarkA/c 11 100 ns/op\n" + testBoot + "BenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n",
			[]string{good}, []string{"x.txt:5: 1 samples from here belong to no boot"}},
		{"rubbish above the boots", testHead + "rubbish\n" + testBoot + "BenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n",
			[]string{good}, []string{"x.txt:5: line is damaged"}},
		{"bytes above the boots", testHead + "# \xff\n" + testBoot + "BenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n",
			[]string{good}, []string{"x.txt:5: line is damaged"}},
		{"no end", testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n",
			[]string{"dummy A/b boot=7 round=3 [{100 ns/op}] [] ended=false"}, []string{"x.txt:5: boot 7 of round 3 did not finish"}},
		{"no number", testHead + testBoot + "BenchmarkA/b 11 1o0 ns/op\nBenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=2 total=2\n",
			[]string{good}, []string{"x.txt:6: parsing measurement", "x.txt:8: boot 7 ended with 2 samples, 1 can be read"}},
		{"not finite", testHead + testBoot + "BenchmarkA/c 11 NaN ns/op\nBenchmarkA/d 11 +Inf ns/op\nBenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=3 total=3\n",
			[]string{good}, []string{"x.txt:6: A/c: a value is not a finite number", "x.txt:7: A/d: a value", "x.txt:9: "}},
		{"no unit", testHead + testBoot + "BenchmarkA/b 11 100\nBenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=2 total=2\n",
			[]string{good}, []string{"x.txt:6: missing units", "x.txt:8: "}},
		{"a name alone", testHead + testBoot + "BenchmarkA\nBenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n",
			[]string{good}, []string{"x.txt:6: line is damaged"}},
		{"rubbish", testHead + testBoot + "@@@ \x01\nBenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n",
			[]string{good}, []string{`x.txt:6: line is damaged: "@@@ \x01"`}},
		{"not UTF-8", testHead + testBoot + "BenchmarkA/\xff 11 100 ns/op\nBenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n",
			[]string{good}, []string{"x.txt:6: line is damaged"}},
		{"a line beyond measure", testHead + testBoot + strings.Repeat("x", 100_000) + "\nBenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n",
			[]string{good}, []string{"x.txt:6: line of 100000 bytes is too long"}},
		{"boot line damaged", testHead + "# boot: boot=seven round=3\nBenchmarkA/c 11 100 ns/op\nBenchmarkA/d 11 1 ns/op\n" + testBoot + "BenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n",
			[]string{good}, []string{`x.txt:5: boot line is damaged: boot="seven"`, "x.txt:6: 2 samples from here belong to no boot"}},
		{"boot line lacks a key", testHead + "# boot: boot=7 order=2 layout=3 seed=1\n", nil, []string{"x.txt:5: boot line is damaged: it has no round"}},
		{"boot 0", testHead + "# boot: boot=0 round=1 order=2 layout=3 seed=1\n", nil, []string{"count from 1"}},
		{"end of another boot", testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n# end: boot=8 samples=1 total=1\n",
			[]string{"dummy A/b boot=7 round=3 [{100 ns/op}] [] ended=false"}, []string{"x.txt:7: end of boot 8, which did not begin above", "did not finish"}},
		{"end line damaged", testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n# end: boot=7 samples\n",
			[]string{"dummy A/b boot=7 round=3 [{100 ns/op}] [] ended=false"}, []string{`x.txt:7: end line is damaged: "samples" is not key=value`, "did not finish"}},
		{"window damaged", testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n# windows: 1 x 3\n# end: boot=7 samples=1 total=1\n",
			[]string{"dummy A/b boot=7 round=3 [{100 ns/op}] [1 3] ended=true"}, []string{`x.txt:7: window "x" is not a number`}},
		{"replaced by a later boot", testHead + testBoot + "BenchmarkA/b 11 99 ns/op\n" + strings.Replace(testBoot, "boot=7", "boot=9", 1) + "BenchmarkA/b 11 100 ns/op\n# end: boot=9 samples=1 total=1\n",
			[]string{"dummy A/b boot=9 round=3 [{100 ns/op}] [] ended=true"}, []string{"x.txt:5: boot 7 is replaced by a later one of round 3; its 1 sample is not used"}},
		{"a later boot that did not finish replaces nothing", testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n" + strings.Replace(testBoot, "boot=7", "boot=9", 1) + "BenchmarkA/b 11 99 ns/op\n",
			[]string{good}, []string{"x.txt:8: boot 9 is replaced"}},
		{"a copy of a boot", testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n" + testBoot + "BenchmarkA/b 11 99 ns/op\n# end: boot=7 samples=1 total=1\n",
			[]string{good}, []string{"x.txt:8: boot 7 of round 3 stands here again; its 1 sample is not used"}},
		{"cut off in the middle of a line", testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n# boot: boot=8 rou",
			[]string{good}, []string{`x.txt:8: line is cut off: "# boot: boot=8 rou"`}},
		{"a boot line that is cut off", testHead + "# boot: boot=7", nil, []string{`x.txt:5: line is cut off`}},
		{"zeros after a loss of power", testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n" + strings.Repeat("\x00", 5000),
			[]string{good}, []string{`x.txt:8: line is cut off: "\x00\x00`}},
		{"zeros in the middle", testHead + testBoot + strings.Repeat("\x00", 5000) + "BenchmarkA/c 11 1 ns/op\nBenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n",
			[]string{good}, []string{`x.txt:6: line is damaged: "\x00\x00`}},
		{"zeros beyond measure", testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n" + strings.Repeat("\x00", 1<<20) + "\n" + strings.Replace(testBoot, "boot=7 round=3", "boot=8 round=4", 1) + "BenchmarkA/b 11 100 ns/op\n# end: boot=8 samples=1 total=1\n",
			[]string{good, strings.Replace(good, "boot=7 round=3", "boot=8 round=4", 1)}, []string{"x.txt:8: line of 1048576 bytes is too long"}},
		{"longest line", testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n# " + strings.Repeat("x", longestLine-2) + "\n# end: boot=7 samples=1 total=1\n", []string{good}, nil},
		{"longer than that", testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n# " + strings.Repeat("x", longestLine-1) + "\n# end: boot=7 samples=1 total=1\n",
			[]string{good}, []string{"x.txt:7: line of 61441 bytes is too long"}},
		{"another program's bytes", testHead + testBoot + "\x7fELF\x02\x01\x01\x00\xf0\x9f\r\n\x00\xff\nBenchmarkA/b 11 100 ns/op\n# end: boot=7 samples=1 total=1\n",
			[]string{good}, []string{"x.txt:6: line is damaged", "x.txt:7: line is damaged"}},
		{"empty", "", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.txt")
			if err := os.WriteFile(path, []byte(tt.text), 0o666); err != nil {
				t.Fatal(err)
			}
			samples, problems, err := ReadFiles(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.samples, describe(samples)); diff != "" {
				t.Error(diff)
			}
			for i, p := range problems {
				if i >= len(tt.problems) || !strings.Contains(p.String(), tt.problems[i]) {
					t.Errorf("problem %s", p)
				}
			}
			if len(problems) < len(tt.problems) {
				t.Errorf("%d problems, want %q", len(problems), tt.problems)
			}
		})
	}
}

// Files of others have no boots: every line is a sample of its own.
func TestReadPlain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.txt")
	text := "goos: linux\npkg: x\n=== RUN   BenchmarkFork\nBenchmarkFork\nBenchmarkFork-8 \t 100\t 152.5 ns/op\t 16 B/op\nBenchmarkFork-8 100 153 ns/op\nPASS\nok x 1s"
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	samples, problems, err := ReadFiles(path)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	want := []string{
		"old Fork-8 boot=1 round=0 [{152.5 ns/op} {16 B/op}] [] ended=true",
		"old Fork-8 boot=2 round=0 [{153 ns/op}] [] ended=true",
	}
	if diff := cmp.Diff(want, describe(samples)); diff != "" {
		t.Error(diff)
	}
}

func TestReadNothing(t *testing.T) {
	if _, _, err := ReadFiles(filepath.Join(t.TempDir(), "absent")); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Error(err)
	}
	if _, _, err := ReadFiles(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no results") {
		t.Error(err)
	}
}

// FuzzParse checks that any text is read without failing, that no sample
// stands without its place, and that a second reading finds what the first did
// unless that is known to be wrong.
func FuzzParse(f *testing.F) {
	f.Add([]byte(testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n# windows: 1 2\n# warning: w\n# end: boot=7 samples=1 total=1\n"))
	f.Add([]byte(testHead + testBoot + "BenchmarkA/b 11 100 ns"))
	f.Add([]byte("BenchmarkA 1 1 x\n# boot: boot=1 round=1 order=1 layout=0 image= seed=0\nBenchmarkA 1 1 x\n"))
	f.Add([]byte("# end: boot=1 samples=1 total=1\n# windows: 1\n# torn: x\n# failed: y\nUnit x better=lower\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p := &file{path: "x.txt"}
		read := func() (samples []Sample) {
			if err := p.samples(bytes.NewReader(text), func(s *Sample, windows func() []float64) {
				c := *s
				c.Values, c.Windows, c.Warnings = slices.Clone(s.Values), slices.Clone(windows()), slices.Clone(s.Warnings)
				samples = append(samples, c)
			}); err != nil {
				t.Fatal(err)
			}
			return samples
		}
		first, problems := read(), p.problems
		again := choose([]*file{p}) || p.misread
		samples := read()
		if diff := cmp.Diff(first, samples, cmpopts.EquateEmpty()) + cmp.Diff(problems, p.problems); !again && diff != "" {
			t.Error("a second reading finds something else: ", diff)
		}
		lines := bytes.Count(text, []byte("\n")) + 1
		for _, problem := range append(p.problems, notes([]*file{p})...) {
			if problem.Line < 0 || problem.Line > lines {
				t.Errorf("%s: the text has %d lines", problem, lines)
			}
		}
		for _, s := range samples {
			if s.Line < 1 || s.Line > lines || s.Benchmark == "" && len(s.Values) == 0 || s.Boot.Boot < 1 || p.ours && s.Round < 1 {
				t.Errorf("%+v", s)
			}
		}
	})
}

// FuzzDamage replaces a file's end by anything: the boots that ended above it
// are read as before, and so they are when a resumed run has mended the file.
func FuzzDamage(f *testing.F) {
	const second = "# boot: boot=8 round=4 order=2 layout=3 image=5d41 seed=3\n"
	whole := testHead + testBoot + "BenchmarkA/b 11 100 ns/op\n# windows: 1 2\n# end: boot=7 samples=1 total=1\n" +
		second + "BenchmarkA/b 11 200 ns/op\n# end: boot=8 samples=1 total=1\n"
	f.Add(len(whole), []byte(strings.Repeat("\x00", 100)))
	f.Add(len(whole)-5, []byte("\xff\n"))
	f.Add(len(whole)-40, []byte("# end: boot=8 samples=9 total=9\n# end: boot=7\n"))
	f.Add(len(testHead)+10, []byte(testBoot))
	f.Fuzz(func(t *testing.T, at int, garbage []byte) {
		if at < 0 || at > len(whole) || bytes.Contains(garbage, []byte("boot")) {
			return // other boots may well take the place of those
		}
		path := filepath.Join(t.TempDir(), "x.txt")
		if err := os.WriteFile(path, append([]byte(whole[:at]), garbage...), 0o666); err != nil {
			t.Fatal(err)
		}
		lines := whole[:strings.LastIndex(whole[:at], "\n")+1]
		want := strings.Count(lines, "\n# end:")
		check := func() {
			samples, _, err := ReadFiles(path)
			if err != nil {
				t.Fatal(err)
			}
			got := 0
			for i, s := range samples {
				if s.Ended {
					got++
				}
				if i < want && (!s.Ended || s.Round != 3+i || s.Values[0].Value != float64(100*(1+i))) {
					t.Errorf("sample %d: %+v", i, s)
				}
			}
			if got < want {
				t.Errorf("%d samples of boots that ended, want at least %d", got, want)
			}
		}
		check()
		if err := mendTail(path); err != nil {
			t.Fatal(err)
		}
		check()
		text, err := os.ReadFile(path)
		if err != nil || len(text) > 0 && text[len(text)-1] != '\n' {
			t.Errorf("the last line is still cut off: %v", err)
		}
	})
}

// FuzzReadRun reads what is no run.json, too.
func FuzzReadRun(f *testing.F) {
	f.Add([]byte(`{"schema": 1, "spec": {"target": "model", "builds": [{"name": "native"}]}}`))
	f.Add([]byte("{\n\"schema\": 1,\n\"tool\": \"cut of"))
	f.Add([]byte(`{"schema": 1, "spec": {"rounds": 1e99}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, runFile), text, 0o666); err != nil {
			t.Fatal(err)
		}
		run, err := ReadRun(dir)
		if err == nil && run.Schema != Schema {
			t.Errorf("schema %d was taken", run.Schema)
		}
		if err != nil && !strings.Contains(err.Error(), filepath.Join(dir, runFile)) {
			t.Errorf("the error does not name the file: %v", err)
		}
	})
}
