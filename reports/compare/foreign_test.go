package compare

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"xsmbench/results"
)

// lines repeats a result as go test -count does; %d is the number of the line.
func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, strings.ReplaceAll(format, "%d", fmt.Sprint(i)))
	}
	return b.String()
}

// compareFiles compares files of these texts, the first as the base.
func compareFiles(t *testing.T, opt Options, texts ...string) *Comparison {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for i, text := range texts {
		paths = append(paths, filepath.Join(dir, []string{"old.txt", "new.txt", "newer.txt"}[i]))
		if err := os.WriteFile(paths[i], []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	in, err := ReadInput(paths...)
	if err != nil {
		t.Fatal(err)
	}
	c, err := in.Compare(opt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCountsWithoutSpread: what is counted is what it is, however often it is
// the same. What a clock shows is not.
func TestCountsWithoutSpread(t *testing.T) {
	const n = 10
	for _, tt := range []struct {
		name, old, new, unit string
		times                int
		want                 Verdict // in the unit's words
		ratio                float64 // NaN: none
	}{
		{"twice the bytes", "24", "48", "B/op", n, More, 2},
		{"one allocation more", "5", "6", "allocs/op", n, More, 1.2},
		{"fewer bytes", "48", "24", "B/op", n, Less, 0.5},
		{"the first", "0", "1", "allocs/op", n, More, math.NaN()},
		{"the last one gone", "1", "0", "allocs/op", n, Less, 0},
		{"none", "0", "0", "allocs/op", n, Equivalent, math.NaN()},
		{"the same", "24", "24", "B/op", n, Equivalent, 1},
		{"twice is enough", "24", "48", "B/op", 2, More, 2},
		{"once is not", "24", "48", "B/op", 1, Inconclusive, 2},
		{"within the margin", "10000", "10050", "B/op", n, Equivalent, 1.005},
		{"another unit of counts", "3", "4", "faults/op", n, More, 4. / 3},
		{"a clock", "24", "48", "ns/op", n, Inconclusive, 2},
		{"a clock's percentile", "24", "48", "p99-ns/op", n, Inconclusive, 2},
		{"a rate", "48", "24", "MB/s", n, Inconclusive, 2},
		{"a share that may be rounded", "0.5", "0.6", "misses/op", n, Inconclusive, 1.2},
		{"instructions may be fractions", "1000.5", "2001", "xen-instr/op", n, Slower, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// The time differs, so that the files are no copies.
			text := func(v string, base int) string {
				var b strings.Builder
				for i := range tt.times {
					fmt.Fprintf(&b, "BenchmarkQ-8 100 %d s/x %s %s\n", base+i, v, tt.unit)
				}
				return b.String()
			}
			c := compareFiles(t, Options{}, text(tt.old, 100), text(tt.new, 200))
			r := c.Rows[0]
			if len(c.Rows) != 1 || r.Word() != tt.want || r.Base != "old" || r.Build != "new" || r.N != tt.times {
				t.Errorf("%q (%s), n=%d, %s against %s", r.Word(), r.Verdict, r.N, r.Build, r.Base)
			}
			if math.Abs(r.Ratio-tt.ratio) > 1e-9 || math.IsNaN(r.Ratio) != math.IsNaN(tt.ratio) {
				t.Errorf("ratio %v, want %v", r.Ratio, tt.ratio)
			}
			if got := c.Count(Slower) > 0; got != slices.Contains([]Verdict{More, Slower}, tt.want) {
				t.Errorf("counts as slower: %t", got)
			}
		})
	}
}

// TestFromNothing: a base of 0 has no ratio, and its differences are judged all
// the same.
func TestFromNothing(t *testing.T) {
	zeros := make([]float64, 10)
	for _, tt := range []struct {
		name  string
		new   []float64
		floor float64
		want  Verdict
	}{
		{"clearly more", []float64{1, 1, 2, 1, 1, 2, 1, 1, 1, 2}, 0, Slower},
		{"perhaps", []float64{0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0, Inconclusive},
		{"within a floor", []float64{0, 1, 0, 1, 0, 0, 1, 0, 0, 0}, 2, Equivalent},
	} {
		s := new(set).add("native", "A/b", "allocs/op", zeros...).add("dummy", "A/b", "allocs/op", tt.new...)
		r := compareSet(t, s, Options{Base: "native", Criteria: results.Criteria{Floors: map[string]float64{"allocs/op": tt.floor}}}).Rows[0]
		if r.Verdict != tt.want || !math.IsNaN(r.Ratio) || !r.Absolute {
			t.Errorf("%s: %s, ratio %v, %+v", tt.name, r.Verdict, r.Ratio, r.Warnings)
		}
	}
}

// TestCopies: identical files are equivalent, noise or not, and said to be
// copies.
func TestCopies(t *testing.T) {
	const noisy = "BenchmarkQ-8 100 1%d3 ns/op 24 B/op\n"
	text := lines(8, noisy) + lines(3, "BenchmarkR-8 100 5 ns/op")
	for _, row := range compareFiles(t, Options{}, text, text).Rows {
		if row.Verdict != Equivalent || !slices.ContainsFunc(row.Warnings, func(w Warning) bool { return w.Code == Copied }) {
			t.Errorf("%s %s: %s %v", row.Benchmark, row.Unit, row.Verdict, row.Warnings)
		}
	}
	// One benchmark that differs shows that they are none.
	other := lines(8, noisy) + lines(3, "BenchmarkR-8 100 6 ns/op")
	if row := compareFiles(t, Options{}, text, other).Rows[0]; row.Verdict != Inconclusive {
		t.Errorf("%s %s: %s", row.Benchmark, row.Unit, row.Verdict)
	}
}

// TestConfigurationTellsApart: benchmarks of one name in two packages, on two
// systems or processors are two rows.
func TestConfigurationTellsApart(t *testing.T) {
	for _, key := range []string{"pkg", "goos", "goarch", "cpu"} {
		text := func(a, b int) string {
			return fmt.Sprintf("%s: a\n%s%s: b\n%s", key, lines(3, fmt.Sprintf("BenchmarkQ 1 1%d%%d ns/op", a)), key, lines(3, fmt.Sprintf("BenchmarkQ 1 1%d%%d ns/op", b)))
		}
		c := compareFiles(t, Options{}, text(10, 20), text(30, 40))
		if len(c.Rows) != 2 || c.Rows[0].N != 3 || c.Rows[1].N != 3 || c.Rows[0].Environment == c.Rows[1].Environment {
			t.Fatalf("%s: %d rows of n=%d", key, len(c.Rows), c.Rows[0].N)
		}
		if got := c.Rows[1].Environment.String(); got != key+"=b" {
			t.Errorf("%s: %q", key, got)
		}
	}
	// What one file says of no other's benchmark is missing, not compared.
	_, err := readTexts(t, "pkg: a\nBenchmarkQ 1 10 ns/op\n", "pkg: b\nBenchmarkQ 1 10 ns/op\n").Compare(Options{})
	if !errors.Is(err, ErrNoCounterpart) || !strings.Contains(err.Error(), "old has pkg=a, new has pkg=b") {
		t.Errorf("no counterpart: %v", err)
	}
}

func readTexts(t *testing.T, texts ...string) *Input {
	t.Helper()
	var sources []results.Source
	for i, text := range texts {
		sources = append(sources, results.Source{Path: []string{"old", "new", "newer"}[i], In: strings.NewReader(text)})
	}
	in, err := ReadSources(sources)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// TestUnitMetadata: what the files say of a unit decides how it is judged.
func TestUnitMetadata(t *testing.T) {
	for _, tt := range []struct {
		name, unit, old, new string
		times                int
		want, class          Verdict
	}{
		{"exact, once", "Unit B/op assume=exact\n", "24 B/op", "48 B/op", 1, More, Slower},
		{"exact, and the same", "Unit B/op assume=exact\n", "24 B/op", "24 B/op", 1, Equivalent, Equivalent},
		{"exact time", "Unit ns/op assume=exact\n", "24 ns/op", "48 ns/op", 3, Slower, Slower},
		{"exact, but it varies", "Unit B/op assume=exact\n", "2%d B/op", "4%d B/op", 5, More, Slower},
		{"higher is better", "Unit hits/op better=higher\n", "10 hits/op", "5 hits/op", 3, Less, Slower},
		{"higher, and it rose", "Unit hits/op better=higher\n", "5 hits/op", "10 hits/op", 3, More, Faster},
		{"higher, from nothing", "Unit hits/op better=higher\n", "0 hits/op", "10 hits/op", 3, More, Faster},
		{"lower of a rate", "Unit errors/s better=lower assume=exact\n", "10 errors/s", "20 errors/s", 3, Slower, Slower},
		{"a unit that is no cost by itself", "Unit text-bytes better=lower\n", "100 text-bytes", "200 text-bytes", 3, More, Slower},
		{"both words in lines of their own", "Unit hits better=higher\nUnit hits assume=exact\n", "10 hits", "5 hits", 1, Less, Slower},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := compareFiles(t, Options{}, tt.unit+lines(tt.times, "BenchmarkQ 1 "+tt.old), lines(tt.times, "BenchmarkQ 1 "+tt.new))
			if len(c.Rows) != 1 {
				t.Fatalf("%d rows", len(c.Rows))
			}
			if r := c.Rows[0]; r.Word() != tt.want || r.Verdict != tt.class {
				t.Errorf("%q (%s), %v", r.Word(), r.Verdict, r.Warnings)
			}
		})
	}
	// Without the line it is no row.
	c := compareFiles(t, Options{}, "BenchmarkQ 1 5 text-bytes\n", "BenchmarkQ 1 6 text-bytes\n")
	if len(c.Rows) != 0 || len(c.Figures) != 2 {
		t.Errorf("%d rows, %d figures", len(c.Rows), len(c.Figures))
	}
}

// TestQuestions: further units of a benchmark are no further tests. A row that
// Holm's correction leaves an alarm keeps it beside any number of them, and a
// unit that few benchmarks have gives none an alarm that its time has not.
func TestQuestions(t *testing.T) {
	base := []float64{100, 101, 99, 100, 102, 98, 100, 101}
	build := func(shift float64) []float64 {
		v := make([]float64, len(base))
		for i := range v {
			v[i] = base[i] + shift + []float64{1, -1, 0.5, -0.5}[i%4]
		}
		return v
	}
	rate := func(times []float64) []float64 {
		v := make([]float64, len(times))
		for i := range v {
			v[i] = 1e5 / times[i]
		}
		return v
	}
	make := func(units ...string) *Comparison {
		s := new(set)
		for i := range 6 {
			name := fmt.Sprintf("A/%d", i)
			times := build(0)
			if i == 0 {
				times = build(1.7)
			}
			for _, unit := range units {
				if unit != "ns/op" && i > 1 {
					continue // which few have
				}
				x, y := base, times
				if IsRate(unit) {
					x, y = rate(x), rate(y)
				}
				s.add("native", name, unit, x...).add("dummy", name, unit, y...)
			}
		}
		return compareSet(t, s, Options{Base: "native", Criteria: results.Criteria{Floors: map[string]float64{}}})
	}
	alone := make("ns/op")
	many := make("ns/op", "MB/s", "cycles/op")
	if alone.Questions != 6 || many.Questions != 6 {
		t.Fatalf("%d and %d questions, want 6", alone.Questions, many.Questions)
	}
	for _, r := range many.Rows {
		i := slices.IndexFunc(alone.Rows, func(a Row) bool { return a.Benchmark == r.Benchmark })
		if a := alone.Rows[i]; math.Abs(r.PHolm-a.PHolm) > 1e-9 || r.Verdict != a.Verdict {
			t.Errorf("%s %s: p %v corrected to %v, %s; by time alone %v, %s", r.Benchmark, r.Unit, r.P, r.PHolm, r.Verdict, a.PHolm, a.Verdict)
		}
	}
	if r := many.Rows[0]; r.Verdict != Slower || !(r.PHolm > r.P) {
		t.Errorf("%s: p %v, corrected %v", r.Verdict, r.P, r.PHolm)
	}
}

// TestReading: whatever people have is read, or named with the reason.
func TestReading(t *testing.T) {
	const old = "pkg: a\nBenchmarkQ-8 10 100 ns/op\nBenchmarkQ-8 10 110 ns/op\n"
	zip := func(text string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write([]byte(text))
		w.Close()
		return b.Bytes()
	}
	utf16Of := func(text string) []byte {
		b := []byte{0xff, 0xfe}
		for _, c := range utf16.Encode([]rune(text)) {
			b = append(b, byte(c), byte(c>>8))
		}
		return b
	}
	const events = `{"Action":"start","Package":"a"}
{"Action":"start","Package":"b"}
{"Action":"output","Package":"a","Output":"goos: linux\n"}
{"Action":"output","Package":"a","Output":"pkg: a\n"}
{"Action":"output","Package":"b","Output":"pkg: b\n"}
{"Action":"output","Package":"a","Test":"BenchmarkQ","Output":"BenchmarkQ-8   \t"}
{"Action":"output","Package":"b","Test":"BenchmarkQ","Output":"BenchmarkQ-8   \t"}
{"Action":"output","Package":"b","Test":"BenchmarkQ","Output":"  20\t 200 ns/op\n"}
{"Action":"output","Package":"a","Test":"BenchmarkQ","Output":"  10\t 100 ns/op\n"}
{"Action":"output","Package":"a","Output":"PASS\n"}
{"Action":"pass","Package":"a"}
`
	for _, tt := range []struct {
		name    string
		text    []byte
		samples int
		problem string // "" for none
	}{
		{"plain", []byte(old), 2, ""},
		{"gzip", zip(old), 2, ""},
		{"gzip of JSON", zip(events), 2, ""},
		{"go test -json", []byte(events), 2, ""},
		{"JSON with a damaged line", []byte(events + "{\"Action\":\"output\",\n"), 2, ":12: line is not an event of go test -json"},
		{"JSON with a damaged result", []byte(strings.Replace(events, "200 ns/op", "2oo ns/op", 1)), 1, ":8: "},
		{"a byte order mark", []byte("\xef\xbb\xbfBenchmarkQ-8 10 100 ns/op\n"), 1, ""},
		{"Windows' line ends", []byte(strings.ReplaceAll(old, "\n", "\r\n")), 2, ""},
		{"Latin-1 in a comment", []byte("gemessen: f\xfcr uns\n" + old), 2, ""},
		{"gzip cut off", zip(old + strings.Repeat("x: "+old, 999))[:60], -1, "the compressed text is damaged from here on: unexpected EOF"},
		{"empty", nil, 0, ": no sample in it: it is empty"},
		{"empty gzip", zip(""), 0, ": no sample in it: it is empty"},
		{"binary", append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 600)...), 0, ": no sample in it: it is binary, and no text"},
		{"UTF-16", utf16Of(old), 0, ": no sample in it: it is UTF-16; convert it to UTF-8, as with: iconv -f UTF-16 -t UTF-8 "},
		{"UTF-16 without a mark", utf16Of(old)[2:], 0, "it is UTF-16"},
		{"no result", []byte("goos: linux\nPASS\n"), 0, "no line in it is the result of a benchmark"},
		{"no result in JSON", []byte(`{"Action":"start","Package":"a"}` + "\n"), 0, "it is the output of go test -json, and has no result of a benchmark"},
		{"nothing that can be read", []byte("BenchmarkQ 1 o ns/op\n"), 0, ":1: parsing measurement"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			base, path := filepath.Join(dir, "old.txt"), filepath.Join(dir, "new.txt")
			for p, text := range map[string][]byte{base: []byte(old), path: tt.text} {
				if err := os.WriteFile(p, text, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			in, err := ReadInput(base, path)
			if err != nil {
				t.Fatal(err)
			}
			if got := in.Samples.Len() - 2; tt.samples >= 0 && got != tt.samples {
				t.Errorf("%d samples, want %d", got, tt.samples)
			}
			var found []string
			for _, p := range in.Problems {
				found = append(found, p.String())
			}
			if text := strings.Join(found, "\n"); (text == "") != (tt.problem == "") || !strings.Contains(text, tt.problem) {
				t.Errorf("problems %q, want %q", text, tt.problem)
			}
			if err := in.Malformed(); (err != nil) != (tt.problem != "") {
				t.Errorf("malformed: %v", err)
			}
			// Alone, what has no sample is an error with the same reason.
			if _, err := ReadInput(path); tt.samples == 0 && (err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(tt.problem, ": "))) && !strings.Contains(tt.name, "can be read") {
				t.Errorf("alone: %v", err)
			}
		})
	}
}

// TestPackagesInJSON: packages that are tested side by side stay apart.
func TestPackagesInJSON(t *testing.T) {
	text := func(a, b string) string {
		return `{"Action":"output","Package":"a","Output":"cpu: X\nBenchmarkQ 1 ` + a + ` B/op\nBench"}
{"Action":"output","Package":"b","Output":"BenchmarkQ 1 ` + b + ` B/op\n"}
{"Action":"output","Package":"a","Output":"markQ 1 ` + a + ` B/op\n"}
{"Action":"output","Package":"b","Output":"BenchmarkQ 1 ` + b + ` B/op\n"}
`
	}
	c, err := readTexts(t, text("10", "20"), text("10", "40")).Compare(Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Verdict{"pkg=a cpu=X": Equivalent, "pkg=b": More}
	for _, r := range c.Rows {
		if v := want[r.Environment.String()]; r.Word() != v || r.N != 2 {
			t.Errorf("%s: %s, n=%d, want %s", r.Environment, r.Word(), r.N, v)
		}
	}
	if len(c.Rows) != 2 {
		t.Errorf("%d rows", len(c.Rows))
	}
}

// TestNamesOfFiles: the first file is the base, and every file has a name that
// is its own.
func TestNamesOfFiles(t *testing.T) {
	for _, tt := range []struct {
		name    string
		sources []results.Source // relative to a directory
		head    string           // of every file
		base    string
		builds  []string
	}{
		{"by position", []results.Source{{Path: "z.txt"}, {Path: "a.txt"}}, "", "z", []string{"a"}},
		{"labels", []results.Source{{Path: "z.txt", Label: "before"}, {Path: "a.txt", Label: "after"}}, "", "before", []string{"after"}},
		{"a label for one", []results.Source{{Path: "z.txt"}, {Path: "a.txt", Label: "after"}}, "", "z", []string{"after"}},
		{"one name in two folders", []results.Source{{Path: "x/b.txt"}, {Path: "y/b.txt"}}, "", "x/b.txt", []string{"y/b.txt"}},
		{"one name, two kinds", []results.Source{{Path: "b.txt"}, {Path: "b.json"}}, "", "b.txt", []string{"b.json"}},
		{"a file twice", []results.Source{{Path: "b.txt"}, {Path: "b.txt"}}, "", "", nil},
		{"one build in two files", []results.Source{{Path: "x.txt"}, {Path: "a.txt"}}, "build: flask\n", "x", []string{"a"}},
		{"a label over what a file says", []results.Source{{Path: "x.txt", Label: "one"}, {Path: "a.txt", Label: "two"}}, "build: flask\n", "one", []string{"two"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			var sources []results.Source
			for i, s := range tt.sources {
				s.Path = filepath.Join(dir, s.Path)
				os.MkdirAll(filepath.Dir(s.Path), 0o777)
				if err := os.WriteFile(s.Path, []byte(tt.head+lines(2, fmt.Sprintf("BenchmarkQ 1 1%d%%d ns/op", i))), 0o666); err != nil {
					t.Fatal(err)
				}
				sources = append(sources, s)
			}
			in, err := ReadSources(sources)
			if err != nil {
				t.Fatal(err)
			}
			c, err := in.Compare(Options{})
			if err != nil {
				t.Fatal(err)
			}
			if tt.base != "" && (c.Base != tt.base || !slices.Equal(c.Builds, tt.builds)) || len(c.Builds) != 1 {
				t.Errorf("%q against %q, want %q against %q", c.Builds, c.Base, tt.builds, tt.base)
			}
		})
	}
	if _, err := ReadSources([]results.Source{{Path: t.TempDir(), Label: "x"}}); err == nil || !strings.Contains(err.Error(), "a label is for a file") {
		t.Errorf("a label of a directory: %v", err)
	}
}
