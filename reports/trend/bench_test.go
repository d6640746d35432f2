package trend_test

import (
	"path/filepath"
	"testing"

	"xsmbench/reports/synthetic"
	"xsmbench/reports/trend"
	"xsmbench/results/history"
)

// BenchmarkReadNews reads a history of 500 runs of 100 benchmarks. "make
// bench-history" measures one of 10,000 runs.
func BenchmarkReadNews(b *testing.B) {
	path := filepath.Join(b.TempDir(), "runs.db")
	if err := (synthetic.Large{Runs: 500, Benchmarks: 100, Builds: []string{"native"}}).Store(path); err != nil {
		b.Fatal(err)
	}
	s, err := history.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.ReportAllocs()
	for b.Loop() {
		t, _, err := trend.ReadNews(s, trend.Options{})
		if err != nil || len(t.Runs) != 500 {
			b.Fatalf("%d runs, %v", len(t.Runs), err)
		}
	}
}
