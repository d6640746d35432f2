package series

import (
	"fmt"
	"path/filepath"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv/git"
	"xsmbench/results"
)

// Reading is a revision's figure.
type Reading struct {
	git.Revision
	Value float64
	Unit  string
	// Exact tells that every boot gave the value, and no sample disclaims it.
	Exact bool
	Boots int
	Dir   string // of the run that has it, which may be another revision's of the same image
}

// Gauge says what is read of a run.
type Gauge struct {
	Arch, DomU, Build, Domain, Benchmark, Unit string
}

// read reads a figure of a run directory: the mean of its boots.
func (g Gauge) read(dir string) (Reading, error) {
	samples, problems, err := results.ReadFiles(dir)
	if err != nil {
		return Reading{}, err
	}
	r := Reading{Dir: dir, Unit: g.Unit, Exact: true}
	first, sum := 0.0, 0.0
	for _, s := range samples {
		v, ok := s.Value(g.Unit)
		if !ok || !s.Ended || s.Build != g.Build || s.Domain != g.Domain || s.Benchmark != g.Benchmark {
			continue
		}
		if r.Boots == 0 {
			first = v
		}
		r.Boots++
		sum += v
		r.Exact = r.Exact && v == first && !disclaimed(s.Warnings)
	}
	if r.Boots == 0 {
		return Reading{}, &MissingError{g, dir, g.why(problems)}
	}
	r.Exact = r.Exact && r.Boots > 1
	if r.Value = first; !r.Exact {
		r.Value = sum / float64(r.Boots)
	}
	return r, nil
}

// MissingError is a run that is whole and lacks the figure.
type MissingError struct {
	Gauge  Gauge
	Dir    string
	Reason string // as the run wrote it down; "" if it did not
}

// Error names the figure.
func (e *MissingError) Error() string {
	text := fmt.Sprintf("%s has no %s of %s in %s", e.Dir, e.Gauge.Unit, e.Gauge.Benchmark, e.Gauge.Domain)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// why is what the run wrote down of a missing figure.
func (g Gauge) why(problems []results.Problem) string {
	for _, p := range problems {
		if p.Note && p.Benchmark == g.Benchmark && p.Reason != "" && strings.HasSuffix(p.File, "-"+g.Domain+".txt") {
			return p.Reason
		}
	}
	return ""
}

// disclaimed reports whether a sample says itself that its count is not exact.
func disclaimed(warnings []string) bool {
	for _, w := range warnings {
		if strings.HasPrefix(w, bench.NotExact) {
			return true
		}
	}
	return false
}

// runOf is the directory that has an entry's figures.
func (m *measurer) runOf(e Entry) string { return filepath.Join(m.dir, e.Run) }
