package site

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"xsmbench/reports/answer"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/table"
	"xsmbench/reports/trend"
)

// indexView is what the first page shows.
type indexView struct {
	Lines  []lineView
	Newest []runLine
	More   int // runs that only the page of all runs lists
}

// lineView is the last state of a line.
type lineView struct {
	ID, Name, Trends string
	Facts            []fact
	Answers          []answerView
	Unanswered       string       // why there are none
	Before           string       // the run before the last, in words
	News             []changeView // of the last run
	Notes            []string     // what began and ended with it
	Latest           []changeView // changes that are no news
	Links            []link
}

type fact struct{ Label, Text string }

type answerView struct{ Name, Text, Class string }

// changeView is a change of level in a list.
type changeView struct {
	Benchmark, To, Where, Before, After, Change, Verdict string
	Class                                                string // of the verdict
	Since, Revision                                      string
	Remarks                                              []string
	Compare                                              string // address of the two runs around it
}

// runLine is a run in a list.
type runLine struct {
	ID, Short, When, Label, Revision, Host, Line, Trends string
	Boots                                                int
	Compare                                              string // with the run before it, if there is one
	Data                                                 string
}

// Most entries of lists on the first page; other pages have all.
const (
	mostNewest = 10
	mostLatest = 5
	mostNews   = 20
)

func (t *site) writeIndex() error {
	v := indexView{More: max(0, len(t.runs)-mostNewest)}
	for _, l := range t.lines {
		v.Lines = append(v.Lines, l.view())
	}
	for _, r := range slices.Backward(t.runs[v.More:]) {
		v.Newest = append(v.Newest, r.row())
	}
	return t.put(indexPage, "index", frame{Title: t.title(), Subject: t.subject(), Here: "state", Body: v})
}

// subject is how many runs there are, and of which time.
func (t *site) subject() string {
	first, last := t.runs[0], t.runs[len(t.runs)-1]
	if len(t.runs) == 1 {
		return "1 run, " + last.when()
	}
	return fmt.Sprintf("%d runs, from %s to %s", len(t.runs), first.day(), last.day())
}

func (r *run) day() string { return r.when()[:min(10, len(r.when()))] }

func (l *line) view() lineView {
	last := l.last()
	v := lineView{ID: l.Slug, Name: l.Name(), Trends: l.page()}
	add := func(label, text string) {
		if text != "" {
			v.Facts = append(v.Facts, fact{label, text})
		}
	}
	add("last run", last.when()+", "+last.Short())
	if last.Label != l.Label {
		add("label", last.Label)
	}
	add("commit", last.revision())
	add("target", l.Target)
	add("machine", last.Run.Run.Host.CPU)
	add("runs", fmt.Sprintf("%d since %s", len(l.runs), l.runs[0].day()))
	if l.answered != nil {
		for _, b := range l.answered.Builds {
			v.Answers = append(v.Answers, answerOf(b))
		}
	}
	switch {
	case l.unanswered != nil:
		v.Unanswered = fmt.Sprintf("The last run cannot be compared. “xsmbench history show %s -o DIR” and “xsmbench compare DIR” say why.", last.Short())
	case len(v.Answers) == 0:
		v.Unanswered = "The last run has nothing to compare a build with."
	}
	v.Links = []link{{"trends", l.page()}}
	if before := last.before(); before != nil {
		v.Before = before.name()
		v.Links = append(v.Links, link{"compare with the run before", comparison(before, last)})
	}
	v.Links = append(v.Links, link{"data", dataName(last.ID)})
	l.changes(&v)
	return v
}

// answerOf is a build's sentence as the run's own page has it.
func answerOf(b answer.Build) answerView {
	v := answerView{Name: b.Name, Text: strings.TrimPrefix(b.Brief(), b.Name+" ") + ".", Class: string(compare.Equivalent)}
	for _, verdict := range []compare.Verdict{compare.Slower, compare.Inconclusive, compare.Faster} {
		if b.Verdicts[verdict] > 0 {
			v.Class = string(verdict)
			break
		}
	}
	return v
}

// changes are the news of the last run, and the latest of the others.
func (l *line) changes(v *lineView) {
	if len(l.costs.Runs) == 0 {
		return
	}
	for i, m := range l.news.Changes {
		if i == mostNews {
			v.Notes = append(v.Notes, fmt.Sprintf("%s more; the trends list all.", number.Count(len(l.news.Changes)-i, "change")))
			break
		}
		v.News = append(v.News, l.changeView(m))
	}
	v.Notes = append(v.Notes, l.coming()...)
	for _, m := range l.latest() {
		if len(v.Latest) < mostLatest && !slices.Contains(l.news.Changes, m) {
			v.Latest = append(v.Latest, l.changeView(m))
		}
	}
}

