package compare

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// chosen is a report of two builds and three benchmarks in two units.
func chosen(t *testing.T) *Comparison {
	t.Helper()
	s := new(set)
	for i, add := range []float64{0, 50, 4} { // B/op, and ns/op ten times as much
		for _, build := range []string{"native", "dummy", "flask", "native2"} {
			more := map[string]float64{"native": 0, "native2": 0, "dummy": 0, "flask": add}[build]
			base := []float64{1000, 200, 10}[i]
			name := "A/" + string("cab"[i])
			s.add(build, name, "B/op", base+more, base+more).add(build, name, "ns/op", 10*(base+more), 10*(base+more)+1)
		}
	}
	for i := range s.samples {
		if s.samples[i].Build == "native2" {
			s.samples[i].Image = "image of native"
		}
	}
	return compareSet(t, s, Options{Base: "native"})
}

func names(rows []Row) string {
	var words []string
	for _, r := range rows {
		words = append(words, fmt.Sprintf("%s %s %s", strings.TrimPrefix(r.Benchmark, "A/"), r.Build, r.Unit))
	}
	return strings.Join(words, ", ")
}

// TestSelect: a selection has rows of the whole, with the verdicts of the whole.
func TestSelect(t *testing.T) {
	c := chosen(t)
	for _, tt := range []struct {
		s        Selection
		rows     string
		controls int
	}{
		{Selection{Bench: regexp.MustCompile("a|b"), Unit: regexp.MustCompile("B/op"), Builds: []string{"flask"}}, "a flask B/op, b flask B/op", 2},
		{Selection{Unit: regexp.MustCompile("^ns"), Builds: []string{"dummy"}}, "c dummy ns/op, a dummy ns/op, b dummy ns/op", 3},
		{Selection{Bench: regexp.MustCompile("c$"), Domains: []string{"dom0"}}, "c dummy ns/op, c flask ns/op, c dummy B/op, c flask B/op", 2},
	} {
		part, err := c.Select(tt.s)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(part.Rows); got != tt.rows || len(part.Controls) != tt.controls {
			t.Errorf("rows %s and %d controls, want %s and %d", got, len(part.Controls), tt.rows, tt.controls)
		}
		for _, r := range part.Rows {
			i := slices.IndexFunc(c.Rows, func(w Row) bool { return w.place() == r.place() && w.Build == r.Build })
			if w := c.Rows[i]; w.Verdict != r.Verdict || !(w.PHolm == r.PHolm || w.PHolm != w.PHolm) {
				t.Errorf("%s: another verdict than in the whole", r.place())
			}
		}
		if part.Questions != c.Questions || part.All != len(c.Rows) {
			t.Errorf("%d questions of %d rows", part.Questions, part.All)
		}
	}
	var unknown *UnknownNameError
	if _, err := c.Select(Selection{Builds: []string{"silo"}}); !errors.As(err, &unknown) || unknown.Name != "silo" {
		t.Errorf("an unknown build: %v", err)
	}
	if _, err := c.Select(Selection{Domains: []string{"domU"}}); !errors.As(err, &unknown) || unknown.Kind != "domain" {
		t.Errorf("an unknown domain: %v", err)
	}
	if _, err := c.Select(Selection{Bench: regexp.MustCompile("z")}); !errors.Is(err, ErrNoneSelected) {
		t.Errorf("nothing selected: %v", err)
	}
}

// TestView: what is shown is in the order asked for, whole benchmarks at a time,
// and counts stay those of all.
func TestView(t *testing.T) {
	part, err := chosen(t).Select(Selection{Unit: regexp.MustCompile("B/op")})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		view           View
		rows           string
		controls, left int
	}{
		{View{}, "c dummy B/op, c flask B/op, a dummy B/op, a flask B/op, b dummy B/op, b flask B/op", 3, 0},
		{View{Sort: ByName}, "a dummy B/op, a flask B/op, b dummy B/op, b flask B/op, c dummy B/op, c flask B/op", 3, 0},
		{View{Sort: ByChange, Limit: 2}, "b dummy B/op, b flask B/op, a dummy B/op, a flask B/op", 2, 2},
		{View{Sort: ByCost, Limit: 1}, "a dummy B/op, a flask B/op", 1, 4},
		{View{Changed: true}, "a dummy B/op, a flask B/op, b dummy B/op, b flask B/op", 2, 2},
	} {
		part.View = tt.view
		rows, controls, left := part.Shown()
		if got := names(rows); got != tt.rows || len(controls) != tt.controls || left != tt.left {
			t.Errorf("%+v: %s, %d controls, %d left out; want %s, %d, %d", tt.view, got, len(controls), left, tt.rows, tt.controls, tt.left)
		}
		if part.Count(Slower) != 2 {
			t.Errorf("%+v: %d slower", tt.view, part.Count(Slower))
		}
	}
}
