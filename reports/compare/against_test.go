package compare

import (
	"slices"
	"testing"

	"xsmbench/results"
)

// ran is a run: the images of its builds are named after it, unless same says
// that they are those of every run.
func ran(name string, s *set, same ...string) []results.Sample {
	for i := range s.samples {
		s.samples[i].Run = name
		if !slices.Contains(same, s.samples[i].Build) {
			s.samples[i].Image += " in " + name
		}
	}
	return s.samples
}

func TestAgainst(t *testing.T) {
	before := ran("runs/x", new(set).
		add("native", "A/b", "ns/op", 1000, 1001, 999, 1000, 1002).add("flask", "A/b", "ns/op", 1100, 1101, 1099, 1100, 1102).
		add("native", "A/b", "xen-instr/op", 500, 500).add("flask", "A/b", "xen-instr/op", 600, 600), "native")
	// The runs lie at the same path: rounds must not be taken for pairs.
	now := ran("runs/x", new(set).
		add("native", "A/b", "ns/op", 1001, 1000, 1000, 999, 1001).add("flask", "A/b", "ns/op", 1151, 1150, 1149, 1152, 1150).
		add("native", "A/b", "xen-instr/op", 500, 500, 500).add("flask", "A/b", "xen-instr/op", 612, 612, 612), "native")
	for i := range now {
		if now[i].Build == "flask" {
			now[i].Image += ", changed"
		}
	}
	c, err := Against(SetOf(now), SetOf(before), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Rows) != 2 || len(c.Controls) != 2 {
		t.Fatalf("%d rows, %d controls", len(c.Rows), len(c.Controls))
	}
	times, counts := c.Rows[0], c.Rows[1]
	if times.Base != "flask (earlier)" || times.Build != "flask" || times.Paired || times.Verdict != Slower || len(times.Warnings) != 0 {
		t.Errorf("%+v", times)
	}
	if !counts.Exact || counts.Verdict != Slower || counts.Ratio != 612.0/600 && counts.Difference() != 12 {
		t.Errorf("%+v", counts)
	}
	for _, r := range c.Controls {
		if r.Build != "native" || r.Verdict != Equivalent {
			t.Errorf("%+v", r)
		}
	}
	if len(c.Missing()) != 0 || len(c.Warnings) != len(c.WarningsBeside()) {
		t.Errorf("missing %v, warnings %v", c.Missing(), c.Warnings)
	}
}

// Noise between two runs of one image takes back an alarm of the same size.
func TestAgainstNoise(t *testing.T) {
	before := ran("old", new(set).
		add("native", "A/b", "ns/op", 1000, 1001, 999, 1000, 1002).add("flask", "A/b", "ns/op", 1100, 1101, 1099, 1100, 1102), "native")
	now := ran("new", new(set).
		add("native", "A/b", "ns/op", 1051, 1050, 1050, 1049, 1051).add("flask", "A/b", "ns/op", 1151, 1150, 1149, 1152, 1150), "native")
	c, err := Against(SetOf(now), SetOf(before), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Rows[0]; r.Verdict != Inconclusive || !hasWarning(r, "the control native, the same image as native (earlier), differs here") {
		t.Errorf("%s: %v", r.Verdict, r.Warnings)
	}
}

// The controls within a run serve, too.
func TestAgainstControlsWithin(t *testing.T) {
	one := func(name string) []results.Sample {
		s := new(set).add("native", "A/b", "ns/op", 1000, 1001, 999).add("native2", "A/b", "ns/op", 1002, 1001, 1003)
		samples := ran(name, s)
		for i := range samples {
			samples[i].Image = "native of " + name
		}
		return samples
	}
	c, err := Against(SetOf(one("new")), SetOf(one("old")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range c.Controls {
		got = append(got, r.Base+" "+r.Build)
	}
	if want := []string{"native native2", "native (earlier) native2 (earlier)"}; !slices.Equal(got, want) || len(c.Rows) != 2 {
		t.Errorf("controls %q, want %q; %d rows", got, want, len(c.Rows))
	}
}

func TestAgainstMissing(t *testing.T) {
	before := ran("old", new(set).add("flask", "A/b", "ns/op", 1, 2, 3).add("flask", "A/gone", "ns/op", 1, 2, 3))
	now := ran("new", new(set).add("flask", "A/b", "ns/op", 1, 2, 3).add("flask", "A/new", "ns/op", 1, 2, 3))
	c, err := Against(SetOf(now), SetOf(before), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range c.Missing() {
		got = append(got, m.Benchmark+" "+m.Build)
	}
	slices.Sort(got)
	if want := []string{"A/gone flask", "A/new flask (earlier)"}; !slices.Equal(got, want) {
		t.Errorf("missing %q, want %q", got, want)
	}
	other := ran("other", new(set).add("dummy", "A/b", "ns/op", 1, 2))
	c, err = Against(SetOf(other), SetOf(before), Options{})
	if err != nil || len(c.Rows) > 0 || len(c.Measured()) != 1 || len(c.Earlier()) != 2 {
		t.Errorf("no build in common: %v, %+v", err, c)
	}
}

// A renamed build and benchmark are compared with what they were called.
func TestRename(t *testing.T) {
	old := func() *Input {
		s := new(set).add("native", "A/b", "ns/op", 10, 11, 10).add("flask", "A/b", "ns/op", 10, 11, 10)
		return &Input{Samples: SetOf(ran("old", s)), controls: map[string]string{"native2": "native"},
			Run: &results.Run{Spec: results.Spec{Benchmarks: []string{"A/b"}}}}
	}
	now := ran("new", new(set).add("native", "A/c", "ns/op", 10, 11, 10).add("mine", "A/c", "ns/op", 10, 11, 10))
	before := old()
	n := Renames{Builds: map[string]string{"flask": "mine", "absent": "native"}, Benchmarks: map[string]string{"A/b": "A/c"}}
	if err := before.Rename(n); err != nil {
		t.Fatal(err)
	}
	c, err := Against(SetOf(now), before.Samples, Options{})
	if err != nil || len(c.Rows) != 2 || len(c.Missing()) > 0 || before.Run.Spec.Benchmarks[0] != "A/c" {
		t.Errorf("%v: %+v", err, c)
	}
	for _, bad := range []Renames{
		{Builds: map[string]string{"flask": "native"}},
		{Builds: map[string]string{"flask": "x", "native": "x"}},
	} {
		if err := old().Rename(bad); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
	swapped := old()
	if err := swapped.Rename(Renames{Builds: map[string]string{"flask": "native", "native": "flask"}}); err != nil {
		t.Error(err)
	}
}
