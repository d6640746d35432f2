package trend

import (
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"xsmbench/results/history"
)

// sideBySide are 20 runs of native and flask, three rounds each. The second ten
// are at other levels; weather moves both builds of a run.
func sideBySide(unit string, native, flask [2]float64, opt Options) *Trends {
	random := rand.New(rand.NewPCG(7, 8))
	t := New(opt)
	for run := range 20 {
		weather := math.Exp(0.05 * random.NormFloat64())
		of := func(build string, level float64) history.Series {
			f := figure{benchmark: "A/b", unit: unit, image: build + strconv.Itoa(run)}
			for range 3 {
				f.values = append(f.values, level*weather*math.Exp(0.003*random.NormFloat64()))
			}
			s := f.series()
			s.Build = build
			return s
		}
		half := run / 10
		t.Add(runOf(run+1, "h"), []history.Series{of("native", native[half]), of("flask", flask[half])})
	}
	t.Analyse()
	return t
}

func TestOver(t *testing.T) {
	for _, c := range []struct {
		name          string
		unit          string
		native, flask [2]float64
		want          string
	}{
		{"nothing", "ns/op", [2]float64{100, 100}, [2]float64{110, 110}, ""},
		{"both", "ns/op", [2]float64{100, 130}, [2]float64{110, 143}, ""},
		{"the build", "ns/op", [2]float64{100, 100}, [2]float64{110, 114}, "11 slower"},
		{"the base", "ns/op", [2]float64{100, 96}, [2]float64{110, 110}, "11 slower"},
		{"the base, slower", "ns/op", [2]float64{100, 104}, [2]float64{110, 110}, "11 faster"},
		{"a rate", "MB/s", [2]float64{2000, 2000}, [2]float64{1900, 1800}, "11 slower"},
		{"a count that differs by boot", "xen-instr/op", [2]float64{1000, 1000}, [2]float64{1100, 1150}, "11 more"},
	} {
		all := sideBySide(c.unit, c.native, c.flask, Options{Over: "native", Build: regexp.MustCompile("flask")})
		if len(all.Series) != 1 {
			t.Fatalf("%s: %d series", c.name, len(all.Series))
		}
		s := all.Series[0]
		if got := describe(s); got != c.want || s.Build != "flask" || s.Scale() != c.unit+" over native" {
			t.Errorf("%s: %s: %q, want %q", c.name, s.Scale(), got, c.want)
		}
	}
	// The build's own series sees what moves both.
	if own := sideBySide("ns/op", [2]float64{100, 130}, [2]float64{110, 143}, Options{Build: regexp.MustCompile("flask")}); describe(own.Series[0]) != "11 slower" {
		t.Errorf("flask alone: %q", describe(own.Series[0]))
	}
}

// A boot is held against that of its round; what has no partner, or no ratio,
// is not held against anything.
func TestOverPairs(t *testing.T) {
	all := New(Options{Over: "native"})
	add := func(run int, build, unit string, remark string, boots ...history.Boot) {
		s := figure{benchmark: "A/b", unit: unit, remark: remark}.series()
		s.Build, s.Boots = build, boots
		if n := len(all.Runs); n > 0 && all.Runs[n-1].ID == runOf(run, "h").ID {
			all.Runs = all.Runs[:n-1] // the same run again
		}
		all.Add(runOf(run, "h"), []history.Series{s})
	}
	boots := func(round int, values ...float64) []history.Boot {
		var list []history.Boot
		for i, v := range values {
			list = append(list, history.Boot{Boot: 10*round + i, Round: round + i, Image: "an image", Value: v})
		}
		return list
	}
	add(1, "flask", "ns/op", "", boots(1, 7)...) // alone in its run
	add(2, "native", "ns/op", "", boots(1, 100, 200, 400)...)
	add(2, "flask", "ns/op", "", boots(2, 220, 440, 880)...)
	add(3, "native", "ns/op", "", boots(1, 0, 10)...)
	add(3, "flask", "ns/op", "", boots(1, 5, 20)...)
	add(4, "native", "ns/op", "", boots(1, 1)...)
	add(4, "flask", "ns/op", "", boots(2, 1)...) // no round of both
	add(5, "native", "xen-instr/op", "", boots(1, 1000, 1000)...)
	add(5, "flask", "xen-instr/op", "", boots(1, 1010, 1010)...)
	add(6, "native", "xen-instr/op", "not exact: an interrupt came", boots(1, 1000, 1000)...)
	add(6, "flask", "xen-instr/op", "", boots(1, 1010, 1010)...)
	all.Analyse()
	type point struct {
		run   string
		value float64
		boots int
		exact bool
	}
	var got []point
	for _, s := range all.Series {
		for _, p := range s.Points {
			got = append(got, point{all.Runs[p.Run].ID, math.Round(1000*p.Value) / 1000, p.Boots, p.Exact})
		}
	}
	id := func(day int) string { return runOf(day, "h").ID }
	want := []point{{id(2), 1.1, 2, false}, {id(3), 2, 1, false}, {id(5), 1.01, 2, true}, {id(6), 1.01, 2, false}}
	if !slices.Equal(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
	if len(all.Runs) != 4 {
		t.Errorf("%d runs", len(all.Runs))
	}
}
