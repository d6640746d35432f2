package compare

import (
	"math"
	"slices"
	"strings"
	"testing"

	"xsmbench/results"
)

// criteriaSet has one row, 1.5 % slower with next to no noise.
func criteriaSet() *set {
	return new(set).add("native", "Lmbench/lat_ctx", "us/op", 1000, 1001, 999, 1000, 1002).
		add("flask", "Lmbench/lat_ctx", "us/op", 1015, 1016, 1014, 1015.5, 1017)
}

// What was planned holds unless something else is asked for, which is told.
func TestCriteria(t *testing.T) {
	planned := &results.Criteria{Margin: 0.02, Confidence: 0.9}
	tests := []struct {
		name    string
		opt     Options
		margin  float64
		verdict Verdict
		warning string
	}{
		{"defaults", Options{}, 0.01, Slower, ""},
		{"as planned", Options{Planned: planned}, 0.02, Equivalent, ""},
		{"the same again", Options{Planned: planned, Criteria: results.Criteria{Margin: 0.02}}, 0.02, Equivalent, ""},
		{"changed", Options{Planned: planned, Criteria: results.Criteria{Margin: 0.005}}, 0.005, Slower,
			"the margin is 0.5%, chosen after the run; the run planned 2%"},
		{"of a benchmark", Options{Criteria: results.Criteria{Margins: map[string]float64{"lat_": 0.03, "ctx$": 0.02, "pipe": 0.001}}}, 0.02, Equivalent, ""},
		{"of a benchmark, changed", Options{Planned: planned, Criteria: results.Criteria{Margins: map[string]float64{"ctx": 0.012}}}, 0.012, Slower,
			"the margin of single benchmarks is ctx=1.2%, chosen after the run; the run planned none"},
		{"floor, changed", Options{Planned: planned, Criteria: results.Criteria{Floors: map[string]float64{"us/op": 30}}}, 30 / 1000.4, Equivalent,
			"the floor is ns/op=2, us/op=30, chosen after the run; the run planned ns/op=2"},
		{"confidence, changed", Options{Planned: planned, Criteria: results.Criteria{Confidence: 0.99}}, 0.02, Equivalent,
			"the confidence is 99%, chosen after the run; the run planned 90%"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := compareSet(t, criteriaSet(), tt.opt)
			if r := c.Rows[0]; r.Verdict != tt.verdict || math.Abs(r.Margin-tt.margin) > 1e-5 {
				t.Errorf("%s at a margin of %g, want %s at %g", r.Verdict, r.Margin, tt.verdict, tt.margin)
			}
			told := slices.DeleteFunc(slices.Clone(c.Warnings), func(w Warning) bool { return w.Code != CriteriaChanged })
			if got := strings.Join(Texts(told), "; "); got != tt.warning {
				t.Errorf("told %q, want %q", got, tt.warning)
			}
		})
	}
}

func TestCheckCriteria(t *testing.T) {
	tests := []struct {
		c    results.Criteria
		want string
	}{
		{results.Criteria{}, ""},
		{results.Criteria{Margin: math.NaN()}, "margin NaN: use a share between 0 and 1"},
		{results.Criteria{Confidence: 0.5}, "confidence 0.5: use a level between 0.5 and 1"},
		{results.Criteria{Margins: map[string]float64{"lat_(": 0.1}}, `margin of "lat_(": error parsing regexp`},
		{results.Criteria{Margins: map[string]float64{"lat": 2}}, `margin 2 of "lat": use a share between 0 and 1`},
		{results.Criteria{Floors: map[string]float64{"ns/op": -1}}, `floor -1 of "ns/op": use a number that is not below 0`},
	}
	for _, tt := range tests {
		err := CheckCriteria(tt.c)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.c, err, tt.want)
		}
	}
}
