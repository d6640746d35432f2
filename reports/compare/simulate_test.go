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

// world is what disturbs a run: the truth is known, and verdicts can be held
// against it. Noise is in per cent, as standard deviations.
type world struct {
	name    string
	rounds  int
	layouts int     // taken in turn by the rounds; 0: one for each
	boot    float64 // of each boot by itself
	layout  float64 // of each image: where the linker put things
	window  float64 // of each window
	weather float64 // of a round, shared by its boots
	walk    float64 // from one boot to the next: a random walk
	drift   float64 // from one boot to the next: a straight line
	place   float64 // of the second place in a round against the first
	cooling float64 // of a boot's windows, from first to last
	noise   func(*rand.Rand) float64
	// lopsided gives that noise to one of the builds only: pairing no longer
	// makes its skewness cancel, and t is known to err (hard is how far).
	lopsided bool
	hard     float64 // nominal rate of misses and alarms, in per cent, if above 5
	// foreign drops what pairs boots and names their images, as files of
	// other programs lack it.
	foreign bool
	// biased is a world that no statistics can put right: the table shows
	// what a verdict is worth there, and a warning must stand beside it.
	biased string
}

func normal(r *rand.Rand) float64 { return r.NormFloat64() }

// student draws from t with 3 degrees of freedom, with a variance of 1.
func student(r *rand.Rand) float64 {
	chi := 0.0
	for range 3 {
		z := r.NormFloat64()
		chi += z * z
	}
	return r.NormFloat64() / math.Sqrt(chi)
}

// skewed draws from a lognormal distribution of mean 0 and variance 1.
func skewed(r *rand.Rand) float64 {
	const s = 0.75
	mean := math.Exp(s * s / 2)
	return (math.Exp(s*r.NormFloat64()) - mean) / (mean * math.Sqrt(math.Expm1(s*s)))
}

// wild is normal, but one boot of twenty is disturbed to be 10 times as far
// out.
func wild(r *rand.Rand) float64 {
	if r.IntN(20) == 0 {
		return 10 * math.Abs(r.NormFloat64())
	}
	return r.NormFloat64()
}

var worlds = []world{
	{name: "quiet", rounds: 10, boot: 0.5, window: 0.5, weather: 1},
	{name: "few rounds", rounds: 5, boot: 0.5, window: 0.5, weather: 1},
	{name: "noise from boot to boot", rounds: 10, boot: 1.5, window: 0.5, weather: 1},
	{name: "noise from window to window", rounds: 10, boot: 0.2, window: 3, weather: 1},
	{name: "drift, 20% over the run", rounds: 10, boot: 0.5, window: 0.5, drift: 1},
	{name: "random walk", rounds: 10, boot: 0.5, window: 0.5, walk: 0.7},
	{name: "place in the round", rounds: 10, boot: 0.5, window: 0.5, place: 1},
	{name: "layouts, one for each round", rounds: 10, boot: 0.5, window: 0.5, layout: 0.7},
	{name: "layouts, 5 for 20 rounds", rounds: 20, layouts: 5, boot: 0.5, window: 0.5, layout: 0.7},
	{name: "heavy tails (t, 3 df)", rounds: 10, boot: 0.7, window: 0.5, noise: student},
	{name: "skewed (lognormal)", rounds: 10, boot: 0.7, window: 0.5, noise: skewed},
	{name: "skewed, in one build only", rounds: 10, boot: 0.7, window: 0.5, noise: skewed, lopsided: true, hard: 10},
	{name: "wild boots, 1 of 20", rounds: 10, boot: 0.4, window: 0.5, noise: wild},
	{name: "not warm, 4% within a boot", rounds: 10, boot: 0.5, window: 0.5, cooling: 4},
	{name: "rounds not known", rounds: 10, boot: 0.7, window: 0.5, foreign: true},
	{name: "layouts, but 1 for all rounds", rounds: 10, layouts: 1, boot: 0.5, window: 0.5, layout: 0.7, biased: "had the same layout"},
}

