package table

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv/git"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
	"xsmbench/reports/profile"
	"xsmbench/reports/trend"
)

// Explainer says which functions a change comes from; false if nobody knows.
type Explainer func(c trend.StepChange) (profile.Difference, bool)

// Steps writes which revision changed which figure.
func Steps(w io.Writer, t *trend.Trends, steps []trend.Step, explain Explainer) error {
	b := bufio.NewWriter(w)
	if len(steps) == 0 && len(t.Runs) > 0 {
		fmt.Fprintf(b, "no figure changed, of %d series\n", len(t.Series))
	}
	var told told
	for _, s := range t.Series {
		told.add(t.Series[0].Environment, s.Environment)
	}
	for i, s := range steps {
		if i > 0 {
			fmt.Fprintln(b)
		}
		writeStep(b, s, told, explain)
	}
	return b.Flush()
}

func writeStep(w io.Writer, s trend.Step, told told, explain Explainer) {
	fmt.Fprintf(w, "%s  %s\n", s.Revision.Name, Message(s.Revision))
	same := orNote(s.Changes[0])
	for _, c := range s.Changes {
		if orNote(c) != same {
			same = ""
		}
	}
	if same != "" {
		fmt.Fprintf(w, "  %s\n", same)
	}
	g := grid.New(8)
	copy(g.Right, []bool{false, false, false, false, true, true, true, false})
	g.Add("", "operation", "domain", "build", "before", "after", "change", "by")
	for _, c := range s.Changes {
		if note := orNote(c); note != same {
			g.Note("  " + cmp.Or(note, "this revision:"))
		}
		by := ""
		if d, ok := explain(c); ok {
			by = Functions(d, mostFunctions)
		}
		g.Add("", c.Benchmark, told.place(c.Environment), c.Build, LevelValue(c.Series, c.From), LevelValue(c.Series, c.To), StepText(c), by)
	}
	g.Write(w)
}

// Message is a revision's message and where it is from.
func Message(r git.Revision) string { return fmt.Sprintf("%s (%s, %s)", r.Subject, r.Author, r.Date) }

// orNote says which other revisions a change may be of.
func orNote(c trend.StepChange) string {
	switch len(c.Or) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("or %s before it, which was not measured", c.Or[0].Name)
	}
	return fmt.Sprintf("or one of the %d revisions before it that were not measured, from %s on", len(c.Or), c.Or[0].Name)
}

// StepText is a change's size: instructions and the share, or the share.
func StepText(c trend.StepChange) string {
	if !compare.IsTally(c.Unit) || c.Over != "" {
		return ChangeText(c.Change)
	}
	text := Count(c.To - c.From)
	if share := ChangeText(c.Change); !math.IsNaN(c.Ratio()) {
		text += " (" + share + ")"
	}
	return text
}

// mostFunctions is how many a line names.
const mostFunctions = 3

// Functions names the functions that a difference comes from, the largest first,
// at most so many (0 for all).
func Functions(d profile.Difference, most int) string {
	var words []string
	for i, f := range d.Functions {
		if most > 0 && i == most {
			words = append(words, fmt.Sprintf("%d more", len(d.Functions)-most))
			break
		}
		words = append(words, FunctionName(f)+" "+Count(f.Instructions))
	}
	return strings.Join(words, ", ")
}

// FunctionName says where instructions were executed: in a function, and if it
// belongs to a hook's cost, in which hook's.
func FunctionName(f profile.Change) string {
	switch {
	case f.Hook == "" || f.Part == bench.PartNone:
		return f.Function
	case f.Function == "" || f.Part == bench.PartSite:
		return "hook " + f.Hook + " (" + string(f.Part) + ")"
	}
	return f.Function + " (hook " + f.Hook + ")"
}

// Levels writes each series' first and last value, and how often it changed.
func Levels(w io.Writer, t *trend.Trends) error {
	b := bufio.NewWriter(w)
	writeSeries(b, t)
	return b.Flush()
}

type jsonStep struct {
	git.Revision
	Changes []jsonStepChange `json:"changes"`
}

type jsonStepChange struct {
	Benchmark string      `json:"benchmark"`
	Arch      string      `json:"arch"`
	DomU      string      `json:"domu,omitempty"` // kind of the domUs, where it is not the usual one
	Domain    string      `json:"domain"`
	Build     string      `json:"build"`
	Unit      string      `json:"unit"`
	Before    float64     `json:"before"`
	After     float64     `json:"after"`
	Exact     bool        `json:"exact"`
	Or        []string    `json:"or,omitempty"` // commits that were not measured, and may be the cause
	Functions []jsonMoved `json:"functions,omitempty"`
}

type jsonMoved struct {
	Function     string  `json:"function"`
	Hook         string  `json:"hook,omitempty"`
	Instructions float64 `json:"instructions"`
}

// StepsJSON writes revisions and what became of them, and which changed what.
func StepsJSON(w io.Writer, revisions any, steps []trend.Step, explain Explainer) error {
	list := []jsonStep{}
	for _, s := range steps {
		j := jsonStep{Revision: s.Revision}
		for _, c := range s.Changes {
			change := jsonStepChange{Benchmark: c.Benchmark, Arch: c.Arch, DomU: c.DomU, Domain: c.Domain, Build: c.Build, Unit: c.Unit, Before: c.From, After: c.To, Exact: c.Change.Exact}
			for _, r := range c.Or {
				change.Or = append(change.Or, r.Commit)
			}
			if d, ok := explain(c); ok {
				change.Functions = movedJSON(d)
			}
			j.Changes = append(j.Changes, change)
		}
		list = append(list, j)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{"schema": 1, "revisions": revisions, "steps": list})
}

func movedJSON(d profile.Difference) []jsonMoved {
	var all []jsonMoved
	for _, f := range d.Functions {
		all = append(all, jsonMoved{f.Function, f.Hook, f.Instructions})
	}
	return all
}