// latest are all changes of the line, the newest first.
func (l *line) latest() []trend.Moved {
	var all []trend.Moved
	for _, s := range l.costs.Changed() {
		for _, c := range s.Changes {
			all = append(all, trend.Moved{Series: s, Change: c})
		}
	}
	slices.SortStableFunc(all, func(a, b trend.Moved) int { return b.Points[b.After].Run - a.Points[a.After].Run })
	return all
}

// mostNames bounds the series that a sentence names.
const mostNames = 6

// coming says which series ended with the last run, and which began.
func (l *line) coming() []string {
	var lines []string
	say := func(what string, all []*trend.Series) {
		var names []string
		for _, s := range all {
			names = append(names, fmt.Sprintf("%s, %s in %s, %s", s.Benchmark, s.Build, s.Domain, s.Unit))
		}
		if n := len(names); n > mostNames {
			names = append(names[:mostNames], fmt.Sprintf("and %d more", n-mostNames))
		}
		if len(names) > 0 {
			lines = append(lines, what+": "+strings.Join(names, "; ")+".")
		}
	}
	say("Not measured any more", l.news.Lapsed(l.costs))
	say("Measured for the first time", l.news.New)
	return lines
}

func (l *line) changeView(m trend.Moved) changeView { return l.changeOf(l.costs, m) }

// changeOf is a change of a series of the line's costs, or of their parts.
func (l *line) changeOf(t *trend.Trends, m trend.Moved) changeView {
	before, after := l.runOf(t, m.Points[m.Before]), l.runOf(t, m.Points[m.After])
	v := changeView{
		Benchmark: m.Benchmark, To: l.benchmarkPage(m.Benchmark) + "#" + chartID(m.Series), Where: m.Build + " in " + l.domainOf(m.Series),
		Before: withUnit(m.Series, m.From), After: withUnit(m.Series, m.To), Change: table.StepText(trend.StepChange{Moved: m}), Verdict: m.Verdict(m.Change),
		Since: after.name(), Revision: after.revisionOf(m.Series), Remarks: t.Differences(m.Series, m.Change), Compare: comparison(before, after),
	}
	if old := before.revisionOf(m.Series); old != v.Revision {
		v.Revision = cmp.Or(old, number.Unknown) + " → " + cmp.Or(v.Revision, number.Unknown)
	}
	v.Remarks = slices.DeleteFunc(v.Remarks, func(r string) bool { return strings.HasPrefix(r, "revision ") })
	v.Class = classOf(v.Verdict)
	if m.Change.SameImage {
		v.Remarks = append([]string{"the image is the same, so the cause is not the build"}, v.Remarks...)
	}
	return v
}

// classOf is the colour of a verdict: more is as bad as slower.
func classOf(verdict string) string {
	switch verdict {
	case "more":
		return string(compare.Slower)
	case "less":
		return string(compare.Faster)
	}
	return verdict
}

// withUnit is a value with its unit where the value does not say it.
func withUnit(s *trend.Series, v float64) string {
	text := table.LevelValue(s, v)
	if unit := unitWord(s.Unit); unit != "" {
		text += " " + unit
	}
	return text
}

// unitWord is what values of a unit are called in a sentence, "" where they say it
// themselves.
func unitWord(unit string) string {
	switch {
	case compare.IsCount(unit):
		return "instructions"
	case unit == "hooks/op":
		return "hooks"
	}
	return ""
}

// domainOf is where a series was measured, without what all of the line have in
// common.
func (l *line) domainOf(s *trend.Series) string {
	if l.places < 2 {
		return s.Domain
	}
	return s.Domain + " (" + whereOf(s.Environment) + ")"
}

// runOf is the run of a point.
func (l *line) runOf(t *trend.Trends, p trend.Point) *run {
	return l.byID[t.Runs[p.Run].ID]
}

// revisionOf is that of a series' build in a run, else the run's.
func (r *run) revisionOf(s *trend.Series) string {
	for _, img := range r.Run.Run.Images {
		if img.Build.Name == s.Build && img.Build.Arch == s.Arch && revisionOf(img) != "" {
			return revisionOf(img)
		}
	}
	return r.revision()
}

func (r *run) row() runLine {
	v := runLine{
		ID: r.ID, Short: r.Short(), When: r.when(), Label: r.Label, Revision: r.revision(), Host: r.Host, Line: r.line.Name(), Trends: r.line.page(),
		Boots: r.Boots, Data: dataName(r.ID),
	}
	if before := r.before(); before != nil {
		v.Compare = comparison(before, r)
	}
	return v
}

func (t *site) writeRuns() error {
	var all []runLine
	for _, r := range slices.Backward(t.runs) {
		all = append(all, r.row())
	}
	return t.put(runsPage, "runs", frame{Title: "All runs", Subject: t.subject() + ", the newest first", Here: "runs", Body: all})
}

func (t *site) writeCompare() error {
	return t.put(comparePage, "compare", frame{Title: "Compare two runs", Subject: t.subject(), Here: "compare", Script: template.JS(compareScript), ScriptHash: scriptHash})
}
