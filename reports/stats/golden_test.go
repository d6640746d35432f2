package stats

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	moremath "github.com/aclements/go-moremath/stats"
	"golang.org/x/perf/benchmath"
)

// TestGolden compares this package with R: every line of testdata/golden.txt,
// written by testdata/golden.R, agrees to 1e-6.
func TestGolden(t *testing.T) {
	d := readData(t)
	text, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) < 100 {
		t.Fatalf("%d lines of R, at least 100 expected", len(lines))
	}
	for _, line := range lines {
		data, what, want := goldenLine(t, line)
		got, err := compute(d, data, what)
		if err != nil {
			t.Errorf("%s: %v", line, err)
		} else if math.Abs(got-want) > 1e-6*max(1, math.Abs(want)) || relative(what) && math.Abs(got-want) > 1e-6*math.Abs(want) {
			t.Errorf("%s %s = %.12g, R has %.12g", data, what, got, want)
		}
	}
}

// relative tells which quantities must agree in their figures, however small:
// p-values.
func relative(what string) bool {
	return strings.HasPrefix(what, "p") && what != "power" && what != "placetau" || what == "tost" || what == "wilcoxon" || what == "drift"
}

// TestR runs R where there is one: golden.txt is what it writes today.
func TestR(t *testing.T) {
	if testing.Short() {
		t.Skip("starts R")
	}
	if _, err := exec.LookPath("Rscript"); err != nil {
		t.Skip("no Rscript (Debian: r-base-core): golden.txt is not compared with R itself")
	}
	c := exec.Command("Rscript", "golden.R")
	c.Dir = "testdata"
	out, err := c.Output()
	if err != nil {
		t.Fatalf("Rscript golden.R: %v", err)
	}
	text, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	now, then := strings.Split(strings.TrimSpace(string(out)), "\n"), strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(now) != len(then) {
		t.Fatalf("R writes %d lines, golden.txt has %d: write it again", len(now), len(then))
	}
	for i := range now {
		data, what, want := goldenLine(t, then[i])
		data2, what2, got := goldenLine(t, now[i])
		if data != data2 || what != what2 || math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
			t.Errorf("R writes %q, golden.txt has %q", now[i], then[i])
		}
	}
}

func readData(t *testing.T) map[string][]float64 {
	t.Helper()
	text, err := os.ReadFile("testdata/data.txt")
	if err != nil {
		t.Fatal(err)
	}
	d := map[string][]float64{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		for _, w := range words[1:] {
			v, err := strconv.ParseFloat(w, 64)
			if err != nil {
				t.Fatalf("data.txt: %s: %v", words[0], err)
			}
			d[words[0]] = append(d[words[0]], v)
		}
	}
	return d
}

func goldenLine(t *testing.T, line string) (data, what string, value float64) {
	t.Helper()
	words := strings.Fields(line)
	if len(words) != 3 {
		t.Fatalf("line of R: %q", line)
	}
	value, err := strconv.ParseFloat(words[2], 64)
	if err != nil {
		t.Fatalf("line of R: %q: %v", line, err)
	}
	return words[0], words[1], value
}

// compute is this package's value of what R computed of the data.
func compute(d map[string][]float64, name, what string) (float64, error) {
	x := d[name]
	if a, b, two := strings.Cut(name, "+"); two {
		return twoSamples(d[a], d[b], what)
	}
	switch name {
	case "many":
		l := d["long"]
		return MannWhitney(slices.Concat(rounded(l, 0), rounded(l, -4)), slices.Concat(rounded(l, 5), rounded(l, 0))), nil
	case "hamilton":
		x = differences(d["hamilton2"], d["hamilton1"])
	case "pvalues":
		i, err := strconv.Atoi(strings.TrimPrefix(what, "holm"))
		return Holm(x)[i-1], err
	}
	switch what {
	case "drift":
		return Drift(x).P, nil
	case "tau":
		return Drift(x).Tau, nil
	case "place":
		return Kendall(d["place"], x).P, nil
	case "placetau":
		return Kendall(d["place"], x).Tau, nil
	case "slope":
		return Slope(x), nil
	case "inner":
		out, _ := Outliers(x)
		return float64(len(out)), nil
	case "outer":
		_, far := Outliers(x)
		return float64(len(far)), nil
	}
	if of, ok := d[name+"group"]; ok {
		return grouped(Group(x, of), what)
	}
	return oneSample(x, name, what)
}

// rounded is x in tenths, and moved.
func rounded(x []float64, by float64) []float64 {
	var r []float64
	for _, v := range x {
		r = append(r, math.Floor(10*v+0.5)+by)
	}
	return r
}

