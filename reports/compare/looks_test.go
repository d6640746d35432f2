package compare

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"xsmbench/internal/require"
	"xsmbench/reports/stats"
	"xsmbench/results"
)

// simulatedLooks are those of a run with a budget and at most 20 rounds
// (rounds.Looks, which this package must not know).
var simulatedLooks = []int{4, 6, 9, 13, 20}

// lookedAt are the worlds that runs with looks are simulated in.
var lookedAt = []string{"quiet", "noise from boot to boot", "random walk", "layouts, one for each round", "heavy tails (t, 3 df)", "wild boots, 1 of 20"}

// lookRates are shares of simulated runs that look several times, in per
// cent, and the mean number of their rounds.
type lookRates struct {
	alarmed, wrongly float64 // as in rates, at the look that ended the run
	power            float64 // an effect of 2 %: slower
	rounds           float64 // mean of those where nothing differs
	// naive are the rates if each look had the whole level to itself.
	naiveAlarmed, naiveWrongly float64
	fixed                      float64 // power with the rounds of the last look, and that look alone
}

// lookedWorld is a world of a run that goes on to the last look.
func lookedWorld(name string) world {
	w := worlds[slices.IndexFunc(worlds, func(w world) bool { return w.name == name })]
	w.rounds = simulatedLooks[len(simulatedLooks)-1]
	return w
}

// judgeAt gives the row after some of a run's rounds, with a level that so
// many looks share.
func judgeAt(tb testing.TB, samples []results.Sample, rounds, looks int) Row {
	var some []results.Sample
	for _, s := range samples {
		if s.Round <= rounds {
			some = append(some, s)
		}
	}
	c, err := Compare(some, Options{Looks: looks, Criteria: results.Criteria{Margin: simulatedMargin / 100., Floors: map[string]float64{}}})
	if err != nil {
		tb.Fatal(err)
	}
	return c.Rows[0]
}

// stop is the row at the look that ends the run, and after how many rounds
// that is.
func stop(tb testing.TB, samples []results.Sample, looks int) (r Row, rounds int) {
	for _, rounds = range simulatedLooks {
		if r = judgeAt(tb, samples, rounds, looks); r.Verdict != Inconclusive {
			break
		}
	}
	return r, rounds
}

func simulateLooks(tb testing.TB, w world, runs int) lookRates {
	random := rand.New(rand.NewPCG(2027, stats.Seed([]float64{w.boot, w.layout, w.weather, w.walk})))
	planned, last := len(simulatedLooks), simulatedLooks[len(simulatedLooks)-1]
	var r lookRates
	count := func(rate *float64, yes bool) {
		if yes {
			*rate += 100 / float64(runs)
		}
	}
	alarm := func(r Row) bool { return r.Verdict == Slower || r.Verdict == Faster }
	for range runs {
		same := w.samples(random, 0)
		row, rounds := stop(tb, same, planned)
		count(&r.alarmed, alarm(row))
		r.rounds += float64(rounds) / float64(runs)
		row, _ = stop(tb, same, 1)
		count(&r.naiveAlarmed, alarm(row))

		edge := w.samples(random, simulatedMargin)
		row, _ = stop(tb, edge, planned)
		count(&r.wrongly, row.Verdict == Equivalent)
		row, _ = stop(tb, edge, 1)
		count(&r.naiveWrongly, row.Verdict == Equivalent)

		slower := w.samples(random, 2)
		row, _ = stop(tb, slower, planned)
		count(&r.power, row.Verdict == Slower)
		count(&r.fixed, judgeAt(tb, slower, last, 1).Verdict == Slower)
	}
	return r
}

// check holds the rates against what a run promises that shares its level by
// its looks.
func (r lookRates) check(name string, runs int) error {
	switch {
	case above(r.alarmed, 5, runs):
		return fmt.Errorf("%s: %.1f%% false alarms, nominally 5%%", name, r.alarmed)
	case above(r.wrongly, 2.5, runs):
		return fmt.Errorf("%s: %.1f%% wrongly equivalent, nominally 2.5%%", name, r.wrongly)
	}
	return nil
}

// A run in a quiet world ends at the look that shows what there is: two builds
// that are the same, or not.
func TestStop(t *testing.T) {
	w := lookedWorld("quiet")
	for effect, want := range map[float64]Verdict{0: Equivalent, 10: Slower} {
		samples := w.samples(rand.New(rand.NewPCG(1, 1)), effect)
		r, rounds := stop(t, samples, len(simulatedLooks))
		if r.Verdict != want || rounds == w.rounds {
			t.Errorf("%g%%: %s after %d rounds, want %s before the last", effect, r.Verdict, rounds, want)
		}
		before := slices.Index(simulatedLooks, rounds) - 1
		if before >= 0 && judgeAt(t, samples, simulatedLooks[before], len(simulatedLooks)).Verdict != Inconclusive {
			t.Errorf("%g%%: the look after %d rounds had a verdict", effect, simulatedLooks[before])
		}
	}
}

