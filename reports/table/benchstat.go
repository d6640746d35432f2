package table

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	// The package is deprecated in favour of benchproc and benchmath, and whole:
	// it alone makes the table that people know from the first benchstat, with
	// a column "old", a column "new" and "~" where it sees no difference.
	//
	//lint:ignore SA1019 nothing that replaces it prints this table
	"golang.org/x/perf/benchstat"

	"xsmbench/reports/compare"
)

// Benchstat writes benchstat's tables: each build as new, against the base as
// old. A boot is a value. Benchstat knows neither rounds nor margins: it takes
// boots as independent, leaves out what lies beyond Tukey's inner fences, and
// asks Mann and Whitney's test at 5 % a row, however many rows there are.
func Benchstat(w io.Writer, c *compare.Comparison) error {
	var out bytes.Buffer // FormatText does not tell what failed to be written
	for _, build := range c.Builds {
		both := benchstatOf(c, build)
		if len(both.Units) == 0 {
			continue
		}
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "old: %s, new: %s\n\n", c.Base, build)
		benchstat.FormatText(&out, both.Tables())
	}
	_, err := out.WriteTo(w)
	return err
}

// benchstatOf collects the samples of the base and of a build. Groups are
// environments and domains.
func benchstatOf(c *compare.Comparison, build string) *benchstat.Collection {
	both := &benchstat.Collection{
		Configs:    []string{c.Base, build},
		Benchmarks: map[string][]string{},
		Metrics:    map[benchstat.Key]*benchstat.Metrics{},
	}
	for _, r := range slices.Concat(c.Rows, c.Controls) {
		if r.Build != build {
			continue
		}
		group := r.Environment.String()
		both.Groups = with(both.Groups, group)
		both.Units = with(both.Units, r.Unit)
		both.Benchmarks[group] = with(both.Benchmarks[group], r.Benchmark)
		key := benchstat.Key{Group: group, Benchmark: r.Benchmark, Unit: r.Unit}
		for config, samples := range map[string][]float64{c.Base: r.BaseSamples, build: r.Samples} {
			key.Config = config
			both.Metrics[key] = &benchstat.Metrics{Unit: r.Unit, Values: samples}
		}
	}
	return both
}

// with appends what is not yet among the list.
func with(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