func oneSample(x []float64, name, what string) (float64, error) {
	confidence := 0.95
	switch {
	case strings.HasSuffix(what, "99"):
		confidence = 0.99
	case name == "small" && strings.HasPrefix(what, "w"):
		confidence = 0.75
	}
	e, err := Paired(x, confidence)
	if err != nil {
		return 0, err
	}
	switch what {
	case "lo95", "lo99":
		return e.CI.Lo, nil
	case "hi95", "hi99":
		return e.CI.Hi, nil
	case "p":
		return e.P, nil
	case "tost":
		return e.TOST(1.5 * math.Abs(e.Mean)), nil
	case "wilcoxon", "signs":
		return e.PWilcoxon, nil
	case "hl":
		return e.HL, nil
	case "power":
		return Power(e.Mean, e.SE*math.Sqrt(float64(e.N)), e.N, 0.95), nil
	case "wlo", "whi":
		if e.Exact == nil {
			return 0, fmt.Errorf("no exact interval")
		}
		if what == "wlo" {
			return e.Exact.Lo, nil
		}
		return e.Exact.Hi, nil
	}
	return 0, fmt.Errorf("nothing is known as %q", what)
}

func grouped(groups [][]float64, what string) (float64, error) {
	c, ok := ANOVA(groups)
	if !ok {
		return 0, fmt.Errorf("no analysis of variance")
	}
	e, err := Paired(Means(groups), 0.95)
	if err != nil {
		return 0, err
	}
	switch what {
	case "msb":
		return c.MSBetween, nil
	case "msw":
		return c.MSWithin, nil
	case "f":
		return c.F, nil
	case "panova":
		return c.P, nil
	case "layoutlo", "mixedlo":
		return e.CI.Lo, nil
	case "layouthi", "mixedhi":
		return e.CI.Hi, nil
	}
	return 0, fmt.Errorf("nothing is known as %q", what)
}

func twoSamples(a, b []float64, what string) (float64, error) {
	e, err := Welch(a, b, 0.95)
	if err != nil {
		return 0, err
	}
	switch what {
	case "df":
		return e.DF, nil
	case "lo95":
		return e.CI.Lo, nil
	case "hi95":
		return e.CI.Hi, nil
	case "p":
		return e.P, nil
	case "shift":
		return e.HL, nil
	case "mannwhitney":
		return MannWhitney(a, b), nil
	}
	return 0, fmt.Errorf("nothing is known as %q", what)
}

// TestBenchmath compares p-values with those of the packages that benchstat is
// made of, where both say something: Welch's test is its "assume normal", the
// test of Mann and Whitney its default.
func TestBenchmath(t *testing.T) {
	d := readData(t)
	pairs := [][2]string{{"sleep1", "sleep2"}, {"unpaired1", "unpaired2"}, {"hamilton1", "hamilton2"}, {"even", "skewed"}, {"small", "negative"}, {"tied", "odd"}, {"even", "even"}}
	for _, pair := range pairs {
		a, b := d[pair[0]], d[pair[1]]
		e, err := Welch(a, b, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		th := benchmath.DefaultThresholds
		x, y := benchmath.NewSample(append([]float64(nil), a...), &th), benchmath.NewSample(append([]float64(nil), b...), &th)
		if want := benchmath.AssumeNormal.Compare(x, y).P; math.Abs(e.P-want) > 1e-6 {
			t.Errorf("%v: Welch's p %.9g, benchmath's %.9g", pair, e.P, want)
		}
		if got, want := MannWhitney(a, b), benchmath.AssumeNothing.Compare(x, y).P; math.Abs(got-want) > 1e-6 {
			t.Errorf("%v: Mann-Whitney's p %.9g, benchmath's %.9g", pair, got, want)
		}
	}
}

// TestMoremath compares the paired test, and the two one-sided tests that show
// equivalence, with those of go-moremath. Its p-values are 1 less a probability,
// which loses what is small, so this package has its own.
func TestMoremath(t *testing.T) {
	d := readData(t)
	for _, pair := range [][2]string{{"sleep1", "sleep2"}, {"hamilton1", "hamilton2"}} {
		a, b := d[pair[0]], d[pair[1]]
		e, err := Paired(differences(b, a), 0.95)
		if err != nil {
			t.Fatal(err)
		}
		p := func(of float64, alternative moremath.LocationHypothesis) float64 {
			test, err := moremath.PairedTTest(b, a, of, alternative)
			if err != nil {
				t.Fatal(err)
			}
			return test.P
		}
		if want := p(0, moremath.LocationDiffers); math.Abs(e.P-want) > 1e-9 {
			t.Errorf("%v: p %.12g, moremath's %.12g", pair, e.P, want)
		}
		for _, margin := range []float64{0.1, 1, 3, 10} {
			want := max(p(-margin, moremath.LocationGreater), p(margin, moremath.LocationLess))
			if got := e.TOST(margin); math.Abs(got-want) > 1e-9 {
				t.Errorf("%v: equivalence at %g: p %.12g, moremath's %.12g", pair, margin, got, want)
			}
		}
	}
}
