package results

import (
	"path/filepath"
	"testing"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchproc"
)

// TestBenchstat projects a run's files as "benchstat -col build" does: one
// table for each domain, a column for each build, a row for each benchmark,
// and every boot a sample.
func TestBenchstat(t *testing.T) {
	t.Run("usual domUs", func(t *testing.T) { testBenchstat(t, create(t)) })
	t.Run("other domUs", func(t *testing.T) { testBenchstat(t, createOther(t)) })
}

func testBenchstat(t *testing.T, d *Dir) {
	for round := 1; round <= 3; round++ {
		for i, build := range []string{"native", "dummy"} {
			boot(t, d, 2*round-1+i, round, build, 1000+float64(round))
		}
	}
	var filter benchproc.ProjectionParser
	keep, err := benchproc.NewFilter("*")
	if err != nil {
		t.Fatal(err)
	}
	parse := func(text string) *benchproc.Projection {
		p, err := filter.Parse(text, keep)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	column, row := parse("build"), parse(".fullname")
	tables, unit, err := filter.ParseWithUnit(".config", keep)
	if err != nil {
		t.Fatal(err)
	}
	residue := filter.Residue()
	type cell struct{ table, row, column string }
	samples := map[cell]int{}
	residues, domains := map[benchproc.Key]bool{}, map[string]bool{}
	paths, err := filepath.Glob(filepath.Join(d.Path(), "results", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	files := benchfmt.Files{Paths: paths}
	for files.Scan() {
		r, ok := files.Result().(*benchfmt.Result)
		if !ok {
			t.Fatalf("%v", files.Result())
		}
		for _, k := range tables.ProjectValues(r) {
			if k.Get(unit) != "sec/op" {
				continue
			}
			c := cell{k.StringValues(), row.Project(r).StringValues(), column.Project(r).StringValues()}
			samples[c]++
			domains[c.table] = true
		}
		residues[residue.Project(r)] = true
	}
	if err := files.Err(); err != nil {
		t.Fatal(err)
	}
	if len(domains) != 2 || len(samples) != 4 {
		t.Errorf("%d tables with %d cells, want 2 with 4: %v", len(domains), len(samples), samples)
	}
	for c, n := range samples {
		if n != 3 {
			t.Errorf("%v has %d samples, want 3", c, n)
		}
	}
	// Benchstat warns if something that is not shown varies.
	if len(residues) != 1 {
		t.Errorf("samples of one cell differ in something else: %v", residues)
	}
}