// samples are a run of two builds, of which one costs an effect (in per cent)
// more than the other.
func (w world) samples(random *rand.Rand, effect float64) []results.Sample {
	draw := func(build string) float64 {
		if w.noise == nil || w.lopsided && build == "native" {
			return normal(random)
		}
		return w.noise(random)
	}
	layouts := w.layouts
	if layouts == 0 {
		layouts = w.rounds
	}
	luck := map[string]float64{}
	var all []results.Sample
	walk, boot := 0.0, 0
	for round := 1; round <= w.rounds; round++ {
		weather := w.weather * normal(random)
		for order := 1; order <= 2; order++ {
			build := []string{"native", "dummy"}[(round+order)%2]
			image := fmt.Sprintf("%s %d", build, round%layouts)
			if _, ok := luck[image]; !ok {
				luck[image] = w.layout * normal(random)
			}
			walk += w.walk * normal(random)
			level := weather + luck[image] + walk + w.drift*float64(boot) + w.place*float64(order-1) + w.boot*draw(build)
			if build == "dummy" {
				level += 100 * math.Log1p(effect/100)
			}
			boot++
			all = append(all, w.sample(random, level, results.Boot{Boot: boot, Round: round, Order: order, Layout: round % layouts, Image: image}, build))
		}
	}
	return all
}

func (w world) sample(random *rand.Rand, level float64, boot results.Boot, build string) results.Sample {
	windows := make([]float64, 11)
	for i := range windows {
		windows[i] = 1000 * math.Exp((level+w.window*normal(random)-w.cooling*float64(i-5)/10)/100)
	}
	s := results.Sample{Boot: boot, Target: "simulated", Domain: "dom0", Build: build, Benchmark: "A/b", Run: "run", Ended: true, Windows: windows}
	s.Values = []bench.Value{{Value: slices.Sorted(slices.Values(windows))[5], Unit: "ns/op"}}
	if w.foreign {
		s.Round, s.Order, s.Layout, s.Image = 0, 0, 0, ""
	}
	return s
}

// rates are shares of simulated runs, in per cent.
type rates struct {
	missed     float64 // no effect: the interval leaves out 0
	alarmed    float64 // no effect: slower or faster
	equivalent float64 // no effect: equivalent
	wrongly    float64 // an effect as large as the margin: equivalent
	power      float64 // an effect of 2 %: slower
	marked     float64 // no effect: a warning stands beside the row or above the table
}

const simulatedMargin = 1 // per cent

func (w world) simulate(tb testing.TB, runs int) rates {
	random := rand.New(rand.NewPCG(2026, stats.Seed([]float64{w.boot, w.layout, w.weather, w.walk, w.drift, w.place, w.cooling, float64(w.layouts)})))
	var r rates
	count := func(rate *float64, yes bool) {
		if yes {
			*rate += 100 / float64(runs)
		}
	}
	for range runs {
		c := w.compare(tb, random, 0)
		row := c.Rows[0]
		count(&r.missed, row.Lo > 1 || row.Hi < 1)
		count(&r.alarmed, row.Verdict == Slower || row.Verdict == Faster)
		count(&r.equivalent, row.Verdict == Equivalent)
		count(&r.marked, len(row.Warnings) > 0)
		if w.biased != "" && !slices.ContainsFunc(c.Warnings, func(v Warning) bool { return strings.Contains(v.Text, w.biased) }) {
			tb.Errorf("%s: no warning of %q", w.name, w.biased)
		}
		count(&r.wrongly, w.compare(tb, random, simulatedMargin).Rows[0].Verdict == Equivalent)
		count(&r.power, w.compare(tb, random, 2).Rows[0].Verdict == Slower)
	}
	return r
}

