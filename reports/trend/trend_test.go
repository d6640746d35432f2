package trend

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"xsmbench/hv"
	"xsmbench/internal/require"
	"xsmbench/reports/synthetic"
	"xsmbench/results"
	"xsmbench/results/history"
)

// figure is one benchmark's values in a run, a boot each.
type figure struct {
	benchmark, unit, image string
	values                 []float64
	remark                 string
}

// runOf is the day's run on a host.
func runOf(day int, host string) history.Run {
	return history.Run{ID: fmt.Sprintf("%016d", day), Host: host, Run: results.Run{
		Started: time.Date(2008, 1, day, 0, 0, 0, 0, time.UTC), Tool: "test",
	}}
}

func (f figure) series() history.Series {
	s := history.Series{Target: "model", Arch: "amd64", Domain: "dom0", Build: "flask", Benchmark: f.benchmark, Unit: f.unit}
	for i, v := range f.values {
		s.Boots = append(s.Boots, history.Boot{Boot: i + 1, Round: i + 1, Image: f.image, Value: v})
	}
	if f.remark != "" {
		s.Remarks = []string{f.remark}
	}
	return s
}

// of makes a history of one benchmark, a run a day.
func of(unit string, runs ...figure) *Trends {
	t := New(Options{})
	for i, f := range runs {
		f.benchmark, f.unit = "A/b", unit
		t.Add(runOf(i+1, "h"), []history.Series{f.series()})
	}
	t.Analyse()
	return t
}

// image gives a figure of it.
func image(name string, values ...float64) figure { return figure{image: name, values: values} }

