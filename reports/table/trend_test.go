package table

import (
	"io"
	"testing"

	"xsmbench/reports/internal/golden"

	"xsmbench/reports/synthetic"
	"xsmbench/reports/trend"
	"xsmbench/results/history"
)

// nightly reads the invented history.
func nightly(t *testing.T, opt trend.Options) (*trend.Trends, []history.Run) {
	t.Helper()
	store, err := synthetic.NightlyStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	trends, err := trend.Read(store, opt)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := store.Runs()
	if err != nil {
		t.Fatal(err)
	}
	return trends, runs
}

func TestTrendGolden(t *testing.T) {
	trends, runs := nightly(t, trend.Options{})
	over, _ := nightly(t, trend.Options{Over: "native"})
	for name, write := range map[string]func(io.Writer) error{
		"trend.txt":  func(w io.Writer) error { return Trends(w, trends, trend.News{}) },
		"trend.json": func(w io.Writer) error { return TrendJSON(w, one(trends)) },

		"trend-over.txt": func(w io.Writer) error { return Trends(w, over, trend.News{}) },
		"trend-over.csv": func(w io.Writer) error { return TrendCSV(w, one(over)) },

		"runs.txt": func(w io.Writer) error { return Runs(w, runs) },
	} {
		golden.Matches(t, *update, name, write)
	}
}

// one leaves the first series that changes, and its points around the change:
// the others read alike.
func one(t *trend.Trends) *trend.Trends {
	short := *t
	s := *t.Changed()[0]
	s.Points, s.Changes = s.Points[:s.Changes[0].After+2], s.Changes[:1]
	short.Series = []*trend.Series{&s}
	return &short
}

func TestNoTrends(t *testing.T) {
	trends := trend.New(trend.Options{})
	trends.Analyse()
	text := func(w io.Writer, t *trend.Trends) error { return Trends(w, t, trend.News{}) }
	for _, write := range []func(io.Writer, *trend.Trends) error{text, TrendCSV, TrendJSON} {
		if err := write(io.Discard, trends); err != nil {
			t.Error(err)
		}
	}
	if got := TrendTitle(trends); got != "no run has a matching series" {
		t.Errorf("title %q", got)
	}
}
