package results

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/perf/benchfmt"
)

// directly reads a line as a parser does that knows its configuration.
func directly(line string) (Sample, bool) {
	var got Sample
	p := newParser(&file{path: "x.txt"}, strings.NewReader(""), func(s *Sample, _ func() []float64) { got = *s })
	p.changed = false
	ok := p.direct([]byte(line))
	p.flush()
	return got, ok
}

func TestDirect(t *testing.T) {
	for line, want := range map[string]bool{
		"BenchmarkA/b 11 100 ns/op":                        true,
		"BenchmarkA/b-8 \t 100\t 152.5 ns/op\t 16 B/op":    true,
		"BenchmarkA 1 0.5 x 5. y .5 z":                     true,
		"BenchmarkA 1 10 x ":                               true,
		"BenchmarkA 1 99999999999999.9 x":                  true,
		"BenchmarkA 1 999999999999999.9 x":                 false, // more digits than are sure
		"BenchmarkA 1 1e3 x":                               false,
		"BenchmarkA 1 -1 x":                                false,
		"BenchmarkA 1 . x":                                 false,
		"BenchmarkA 1 1.2.3 x":                             false,
		"BenchmarkA 1. 10 x":                               false,
		"BenchmarkA 1 10":                                  false,
		"BenchmarkA 1":                                     false,
		"BenchmarkA":                                       false,
		"Benchmark 1 10 x":                                 false,
		"BenchmarkA\u00a01 10 x":                           false,
		"BenchmarkA 1 10 \u00b5s/op":                       false,
		"BenchmarkA 1 10 x\r":                              false,
		"BenchmarkA 1\v10 x":                               false,
		"benchmarkA 1 10 x":                                false,
		"BenchmarkA " + strings.Repeat("0", 20) + "1 10 x": false,
	} {
		if _, ok := directly(line); ok != want {
			t.Errorf("%q is read directly: %t, want %t", line, ok, want)
		}
	}
}

// FuzzDirect holds the lines that are read directly against what benchfmt reads in
// them.
func FuzzDirect(f *testing.F) {
	f.Add("A/b-8 \t 100\t 152.5 ns/op\t 16 B/op")
	f.Add("A 1 0.30000000000000 x 00.1 y 123456789012.345 z")
	f.Add("A 1 5. x .5 y 10 x\r")
	f.Fuzz(func(t *testing.T, rest string) {
		line := "Benchmark" + rest
		got, ok := directly(line)
		if !ok || strings.Contains(line, "\n") {
			return
		}
		r := benchfmt.NewReader(strings.NewReader(line+"\n"), "x.txt")
		if !r.Scan() {
			t.Fatalf("%q: benchfmt finds nothing", line)
		}
		result, isResult := r.Result().(*benchfmt.Result)
		if !isResult {
			t.Fatalf("%q: benchfmt finds %v", line, r.Result())
		}
		want := Sample{Benchmark: string(result.Name), Iterations: int64(result.Iters), Values: appendValues(nil, result)}
		if diff := cmp.Diff(want, Sample{Benchmark: got.Benchmark, Iterations: got.Iterations, Values: got.Values}); diff != "" {
			t.Errorf("%q: %s", line, diff)
		}
	})
}

// FuzzDecimal holds numbers against strconv, to the last bit.
func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"0", "0.1", "152.5", "999999999999999", "0.00000000000001", "1234567.89012345", "1..2", "."} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, word []byte) {
		got, ok := decimal(word)
		want, err := strconv.ParseFloat(string(word), 64)
		if ok && (err != nil || math.Float64bits(got) != math.Float64bits(want)) {
			t.Errorf("%q is %v, strconv has %v, %v", word, got, want, err)
		}
		if digits := bytes.Count(word, []byte(".")); !ok && err == nil && len(word)-digits <= mostDigits && len(bytes.Trim(word, "0123456789.")) == 0 {
			t.Errorf("%q is not read", word)
		}
	})
}

// FuzzDecimals holds what passes for windows against strconv.
func FuzzDecimals(f *testing.F) {
	for _, s := range []string{"1 2.5  3. ", "1.2.3", ".5", "1 x", "5 .", "", "1\t2"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !areDecimals(text) {
			if len(text) < 300 && len(bytes.Trim(text, "0123456789 ")) == 0 {
				t.Errorf("%q is not taken", text)
			}
			return
		}
		for word := range bytes.FieldsSeq(text) {
			if _, err := strconv.ParseFloat(string(word), 64); err != nil {
				t.Errorf("%q passes: %v", text, err)
			}
		}
	})
}