// TestSimulateLooks is a small version of BenchmarkSimulateLooks. That looks
// which do not share the level err too often shows that the simulation can
// tell.
func TestSimulateLooks(t *testing.T) {
	require.Simulations(t)
	const runs = 100
	r := simulateLooks(t, lookedWorld("noise from boot to boot"), runs)
	if err := r.check("noise from boot to boot", runs); err != nil {
		t.Error(err)
	}
	if r.naiveAlarmed < 7.5 {
		t.Errorf("looks at the whole level raise %.1f%% false alarms: the simulation does not tell them from 5%%", r.naiveAlarmed)
	}
}

// TestLooksTable holds the table that docs/statistics.md shows against what
// is promised. The numbers are those of BenchmarkSimulateLooks.
func TestLooksTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), looksHead)
	if !ok {
		t.Fatal("docs/statistics.md has no table of simulated looks: make bench-verdicts prints it")
	}
	lines := strings.Split(table, "\n")
	for i, name := range lookedAt {
		r, err := readLooks(name, lines[i])
		if err == nil {
			err = r.check(name, simulatedLookRuns)
		}
		if err != nil {
			t.Errorf("docs/statistics.md, %q: %v", lines[i], err)
		}
	}
}

const simulatedLookRuns = 1000

// looksHead begins the table in docs/statistics.md.
const looksHead = `| simulated | false alarms | wrongly equivalent | 2% shown | with 20 rounds and no look before | rounds where nothing differs | false alarms if no look shared | wrongly equivalent if no look shared |
| --- | --- | --- | --- | --- | --- | --- | --- |
`

// BenchmarkSimulateLooks lets runs choose their rounds whose truth is known.
func BenchmarkSimulateLooks(b *testing.B) {
	table := looksHead
	for _, name := range lookedAt {
		b.Run(name, func(b *testing.B) {
			var r lookRates
			for range b.N {
				r = simulateLooks(b, lookedWorld(name), simulatedLookRuns)
			}
			if err := r.check(name, simulatedLookRuns); err != nil {
				b.Error(err)
			}
			b.ReportMetric(r.alarmed, "false-alarm-%")
			b.ReportMetric(r.wrongly, "wrongly-equivalent-%")
			b.ReportMetric(r.power, "power-%")
			table += r.line(name)
		})
	}
	fmt.Fprintf(os.Stdout, "\n%s\n", table)
}

func (r *lookRates) figures() []*float64 {
	return []*float64{&r.alarmed, &r.wrongly, &r.power, &r.fixed, &r.rounds, &r.naiveAlarmed, &r.naiveWrongly}
}

func (r lookRates) line(name string) string {
	cells := []string{name}
	for _, f := range r.figures() {
		unit := "%"
		if f == &r.rounds {
			unit = ""
		}
		cells = append(cells, fmt.Sprintf("%.1f%s", *f, unit))
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// readLooks is the reverse of line.
func readLooks(name, line string) (r lookRates, err error) {
	cells := strings.Split(strings.Trim(line, "| "), " | ")
	figures := r.figures()
	if len(cells) != len(figures)+1 || cells[0] != name {
		return r, fmt.Errorf("no line of %q", name)
	}
	for i, f := range figures {
		if *f, err = strconv.ParseFloat(strings.TrimSuffix(cells[i+1], "%"), 64); err != nil {
			return r, err
		}
	}
	return r, nil
}

// TestLevel: looks share the chance to err, and nothing else changes.
func TestLevel(t *testing.T) {
	samples := lookedWorld("quiet").samples(rand.New(rand.NewPCG(1, 2)), 0.7)
	one, many := judgeAt(t, samples, 20, 1), judgeAt(t, samples, 20, 5)
	e, err := stats.Paired(one.differences, 0.99)
	if err != nil {
		t.Fatal(err)
	}
	if lo, hi := one.ratio(e.CI.Lo), one.ratio(e.CI.Hi); many.Lo != lo || many.Hi != hi {
		t.Errorf("five looks at 95%%: interval [%g, %g], want that at 99%%, [%g, %g]", many.Lo, many.Hi, lo, hi)
	}
	if one.Ratio != many.Ratio || one.P != many.P {
		t.Errorf("ratio %g and p %g became %g and %g", one.Ratio, one.P, many.Ratio, many.P)
	}
}