// describe writes a series' changes: the first run of each, its verdict, and
// whether the image is the same.
func describe(s *Series) string {
	var words []string
	for _, c := range s.Changes {
		word := fmt.Sprintf("%d %s", c.After+1, s.Verdict(c))
		if c.SameImage {
			word += " same image"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// steps are runs of three boots each, at levels of so many runs, with a little
// spread between runs and boots; each run has an image of its own.
func steps(unit string, levels ...[2]float64) *Trends {
	random := rand.New(rand.NewPCG(5, 6))
	var runs []figure
	for _, l := range levels {
		for range int(l[1]) {
			weather := math.Exp(0.004 * random.NormFloat64())
			f := figure{image: fmt.Sprint("image ", len(runs))}
			for range 3 {
				f.values = append(f.values, l[0]*weather*math.Exp(0.004*random.NormFloat64()))
			}
			runs = append(runs, f)
		}
	}
	return of(unit, runs...)
}

func TestChanges(t *testing.T) {
	for _, c := range []struct {
		name   string
		trends *Trends
		want   string
	}{
		{"none", steps("ns/op", [2]float64{100, 20}), ""},
		{"slower", steps("ns/op", [2]float64{100, 10}, [2]float64{105, 10}), "11 slower"},
		{"faster", steps("ns/op", [2]float64{100, 10}, [2]float64{95, 10}), "11 faster"},
		{"there and back", steps("ns/op", [2]float64{100, 10}, [2]float64{108, 10}, [2]float64{100, 10}), "11 slower, 21 faster"},
		{"a rate that falls", steps("MB/s", [2]float64{2000, 10}, [2]float64{1800, 10}), "11 slower"},
		{"a rate that rises", steps("MB/s", [2]float64{2000, 10}, [2]float64{2200, 10}), "11 faster"},
		{"too few runs", steps("ns/op", [2]float64{100, 4}, [2]float64{150, 3}), ""},
		{"one run alone", steps("ns/op", [2]float64{100, 12}, [2]float64{150, 1}), ""},
		{"counts that differ by boot", steps("xen-instr/op", [2]float64{1000, 10}, [2]float64{1100, 10}), "11 more"},
		{"one run", steps("ns/op", [2]float64{100, 1}), ""},
	} {
		if got := describe(c.trends.Series[0]); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestExact(t *testing.T) {
	odd := figure{image: "b", values: []float64{951, 952}}
	remark := figure{image: "b", values: []float64{970, 970}, remark: "not exact: of 8 clean windows 7 executed 970"}
	for _, c := range []struct {
		name  string
		unit  string
		runs  []figure
		exact bool
		want  string
	}{
		{"one more", "xen-instr/op", []figure{image("a", 949, 949), image("b", 950, 950)}, true, "2 more"},
		{"fewer", "xen-instr/op", []figure{image("a", 949, 949), image("b", 949, 949), image("c", 940, 940)}, true, "3 less"},
		{"the image is the same", "xen-instr/op", []figure{image("a", 949, 949), image("a", 950, 950)}, true, "2 more same image"},
		{"equal", "xen-instr/op", []figure{image("a", 949, 949), image("b", 949, 949)}, true, ""},
		{"a run that is not exact is passed over", "xen-instr/op", []figure{image("a", 949, 949), odd, image("b", 951, 951)}, true, "3 more"},
		{"a remark makes a run inexact", "xen-instr/op", []figure{image("a", 949, 949), remark, image("b", 949, 949)}, true, ""},
		{"a single boot proves nothing", "xen-instr/op", []figure{image("a", 949), image("b", 950)}, false, ""},
		{"times are never exact", "ns/op", []figure{image("a", 40, 40), image("b", 41, 41)}, false, ""},
		{"from nothing", "xen-instr/op", []figure{image("a", 0, 0), image("b", 12, 12)}, true, "2 more"},
	} {
		s := of(c.unit, c.runs...).Series[0]
		if got := describe(s); got != c.want || s.Exact != c.exact {
			t.Errorf("%s: %q, exact %t, want %q, %t", c.name, got, s.Exact, c.want, c.exact)
		}
	}
}

// Runs of one image say how large a difference must be.
func TestMeter(t *testing.T) {
	// Neighbouring runs of one image differ by 4 %, turn about.
	var noisy []figure
	for i := range 20 {
		v := 100.0
		if i%2 == 1 {
			v = 104
		}
		if i >= 10 {
			v *= 1.05 // no larger than what one image shows
		}
		noisy = append(noisy, image(fmt.Sprint(i/2), v, v*1.0001))
	}
	trends := of("ns/op", noisy...)
	s := trends.Series[0]
	if len(s.Changes) != 0 || s.Hidden != 1 || !s.Own {
		t.Errorf("changes %q, %d hidden, own %t", describe(s), s.Hidden, s.Own)
	}
	if len(trends.Meters) != 1 {
		t.Fatalf("meters %+v", trends.Meters)
	}
	m := trends.Meters[0]
	d := math.Log(1.04)
	// Each pair's mean square deviation is d²/4 per run: 10 pairs, 10 degrees
	// of freedom, s² = d²/2, and the root mean square of differences d.
	if m.Pairs != 10 || math.Abs(m.Typical-d) > 1e-3 || math.Abs(m.Largest-d) > 1e-3 || math.Abs(m.Limit-2.228*d) > 1e-3 {
		t.Errorf("meter %+v, difference %g", m, d)
	}
	// The same figures of images that never ran twice: boots alone say how
	// large the noise is, and the change shows.
	for i := range noisy {
		noisy[i].image = fmt.Sprint("own ", i)
	}
	trends = of("ns/op", noisy...)
	if s := trends.Series[0]; !s.Boots || len(trends.Meters) != 0 || describe(s) != "11 slower" {
		t.Errorf("without repetitions: %q, boots %t, %d meters", describe(s), s.Boots, len(trends.Meters))
	}
}

// TestFalseAlarms bounds the chance that a history without changes shows any,
// over all its series, at the 5 % that is claimed.
func TestFalseAlarms(t *testing.T) {
	require.Simulations(t)
	random := rand.New(rand.NewPCG(7, 8))
	const histories, series, runs = 300, 12, 16
	alarms := 0
	for range histories {
		h := New(Options{})
		for day := range runs {
			weather := 0.01 * random.NormFloat64()
			var all []history.Series
			for b := range series {
				f := figure{benchmark: fmt.Sprint("A/", b), unit: "ns/op", image: fmt.Sprint(day)}
				for range 3 {
					f.values = append(f.values, 100*math.Exp(weather/3+0.01*random.NormFloat64()))
				}
				all = append(all, f.series())
			}
			h.Add(runOf(day+1, "h"), all)
		}
		h.Analyse()
		if len(h.Changed()) > 0 {
			alarms++
		}
	}
	bound := 0.05*histories + 3.9*math.Sqrt(histories*0.05*0.95)
	t.Logf("%d of %d histories show a change", alarms, histories)
	if float64(alarms) > bound {
		t.Errorf("%d of %d histories show a change, at most %.0f are claimed", alarms, histories, bound)
	}
}

// What is of another host, environment or build is another series; layouts of
// one build are one run.
func TestSeries(t *testing.T) {
	trends := New(Options{})
	a := figure{benchmark: "A/b", unit: "ns/op", image: "l0", values: []float64{100, 102}}
	b := a
	b.image, b.values = "l1", []float64{101}
	other := a.series()
	other.Domain = "domU"
	trends.Add(runOf(1, "h1"), []history.Series{a.series(), b.series(), other})
	trends.Add(runOf(2, "h2"), []history.Series{a.series()})
	described := a
	described.unit = "percent-cpu"
	trends.Add(runOf(3, "h2"), []history.Series{described.series()})
	trends.Analyse()
	if len(trends.Series) != 3 || len(trends.Runs) != 2 {
		t.Fatalf("%d series of %d runs", len(trends.Series), len(trends.Runs))
	}
	p := trends.Series[0].Points
	if len(p) != 1 || p[0].Boots != 3 || fmt.Sprint(trends.ImagesOf(p[0])) != "[l0 l1]" || math.Abs(p[0].Value-101) > 0.01 {
		t.Errorf("points %+v", p)
	}
}

// Counts of all hosts can be joined, times cannot.
func TestAnyHost(t *testing.T) {
	trends := New(Options{AnyHost: true})
	for day, host := range []string{"h1", "h2"} {
		trends.Add(runOf(day+1, host), []history.Series{
			figure{benchmark: "A/b", unit: "ns/op", image: "a", values: []float64{1, 2}}.series(),
			figure{benchmark: "A/b", unit: "xen-instr/op", image: "a", values: []float64{900, 900}}.series(),
		})
	}
	trends.Analyse()
	var all []string
	for _, s := range trends.Series {
		all = append(all, fmt.Sprint(s.Host, " ", s.Unit, " ", len(s.Points)))
	}
	if got := strings.Join(all, ", "); got != "any xen-instr/op 2, h1 ns/op 1, h2 ns/op 1" {
		t.Errorf("series %s", got)
	}
}

func TestOptions(t *testing.T) {
	re := regexp.MustCompile
	for _, c := range []struct {
		opt  Options
		want int
	}{
		{Options{}, 2},
		{Options{Bench: re("c$")}, 1},
		{Options{Build: re("native")}, 0},
		{Options{Domain: re("dom0")}, 2},
		{Options{Unit: re("hooks")}, 1},
		{Options{Host: "h2"}, 0},
		{Options{Run: &results.Spec{Target: "model", Builds: []hv.Build{{Arch: "amd64"}}}}, 2},
		{Options{Run: &results.Spec{Target: "model", Builds: []hv.Build{{Arch: "386"}}}}, 0},
		{Options{Run: &results.Spec{Target: "xen", Builds: []hv.Build{{Arch: "amd64"}}}}, 0},
	} {
		trends := New(c.opt)
		trends.Add(runOf(1, "h"), []history.Series{
			figure{benchmark: "A/b", unit: "ns/op", values: []float64{1}}.series(),
			figure{benchmark: "A/c", unit: "ns/op", values: []float64{1}}.series(),
			figure{benchmark: "A/c", unit: "hooks/op", values: []float64{1}}.series(),
		})
		trends.Analyse()
		if len(trends.Series) != c.want {
			t.Errorf("%+v: %d series, want %d", c.opt, len(trends.Series), c.want)
		}
	}
}

// Values at or below 0 have no logarithm and are read all the same.
func TestBelowZero(t *testing.T) {
	var runs []figure
	for i := range 20 {
		v := float64(i%2) - 0.5
		if i >= 10 {
			v += 50
		}
		runs = append(runs, image(fmt.Sprint(i), v, v+0.1))
	}
	s := of("ns/op", runs...).Series[0]
	if got := describe(s); got != "11 slower" {
		t.Errorf("%q", got)
	}
	zero := of("ns/op", image("a", 0, 0), image("a", 0, 0)).Series[0]
	if len(zero.Changes) != 0 || zero.Points[0].Value != 0 {
		t.Errorf("zeros: %+v", zero)
	}
}

// TestNightly reads the invented history through a store: what happens in it is
// found, on its days, and nothing else.
func TestNightly(t *testing.T) {
	trends := nightly(t)
	want := map[string]string{
		"Kbench/hypercall/op=evtchn_send flask": fmt.Sprintf("%d slower, %d faster", synthetic.SlowNight, synthetic.MendedNight),
		"Kbench/hypercall/op=xen_version flask": fmt.Sprintf("%d more", synthetic.CountNight),
	}
	for _, s := range trends.Series {
		name := s.Benchmark + " " + s.Build
		if got := describe(s); got != want[name] {
			t.Errorf("%s: %q, want %q", name, got, want[name])
		}
	}
	if len(trends.Series) != 6 || len(trends.Runs) != synthetic.Nights {
		t.Errorf("%d series of %d runs", len(trends.Series), len(trends.Runs))
	}
	s := trends.Changed()[0]
	if got := trends.Differences(s, s.Changes[0]); fmt.Sprint(got) != "[revision v1.3 → v1.4]" {
		t.Errorf("differences %q", got)
	}
	kernel := Change{Before: synthetic.KernelNight - 2, After: synthetic.KernelNight - 1}
	if got := trends.Differences(s, kernel); fmt.Sprint(got) != "[kernel 0 → 1]" {
		t.Errorf("differences %q", got)
	}
}

func nightly(t *testing.T) *Trends {
	t.Helper()
	store, err := synthetic.NightlyStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	trends, err := Read(store, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return trends
}
