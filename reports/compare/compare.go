// Package compare turns samples into verdicts: for every benchmark, domain
// and unit, what each build costs against the base build.
//
// A boot is a sample, its windows never are: windows of one boot share the
// boot's layout of memory and caches, so pooling them makes differences
// between boots look like differences between builds. Samples are compared in
// logarithms, paired by round where rounds match. Costs are ratios above 1
// where a build is slower, for rates (MB/s) too.
//
// A verdict follows from the interval alone. It is equivalent if the interval
// lies within the margin; slower or faster if it lies on one side of 0, also
// after Holm's correction for all rows; and inconclusive otherwise, with an
// estimate of the rounds still needed.
package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"xsmbench/reports/internal/number"
	"xsmbench/results"
)

// Comparison is every build against the base.
type Comparison struct {
	Base   string
	Builds []string // compared with the base, in the order of the samples
	// Criteria are those in force, and Planned those that the run wrote down
	// before it measured, nil if it did not. What differs between them is
	// among the warnings.
	results.Criteria
	Planned *results.Criteria
	// UsualDomU is the kind of the domUs where a row's environment names none, "" if
	// it is not known.
	UsualDomU string
	// Looks is how many looks share the chance to err: 1 if the rounds were
	// fixed. Verdicts and intervals are at Level, not at Confidence.
	Looks int
	Rows  []Row
	// Controls are rows of builds whose image or source is the base's own:
	// what differs there is noise, and the luck of a layout.
	Controls []Row
	GeoMeans []GeoMean
	// Figures are values in units that say no cost, compared by no test.
	Figures  []Figure
	Warnings []Warning
	// Questions is how many tests Holm's correction of the rows counts: of a
	// selection those of all rows, of which there were All.
	Questions, All int
	// View says how tables show the rows.
	View View

	selects func(Cell) bool // nil unless the comparison is a selection
	jobs    []job
	counted map[counted]bool // what has samples of Xen's instructions
	lacks   []lack
	// measured and had are what the run, and an earlier one, has samples of.
	measured, had []Cell
}

// Environment is what must be the same for samples to be compared.
type Environment struct {
	Target, Arch, Accel, Workload, Domain string
	DomU                                  string // kind of the domUs, "" for the target's first
	Idle                                  int    // domUs beside the measured one
	Platform                                     // of files that Go's own tests wrote
}

// Platform is what go test says of where benchmarks ran: each of its keys tells
// them apart.
type Platform = results.Platform

