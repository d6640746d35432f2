package compare

import "slices"

// Section is what one table shows: a domain's benchmarks in one unit.
type Section struct {
	Environment
	Unit   string
	Builds []string // one column each
	Lines  []Line
}

// Line is a benchmark with a row for each of the section's builds, nil where
// there is none.
type Line struct {
	Benchmark string
	BaseValue float64
	Rows      []*Row
}

// Sections arranges rows, those of the comparison or its controls.
func Sections(rows []Row) []Section {
	var all []Section
	for i := range rows {
		r := &rows[i]
		s := section(&all, r)
		column := slices.Index(s.Builds, r.Build)
		line := slices.IndexFunc(s.Lines, func(l Line) bool { return l.Benchmark == r.Benchmark })
		if line < 0 {
			line = len(s.Lines)
			s.Lines = append(s.Lines, Line{r.Benchmark, r.BaseValue, make([]*Row, len(s.Builds))})
		}
		s.Lines[line].Rows[column] = r
	}
	return all
}

// section finds or adds the row's section, with a column for its build.
func section(all *[]Section, r *Row) *Section {
	i := slices.IndexFunc(*all, func(s Section) bool { return s.Environment == r.Environment && s.Unit == r.Unit })
	if i < 0 {
		i = len(*all)
		*all = append(*all, Section{Environment: r.Environment, Unit: r.Unit})
	}
	s := &(*all)[i]
	if !slices.Contains(s.Builds, r.Build) {
		s.Builds = append(s.Builds, r.Build)
		for j := range s.Lines {
			s.Lines[j].Rows = append(s.Lines[j].Rows, nil)
		}
	}
	return s
}

// Title names the section: what and where.
func (s Section) Title() string { return s.Environment.String() + ", " + s.Unit }

// Counted reports whether the section's unit counts instructions: differences
// are then shown as counts, too.
func (s Section) Counted() bool { return IsCount(s.Unit) }
