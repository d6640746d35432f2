package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize/english"

	"xsmbench/experiment"
	"xsmbench/experiment/series"
	"xsmbench/hv/git"
	"xsmbench/reports/table"
)

// SeriesPlan is what a series would do, and how machines can share it.
type SeriesPlan struct {
	*series.Outlook
	Each   *experiment.Plan // of a revision that is built from nothing
	Times  series.Times
	Shards int    // to show, 0 for none
	From   string // file of the costs
	Runs   int    // that the times are from
}

// Write writes the plan as text.
func (p *SeriesPlan) Write(w io.Writer) error {
	w = table.HarmlessWriter(w)
	spec := p.Spec
	fmt.Fprintf(w, "series %.8s: %s of %s; %s from %s\n", p.Question, english.Plural(len(p.Chosen), "revision", ""), builds(spec), english.Plural(len(spec.Benchmarks), "benchmark", ""), strings.Join(spec.Domains, ", "))
	fmt.Fprintf(w, "times: %s\n\n", timesFrom(p.From, p.Runs))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "of a revision\tabout\tboots\teach about")
	for _, b := range (&Plan{Plan: p.Each, Shown: p.Each}).rows() {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\n", b.name, about(b.takes), b.boots, about(b.each))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nA machine's first revision takes about %s, each other one %s. Less if its images are those of another.\n", about(p.Times.First), about(p.Times.Other))
	if p.Each.Timed {
		_, err := fmt.Fprintf(w, "Time is measured: a series is of one machine, since times of two machines are no pair. It takes about %s.\n", about(p.Takes(p.Times, 1)))
		return err
	}
	fmt.Fprintf(w, "Each machine measures neighbouring revisions, since each is built in the tree of the one before it.\n\n")
	if err := p.writeMachines(w); err != nil || p.Shards == 0 {
		return err
	}
	return p.writeShards(w)
}

func (p *SeriesPlan) writeMachines(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "machines\tabout")
	for _, n := range steps(p.Most()) {
		fmt.Fprintf(t, "%d\t%s\n", n, about(p.Takes(p.Times, n)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "More than %s help nothing: each has one revision.\n", english.Plural(p.Most(), "machine", ""))
	return err
}

func (p *SeriesPlan) writeShards(w io.Writer) error {
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "shard\tabout\trevisions\tfrom\tto")
	for i, part := range p.Divided(p.Shards) {
		from, to := "nothing to do", ""
		if len(part) > 0 {
			from, to = part[0].Name, part[len(part)-1].Name
		}
		fmt.Fprintf(t, "%d/%d\t%s\t%d\t%s\t%s\n", i+1, p.Shards, about(p.Times.Of(len(part))), len(part), from, to)
	}
	return t.Flush()
}

type jsonSeriesPlan struct {
	Schema    int               `json:"schema"`
	Series    string            `json:"series"` // a hash
	Target    string            `json:"target"`
	Accel     string            `json:"accel"`
	Timed     bool              `json:"timed"`
	Times     string            `json:"times"` // what they are from
	Builds    []jsonMake        `json:"builds"`
	Boots     int               `json:"boots"` // of a revision
	First     float64           `json:"first_seconds"`
	Other     float64           `json:"other_seconds"`
	Revisions []git.Revision    `json:"revisions"`
	Machines  []jsonMachine     `json:"machines"`
	Most      int               `json:"most_machines"` // more help nothing
	Shards    []jsonSeriesShard `json:"shards"`
}

type jsonSeriesShard struct {
	Shard     string   `json:"shard"`
	Seconds   float64  `json:"seconds"`
	Revisions []string `json:"revisions"` // commits
}

// WriteJSON writes the plan for programs.
func (p *SeriesPlan) WriteJSON(w io.Writer) error {
	out := jsonSeriesPlan{Schema: planSchema, Series: p.Question, Target: p.Spec.Target, Accel: p.Spec.Accel, Timed: p.Each.Timed, Times: timesFrom(p.From, p.Runs),
		Builds: makesJSON(p.Each), Boots: len(p.Each.Boots), First: p.Times.First.Seconds(), Other: p.Times.Other.Seconds(), Revisions: p.Chosen,
		Machines: []jsonMachine{}, Most: p.Most(), Shards: []jsonSeriesShard{}}
	if p.Each.Timed {
		out.Most = 1
	}
	for _, n := range steps(out.Most) {
		out.Machines = append(out.Machines, jsonMachine{n, p.Takes(p.Times, n).Seconds()})
	}
	for i, part := range p.Divided(p.Shards) {
		s := jsonSeriesShard{Shard: fmt.Sprintf("%d/%d", i+1, p.Shards), Seconds: p.Times.Of(len(part)).Seconds(), Revisions: []string{}}
		for _, r := range part {
			s.Revisions = append(s.Revisions, r.Commit)
		}
		out.Shards = append(out.Shards, s)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