// String is the environment in words, without what is empty.
func (e Environment) String() string {
	var words []string
	for _, w := range e.words() {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// words are what the environment is named by, some of them empty.
func (e Environment) words() []string {
	return []string{e.Target, e.Arch, e.Accel, e.Workload, e.domUs(), e.Domain, e.Platform.String()}
}

// domainWord is the domain's place among the words.
const domainWord = 5

// domUs says what is not usual of the domUs.
func (e Environment) domUs() string {
	var words []string
	if e.DomU != "" {
		words = append(words, "domu="+e.DomU)
	}
	if e.Idle > 0 {
		words = append(words, fmt.Sprintf("idle=%d", e.Idle))
	}
	return strings.Join(words, " ")
}

// Compare compares every build with the base.
func Compare(samples []results.Sample, opt Options) (*Comparison, error) {
	return SetOf(samples).Compare(opt)
}

// Compare compares every build with the base.
func (s *Set) Compare(opt Options) (*Comparison, error) {
	opt, err := opt.complete()
	if err != nil {
		return nil, fmt.Errorf("compare builds: %w", err)
	}
	g := s.group(opt.Order)
	opt.base(g)
	if err := g.check(opt.Base, opt.Single); err != nil {
		return nil, fmt.Errorf("compare builds: %w", err)
	}
	c := &Comparison{Base: opt.Base, Criteria: opt.Criteria, Planned: opt.Planned, UsualDomU: opt.UsualDomU, Looks: max(1, opt.Looks)}
	c.warnOfChanges()
	for _, b := range g.builds {
		of := opt.Controls[b]
		if b != opt.Base && (of == "" || of == opt.Base) {
			c.Builds = append(c.Builds, b)
		}
	}
	hooks := hookCounts(g.series)
	c.counted = countedIn(g.series)
	c.account(g.series)
	opt.copies = g.copies(opt.Base)
	for _, s := range g.series {
		c.add(s, opt, hooks)
	}
	if err := g.counterparts(c, opt); err != nil && len(g.builds) > 1 {
		return nil, fmt.Errorf("compare builds: %w", err)
	}
	c.compareRows()
	c.warnOfLacks(g.series)
	c.judge()
	c.checkTogether()
	c.GeoMeans = geoMeans(c.Rows, opt.level(), g.seed())
	c.GeoMeans = append(c.GeoMeans, geoMeans(c.Controls, opt.level(), g.seed())...)
	c.checkMeans()
	c.warnOfWhole(g.unfinished)
	return c, nil
}

// add compares the builds of one benchmark, domain and unit.
func (c *Comparison) add(s *series, opt Options, hooks counts) {
	base := s.builds[opt.Base]
	if !opt.judged(s.unit) || len(c.Builds) == 0 && opt.Single {
		c.Figures = append(c.Figures, figures(s, opt.Base)...)
		return
	}
	if base == nil {
		c.lack(s, opt.Base, hooks, ", so nothing is compared")
		return
	}
	for _, name := range c.Builds {
		b := s.builds[name]
		if b == nil {
			c.lack(s, name, hooks, "")
			continue
		}
		c.later(s, name, opt, hooks, opt.kinOf(name, sameImages(base, b)))
	}
}

// lack says that a build has no sample, unless what it has instead is listed
// as Uncounted.
func (c *Comparison) lack(s *series, build string, hooks counts, so string) {
	if _, ok := hooks[counted{s.Environment, s.benchmark, build}]; ok && s.unit == xenInstructions {
		return
	}
	c.lacks = append(c.lacks, lack{s.Environment, s.benchmark, build, so})
}

// judge gives the verdicts, which need all rows.
func (c *Comparison) judge() {
	alpha := 1 - c.Level()
	for i, rows := range [][]Row{c.Rows, c.Controls} {
		questions := correct(rows)
		if i == 0 {
			c.Questions, c.All = questions, len(rows)
		}
		for k := range rows {
			rows[k].judge(alpha, questions)
		}
	}
	controls := map[string][]Row{}
	for _, r := range c.Controls {
		controls[r.place()] = append(controls[r.place()], r)
	}
	for i := range c.Rows {
		for _, control := range controls[c.Rows[i].place()] {
			c.Rows[i].heed(control)
		}
	}
}

// warnOfWhole says what holds for the comparison as a whole.
func (c *Comparison) warnOfWhole(unfinished int) {
	if unfinished > 0 {
		c.warn(BootsUnfinished, "%d boots did not finish; their samples are used", unfinished)
	}
	if len(c.Rows) == 0 && len(c.Controls) == 0 && len(c.Builds) == 0 && len(c.Figures) > 0 {
		c.warn(NothingToCompare, "there is only one build, %s: its figures are shown without a comparison", c.Base)
	} else if len(c.Rows) == 0 && len(c.Controls) == 0 {
		c.warn(NothingToCompare, "nothing to compare")
	}
}

// Level is that of the intervals, above Confidence if several looks share it.
func (c *Comparison) Level() float64 { return level(c.Confidence, c.Looks) }

// LevelText is Level as a table's head has it: "95%".
func (c *Comparison) LevelText() string {
	return number.Share(c.Level(), 4)
}

// Count is how many rows have a verdict.
func (c *Comparison) Count(v Verdict) int {
	n := 0
	for _, r := range c.Rows {
		if r.Verdict == v {
			n++
		}
	}
	return n
}

// Negligible reports whether every row is equivalent. Each row's own test is
// at the level asked for, and all must pass, so that no correction is needed
// (an intersection-union test).
func (c *Comparison) Negligible() bool {
	return len(c.Rows) > 0 && c.Count(Equivalent) == len(c.Rows)
}

// ControlBuilds names those that have rows among the controls, and tells of
// each what it has in common with the base.
func (c *Comparison) ControlBuilds() (names []string, kinship map[string]string) {
	kinship = map[string]string{}
	for _, r := range c.Controls {
		if _, ok := kinship[r.Build]; !ok {
			names = append(names, r.Build)
			kinship[r.Build] = r.Kinship()
		}
	}
	return names, kinship
}

// Environments lists those of the rows, in their order.
func (c *Comparison) Environments() []Environment {
	var all []Environment
	for _, rows := range [][]Row{c.Rows, c.Controls} {
		for _, r := range rows {
			if !slices.Contains(all, r.Environment) {
				all = append(all, r.Environment)
			}
		}
	}
	return all
}

// Where names an environment by its domain, and by what else tells it from
// another of that domain.
func (c *Comparison) Where(e Environment) string {
	own := e.words()
	differs := make([]bool, len(own))
	differs[domainWord] = true
	for _, o := range c.Environments() {
		if o.Domain != e.Domain {
			continue
		}
		for i, w := range o.words() {
			differs[i] = differs[i] || w != own[i]
		}
	}
	var words []string
	for i, w := range own {
		if differs[i] && w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// Widest is the row of a control with the largest overhead, to either side, and
// how large that is: nothing smaller can be told from noise. It is of all rows,
// or of those that are exact, which are counted.
func (c *Comparison) Widest(build string, exact bool) (widest Row, size float64, rows int) {
	for _, r := range c.Controls {
		if r.Build != build || math.IsNaN(r.Ratio) || exact && !r.Exact {
			continue
		}
		rows++
		if s := math.Expm1(math.Abs(math.Log(r.Ratio))); rows == 1 || s > size {
			widest, size = r, s
		}
	}
	return widest, size, rows
}
