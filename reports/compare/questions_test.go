package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/internal/require"
	"xsmbench/reports/stats"
	"xsmbench/results"
)

// unitSets are what benchmarks of a simulated report are measured in.
var unitSets = []struct {
	name string
	of   func(random *rand.Rand, ns float64) []bench.Value // besides ns/op
	// apart tells that a unit does not follow the time: the promise holds for
	// each such unit.
	apart int
}{
	{"ns/op", func(*rand.Rand, float64) []bench.Value { return nil }, 0},
	{"ns/op, and MB/s of the same time", func(_ *rand.Rand, ns float64) []bench.Value {
		return []bench.Value{{Value: 1e6 / ns, Unit: "MB/s"}}
	}, 0},
	{"ns/op, MB/s, and cycles/op of the same time", func(_ *rand.Rand, ns float64) []bench.Value {
		return []bench.Value{{Value: 1e6 / ns, Unit: "MB/s"}, {Value: 3 * ns, Unit: "cycles/op"}}
	}, 0},
	{"ns/op, and misses/op that vary independently", func(random *rand.Rand, _ float64) []bench.Value {
		return []bench.Value{{Value: 1000 * math.Exp(0.01*random.NormFloat64()), Unit: "misses/op"}}
	}, 1},
}

// questionRates are shares of simulated reports, in per cent.
type questionRates struct {
	alarmed float64 // nothing differs: slower or faster, anywhere
	shown   float64 // one benchmark's time differs by 3 %: slower in ns/op
	each    float64 // the same, if every row were a test of its own
}

const (
	questionRows, questionRounds = 30, 8
	questionShift                = 1.03
	questionHead                 = `| 30 benchmarks in | any false alarm | 3% in one of them shown | shown if every row were a test |
| --- | --- | --- | --- |
`
)

func simulateQuestions(tb testing.TB, units int, reports int) (r questionRates) {
	random := rand.New(rand.NewPCG(14, uint64(units)))
	count := func(rate *float64, yes bool) {
		if yes {
			*rate += 100 / float64(reports)
		}
	}
	for range reports {
		for _, shift := range []float64{1, questionShift} {
			s := noisy(random, []string{"native", "dummy"}, questionRows, questionRounds, 0.01)
			for i := range s.samples {
				x := &s.samples[i]
				if x.Build == "dummy" && x.Benchmark == "A/b=0" {
					x.Values[0].Value *= shift
				}
				x.Values = append(x.Values, unitSets[units].of(random, x.Values[0].Value)...)
			}
			c, err := Compare(s.samples, Options{Base: "native", Criteria: results.Criteria{Floors: map[string]float64{}}})
			if err != nil {
				tb.Fatal(err)
			}
			if shift == 1 {
				count(&r.alarmed, c.Count(Slower)+c.Count(Faster) > 0)
				continue
			}
			i := slices.IndexFunc(c.Rows, func(row Row) bool { return row.Benchmark == "A/b=0" && row.Unit == "ns/op" })
			count(&r.shown, c.Rows[i].Verdict == Slower)
			var p []float64
			for _, row := range c.Rows {
				p = append(p, row.P)
			}
			count(&r.each, stats.Holm(p)[i] <= 0.05 && c.Rows[i].Lo > 1)
		}
	}
	return r
}

// checkQuestions holds the rates against what is promised: 5 % for everything
// that is one thing measured.
func checkQuestions(units int, r questionRates, reports int) error {
	switch nominal := 5 * float64(1+unitSets[units].apart); {
	case above(r.alarmed, nominal, reports):
		return fmt.Errorf("%s: %.1f%% of reports raise a false alarm, nominally %g%%", unitSets[units].name, r.alarmed, nominal)
	case r.shown < r.each-0.05:
		return fmt.Errorf("%s: %.1f%% shown, and %.1f%% if every row were a test", unitSets[units].name, r.shown, r.each)
	}
	return nil
}

// TestSimulateQuestions is a small version of BenchmarkSimulateQuestions.
func TestSimulateQuestions(t *testing.T) {
	require.Simulations(t)
	const reports = 60
	var alone questionRates
	for i := range unitSets {
		r := simulateQuestions(t, i, reports)
		if err := checkQuestions(i, r, reports); err != nil {
			t.Error(err)
		}
		if i == 0 {
			alone = r
		}
		if unitSets[i].apart == 0 && math.Abs(r.shown-alone.shown) > 25 {
			t.Errorf("%s: %.0f%% shown, of ns/op alone %.0f%%", unitSets[i].name, r.shown, alone.shown)
		}
	}
}

const questionReports = 1000

// BenchmarkSimulateQuestions shows what further units of benchmarks do to alarms.
func BenchmarkSimulateQuestions(b *testing.B) {
	for range b.N {
		table := questionHead
		for i, u := range unitSets {
			r := simulateQuestions(b, i, questionReports)
			if err := checkQuestions(i, r, questionReports); err != nil {
				b.Error(err)
			}
			table += fmt.Sprintf("| %s | %.1f%% | %.1f%% | %.1f%% |\n", u.name, r.alarmed, r.shown, r.each)
		}
		fmt.Fprintf(os.Stdout, "\n%s\n", table)
	}
}

// TestQuestionTable holds the table that docs/statistics.md shows against what is
// promised.
func TestQuestionTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), questionHead)
	if !ok {
		t.Fatal("docs/statistics.md has no table of units: make bench-verdicts prints it")
	}
	for i, line := range strings.Split(table, "\n")[:len(unitSets)] {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 4 || cells[0] != unitSets[i].name {
			t.Fatalf("docs/statistics.md, %q: no line of %q", line, unitSets[i].name)
		}
		var r questionRates
		for k, to := range []*float64{&r.alarmed, &r.shown, &r.each} {
			if *to, err = strconv.ParseFloat(strings.TrimSuffix(cells[k+1], "%"), 64); err != nil {
				t.Fatal(err)
			}
		}
		if err := checkQuestions(i, r, questionReports); err != nil {
			t.Errorf("docs/statistics.md: %v", err)
		}
	}
}
