package site

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"xsmbench/hv"
	"xsmbench/reports/about"
	"xsmbench/reports/answer"
	"xsmbench/reports/table"
	"xsmbench/reports/trend"
	"xsmbench/results/history"
)

// run is a run of the history, and the line that it belongs to.
type run struct {
	history.Run
	line *line
	at   int // in its line

	revised bool
	is      string // its revision, if it was asked for
}

// line is runs of one target that are one thing over time. A label whose runs
// measured different images names a branch, and has a line. All other runs of the
// target are one line together: those without a label, and those whose label names
// one revision, however often that was measured.
type line struct {
	Label  string // "" for the runs that have no line of their label
	Target string // "xen", "model/icount"
	Others bool   // other lines have runs of the same target
	Slug   string // of its folder
	place  int
	runs   []*run
	byID   map[string]*run

	costs    *trend.Trends
	parts    *trend.Trends // of the hooks' share of counts
	places   int           // environments, whatever their domains
	news     trend.News
	answered *answer.Answer // nil if nothing was compared
	// unanswered is why the last run could not be compared.
	unanswered error
}

// partUnits are counts that are a part of a cost: what all hooks together executed,
// and how many were entered.
var partUnits = regexp.MustCompile(`^(xsm-instr|hooks)/op$`)

// arrange gives each run its line. Lines are in the order of their last runs, the
// newest first.
func arrange(all []history.Run) ([]*run, []*line) {
	branches := branchesOf(all)
	lines := map[lineKey]*line{}
	var runs []*run
	var order []*line
	for _, h := range all {
		k := lineKey{targetOf(h), h.Label}
		if !branches[k] {
			k.label = ""
		}
		l := lines[k]
		if l == nil {
			l = &line{byID: map[string]*run{}, Label: k.label, Target: k.target, Slug: fileName(k.label+" "+k.target, k.target, k.label)}
			lines[k] = l
			order = append(order, l)
		}
		r := &run{Run: h, line: l, at: len(l.runs)}
		l.runs, runs = append(l.runs, r), append(runs, r)
		l.byID[r.ID] = r
	}
	for _, l := range order {
		l.Others = slices.ContainsFunc(order, func(o *line) bool { return o != l && o.Target == l.Target })
	}
	slices.SortStableFunc(order, func(a, b *line) int {
		return cmp.Or(b.last().Run.Run.Started.Compare(a.last().Run.Run.Started), strings.Compare(a.Slug, b.Slug))
	})
	for i, l := range order {
		l.place = i
	}
	return runs, order
}

type lineKey struct{ target, label string }

// branchesOf are the labels under which different images were measured.
func branchesOf(all []history.Run) map[lineKey]bool {
	first, branches := map[lineKey]string{}, map[lineKey]bool{}
	for _, h := range all {
		k, images := lineKey{targetOf(h), h.Label}, strings.Join(h.Images, " ")
		switch old, seen := first[k]; {
		case h.Label == "":
		case !seen:
			first[k] = images
		case old != images:
			branches[k] = true
		}
	}
	return branches
}

func targetOf(h history.Run) string {
	name := cmp.Or(h.Run.Spec.Target, "unknown target")
	if a := h.Run.Spec.Accel; a != "" {
		name += "/" + a
	}
	return name
}

func (l *line) last() *run { return l.runs[len(l.runs)-1] }

// before is the run before another one in its line; nil if there is none.
func (r *run) before() *run {
	if r.at == 0 {
		return nil
	}
	return r.line.runs[r.at-1]
}

// Name is what the line is called.
func (l *line) Name() string {
	switch {
	case l.Label != "":
		return l.Label + ", " + l.Target
	case l.Others:
		return "other runs, " + l.Target
	}
	return "all runs, " + l.Target
}

// analyse looks for changes. A line whose runs have no cost has no trends.
func (l *line) analyse() {
	if len(l.costs.Runs) > 0 {
		l.news = l.costs.News()
	}
	l.parts.Analyse()
	places := map[string]bool{}
	for _, s := range slices.Concat(l.costs.Series, l.parts.Series) {
		places[whereOf(s.Environment)] = true
	}
	l.places = len(places)
}

// revision is what a run measured, as git describe says: of all its builds, or
// where the builds tell nothing, of the tool that holds the target's source.
func (r *run) revision() string {
	if !r.revised {
		r.revised, r.is = true, r.readRevision()
	}
	return r.is
}

func (r *run) readRevision() string {
	var all []string
	for _, img := range r.Run.Run.Images {
		if name := revisionOf(img); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	for _, b := range r.Run.Run.Spec.Builds {
		if len(all) == 0 && b.Rev != "" {
			all = append(all, b.Rev)
		}
	}
	if len(all) == 0 { // runs of before it was written down may say it in another way
		subject := about.Of(&r.Run.Run, nil, nil).Subject
		for _, word := range []string{subject.Version, subject.Commit} {
			if word != "" {
				all = append(all, word)
			}
		}
		return strings.Join(all, ", commit ")
	}
	return strings.Join(all, " and ")
}

// revisionOf is that of an image.
func revisionOf(img hv.Image) string { return cmp.Or(img.Revision, img.Build.Rev) }

// name is a run in a sentence.
func (r *run) name() string { return table.RunName(r.Run) }

// when is the minute in which a run started; its day, if it is short.
func (r *run) when() string {
	if r.Run.Run.Started.IsZero() {
		return "at an unknown time"
	}
	return r.Run.Run.Started.UTC().Format("2006-01-02 15:04")
}
