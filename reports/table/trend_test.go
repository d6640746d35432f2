package table

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		"trend.txt":  func(w io.Writer) error { return Trends(w, trends) },
		"trend.csv":  func(w io.Writer) error { return TrendCSV(w, trends) },
		"trend.json": func(w io.Writer) error { return TrendJSON(w, trends) },

		"trend-over.txt":  func(w io.Writer) error { return Trends(w, over) },
		"trend-over.csv":  func(w io.Writer) error { return TrendCSV(w, over) },
		"trend-over.json": func(w io.Writer) error { return TrendJSON(w, over) },

		"runs.txt": func(w io.Writer) error { return Runs(w, runs) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s differs: run go test ./reports/table -update and look at it\n%s", path, diff)
		}
	}
}

func TestNoTrends(t *testing.T) {
	trends := trend.New(trend.Options{})
	trends.Analyse()
	for _, write := range []func(io.Writer, *trend.Trends) error{Trends, TrendCSV, TrendJSON} {
		if err := write(io.Discard, trends); err != nil {
			t.Error(err)
		}
	}
	if got := TrendTitle(trends); got != "no run has such a series" {
		t.Errorf("title %q", got)
	}
}