func (w world) compare(tb testing.TB, random *rand.Rand, effect float64) *Comparison {
	c, err := Compare(w.samples(random, effect), Options{Criteria: results.Criteria{Margin: simulatedMargin / 100., Floors: map[string]float64{}}})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// above reports whether a rate of so many runs is higher than chance makes of
// a nominal one: by more than 4 standard errors.
func above(rate, nominal float64, runs int) bool {
	return rate > nominal+4*math.Sqrt(nominal*(100-nominal)/float64(runs))
}

// check holds the rates against what verdicts promise.
func (w world) check(r rates, runs int) error {
	nominal := max(5, w.hard)
	switch {
	case w.biased != "":
		if !above(r.missed, 5, runs) {
			return fmt.Errorf("%s: %.1f%% missed, so that nothing is biased", w.name, r.missed)
		}
	case above(r.missed, nominal, runs):
		return fmt.Errorf("%s: the interval misses the truth in %.1f%% of runs, nominally %g%%", w.name, r.missed, nominal)
	case above(r.alarmed, nominal, runs):
		return fmt.Errorf("%s: %.1f%% false alarms, nominally %g%%", w.name, r.alarmed, nominal)
	case above(r.wrongly, nominal/2, runs):
		return fmt.Errorf("%s: %.1f%% wrongly equivalent, nominally %g%%", w.name, r.wrongly, nominal/2)
	case w.foreign && r.marked > 0:
		return fmt.Errorf("%s: %.1f%% marked, although files that know no rounds cannot fail to match", w.name, r.marked)
	}
	return nil
}

// TestWorlds draws a run or two of each world: they are the same each time, and
// what the world's noise cannot hide is seen.
func TestWorlds(t *testing.T) {
	for _, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			first := w.simulate(t, 1)
			if again := w.simulate(t, 1); again != first {
				t.Errorf("rates %+v, then %+v", first, again)
			}
			c := w.compare(t, rand.New(rand.NewPCG(1, 1)), 50)
			if v := c.Rows[0].Verdict; v != Slower {
				t.Errorf("a build that takes half as long again is %s", v)
			}
		})
	}
}

// TestSimulate is a small version of BenchmarkSimulate.
func TestSimulate(t *testing.T) {
	require.Simulations(t)
	const runs = 40
	for _, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			if err := w.check(w.simulate(t, runs), runs); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSimulationTable holds the table that docs/statistics.md shows against
// what is promised. The numbers are those of BenchmarkSimulate.
func TestSimulationTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), simulationHead)
	if !ok {
		t.Fatal("docs/statistics.md has no table of simulations: make bench-verdicts prints it")
	}
	lines := strings.Split(table, "\n")
	for i, w := range worlds {
		r, err := w.read(lines[i])
		if err != nil {
			t.Errorf("docs/statistics.md, %q: %v", lines[i], err)
		} else if err := w.check(r, simulatedRuns); err != nil {
			t.Errorf("docs/statistics.md: %v", err)
		}
	}
	// Of 11 windows the median varies by 0.37 times what a window does.
	for i, w := range worlds {
		if w.name != "noise from boot to boot" {
			continue
		}
		r, _ := w.read(lines[i])
		sd := math.Sqrt2 * math.Hypot(w.boot, 0.37*w.window)
		if promised := 100 * stats.Power(100*math.Log(1.02), sd, w.rounds, 0.95); math.Abs(r.power-promised) > 3 {
			t.Errorf("docs/statistics.md, %q: power %.1f%%, promised are %.1f%%", w.name, r.power, promised)
		} else {
			t.Logf("power %.1f%%, promised %.1f%%", r.power, promised)
		}
	}
	if strings.TrimSpace(lines[len(worlds)]) != "" {
		t.Errorf("docs/statistics.md simulates what this does not: %q", lines[len(worlds)])
	}
}

const simulatedRuns = 2000

// simulationHead begins the table in docs/statistics.md.
const simulationHead = `| simulated | rounds | interval misses the truth | false alarms | wrongly equivalent | equivalent where nothing differs | 2% shown | marked |
| --- | --- | --- | --- | --- | --- | --- | --- |
`

// BenchmarkSimulate lets verdicts be given on runs whose truth is known, and
// prints how often they are wrong.
func BenchmarkSimulate(b *testing.B) {
	table := simulationHead
	for _, w := range worlds {
		b.Run(w.name, func(b *testing.B) {
			var r rates
			for range b.N {
				r = w.simulate(b, simulatedRuns)
			}
			if err := w.check(r, simulatedRuns); err != nil {
				b.Error(err)
			}
			b.ReportMetric(r.alarmed, "false-alarm-%")
			b.ReportMetric(r.wrongly, "wrongly-equivalent-%")
			b.ReportMetric(r.power, "power-%")
			table += w.line(r)
		})
	}
	fmt.Fprintf(os.Stdout, "\n%s\n", table)
}

// BenchmarkSimulateReports gives verdicts on whole reports of builds that are
// the same.
func BenchmarkSimulateReports(b *testing.B) {
	const reports, rows, rounds = 1000, 30, 10
	for range b.N {
		random := rand.New(rand.NewPCG(30, 10))
		var alarmed, uncorrected, missed, marked, warned float64
		count := func(rate *float64, of int, yes bool) {
			if yes {
				*rate += 100 / float64(of)
			}
		}
		for range reports {
			s := noisy(random, []string{"native", "dummy"}, rows, rounds, 0.01)
			for i := range s.samples {
				s.samples[i].Image += strconv.Itoa(s.samples[i].Round) // a layout for each
			}
			c, err := Compare(s.samples, Options{})
			if err != nil {
				b.Fatal(err)
			}
			count(&alarmed, reports, c.Count(Slower)+c.Count(Faster) > 0)
			count(&uncorrected, reports, slices.ContainsFunc(c.Rows, func(r Row) bool { return r.P < 0.05 }))
			count(&missed, reports, c.GeoMeans[0].Lo > 1 || c.GeoMeans[0].Hi < 1)
			count(&warned, reports, len(c.Warnings) > 0)
			for _, r := range c.Rows {
				count(&marked, reports*rows, slices.ContainsFunc(r.Warnings, isCheck))
			}
		}
		if above(alarmed, 5, reports) || above(missed, 5, reports) {
			b.Errorf("%.1f%% of reports raise a false alarm, of %.1f%% the geometric mean's interval misses the truth; nominally 5%%", alarmed, missed)
		}
		b.ReportMetric(alarmed, "false-alarm-%")
		b.ReportMetric(missed, "mean-missed-%")
		fmt.Fprintf(os.Stdout, reportsHead+"| %d rows, %d rounds | %.1f%% | %.1f%% | %.1f%% | %.1f%% | %.1f%% |\n\n", rows, rounds, alarmed, uncorrected, missed, marked, warned)
	}
}

// isCheck tells a mark of a check from that of Holm's correction.
func isCheck(w Warning) bool { return w.Code != NotAfterHolm }

const reportsHead = `
| reports of the same build | any false alarm | without Holm's correction | geometric mean misses the truth | rows marked | warning above the table |
| --- | --- | --- | --- | --- | --- |
`

// read is the reverse of line.
func (w world) read(line string) (r rates, err error) {
	cells := strings.Split(strings.Trim(line, "| "), " | ")
	figures := []*float64{&r.missed, &r.alarmed, &r.wrongly, &r.equivalent, &r.power, &r.marked}
	if len(cells) != len(figures)+2 || cells[0] != w.name || cells[1] != strconv.Itoa(w.rounds) {
		return r, fmt.Errorf("no line of %q with %d rounds", w.name, w.rounds)
	}
	for i, f := range figures {
		if *f, err = strconv.ParseFloat(strings.TrimSuffix(cells[i+2], "%"), 64); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (w world) line(r rates) string {
	cells := []string{w.name, strconv.Itoa(w.rounds)}
	for _, v := range []float64{r.missed, r.alarmed, r.wrongly, r.equivalent, r.power, r.marked} {
		cells = append(cells, fmt.Sprintf("%.1f%%", v))
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}
