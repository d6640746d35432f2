package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize/english"

	"xsmbench/experiment"
	"xsmbench/hv"
)

// Plan is what a run would do, and how machines can share it.
type Plan struct {
	// Plan is as shards divide it, Shown has the times that are shown.
	Plan, Shown *experiment.Plan
	Shards      int    // to show, 0 for none
	From        string // file of the costs
	Runs        int    // that the times are from
}

// Costs are those that the times are from.
func (p *Plan) Costs() *experiment.CostTable { return p.Shown.Costs }

// source says what the times are from.
func (p *Plan) source() string { return timesFrom(p.From, p.Runs) }

func timesFrom(file string, runs int) string {
	switch {
	case file != "":
		return "those of " + file
	case runs > 0:
		return "learned from " + english.Plural(runs, "run", "")
	}
	return "the target's documented ones"
}

// Write writes the plan as text.
func (p *Plan) Write(w io.Writer) error {
	spec := p.Plan.Spec
	fmt.Fprintf(w, "plan %.8s: %s of %s; %s from %s\n", p.Plan.Key, length(spec), builds(spec), english.Plural(len(spec.Benchmarks), "benchmark", ""), domains(spec))
	fmt.Fprintf(w, "times: %s\n\n", p.source())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "build\tlayouts\tabout\tboots\teach about")
	for _, b := range p.rows() {
		fmt.Fprintf(t, "%s\t%d\t%s\t%d\t%s\n", b.name, b.layouts, about(b.takes), b.boots, about(b.each))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if spec.Budget != nil {
		_, err := fmt.Fprintf(w, "\nA run with a budget is of one machine: it looks at all figures to choose its rounds.\n")
		return err
	}
	fmt.Fprintf(w, "\n%s\n\n", p.together())
	if err := p.writeMachines(w); err != nil {
		return err
	}
	if p.Shards > 0 {
		return p.writeShards(w)
	}
	return nil
}

// row is a build in all of its layouts.
type row struct {
	name           string
	layouts, boots int
	takes, each    time.Duration // of all layouts, of a boot
}

// rows are those of the plan's builds, in the order of the spec.
func (p *Plan) rows() []row {
	var all []row
	of := map[string]int{}
	for _, b := range p.Shown.Spec.Builds {
		of[nameOf(b)] = len(all)
		all = append(all, row{name: nameOf(b)})
	}
	for _, m := range p.Shown.Makes {
		r := &all[of[nameOf(m.Build)]]
		r.layouts++
		r.takes += m.Takes
	}
	for _, b := range p.Shown.Boots {
		r := &all[of[nameOf(b.Build)]]
		r.boots++
		r.each = b.Takes
	}
	return slices.DeleteFunc(all, func(r row) bool { return r.boots == 0 })
}

// nameOf is a build's name, whatever its layout.
func nameOf(b hv.Build) string { return b.Name + " " + b.Arch }

// together says what stays on one machine.
func (p *Plan) together() string {
	if p.Plan.Timed {
		return "Time is measured: the boots of a round stay on one machine, since they are paired, and times of two machines are no pair."
	}
	return "Instructions are counted, so that each boot may be measured by any machine. A machine builds what its boots need."
}

func (p *Plan) writeMachines(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "machines\tabout")
	most := p.Shown.Most()
	for _, n := range steps(most) {
		fmt.Fprintf(t, "%d\t%s\n", n, about(p.Shown.Takes(n)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	unit := "one boot"
	if p.Plan.Timed {
		unit = "one round"
	}
	_, err := fmt.Fprintf(w, "More than %s help nothing: the longest shard is %s, and the builds that it needs.\n", english.Plural(most, "machine", ""), unit)
	return err
}

// steps are numbers of machines up to most: few, and ever farther apart.
func steps(most int) []int {
	var all []int
	for n, step := 1, 1; n < most; n += step {
		all = append(all, n)
		if n >= 4*step {
			step *= 2
		}
	}
	return append(all, most)
}

// writeShards lists what each shard does.
func (p *Plan) writeShards(w io.Writer) error {
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "shard\tabout\tboots\tbuilds")
	for _, d := range p.divisions() {
		fmt.Fprintf(t, "%d/%d\t%s\t%d\t%s\n", d.Index, p.Shards, about(p.takes(d)), len(d.Places), p.builds(d))
	}
	return t.Flush()
}

// takes is how long a shard takes by the times that are shown.
func (p *Plan) takes(d experiment.Division) time.Duration { return p.Shown.Time(d.Places) }

// builds are those that a shard needs, with how many layouts if that is several.
func (p *Plan) builds(d experiment.Division) string {
	var names []string
	layouts := map[string]int{}
	for _, m := range d.Makes {
		name := nameOf(p.Plan.Makes[m].Build)
		if layouts[name]++; layouts[name] == 1 {
			names = append(names, name)
		}
	}
	for i, name := range names {
		if n := layouts[name]; n > 1 {
			names[i] += fmt.Sprintf(" (%d layouts)", n)
		}
	}
	if names == nil {
		return "nothing to do"
	}
	return strings.Join(names, ", ")
}

// about is a time without false precision.
func about(d time.Duration) string {
	if d > 0 && d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return minutes(d)
}

// planSchema is the version of the JSON.
const planSchema = 1

type jsonPlan struct {
	Schema   int           `json:"schema"`
	Plan     string        `json:"plan"` // a hash
	Target   string        `json:"target"`
	Accel    string        `json:"accel"`
	Timed    bool          `json:"timed"`
	Times    string        `json:"times"` // what they are from
	Builds   []jsonMake    `json:"builds"`
	Boots    []jsonBoot    `json:"boots"`
	Machines []jsonMachine `json:"machines"`
	Most     int           `json:"most_machines"` // more help nothing
	Shards   []jsonShard   `json:"shards"`
}

type jsonMake struct {
	ID      string  `json:"id"`
	Build   string  `json:"build"`
	Kind    string  `json:"kind"`
	Arch    string  `json:"arch"`
	Layout  int     `json:"layout"`
	Seconds float64 `json:"seconds"`
}

type jsonBoot struct {
	Place   int     `json:"place"` // in the schedule, from 1
	Round   int     `json:"round"`
	Build   string  `json:"build"`
	Arch    string  `json:"arch"`
	Layout  int     `json:"layout"`
	Needs   string  `json:"needs"` // the ID of a build
	Seconds float64 `json:"seconds"`
}

type jsonMachine struct {
	Machines int     `json:"machines"`
	Seconds  float64 `json:"seconds"`
}

type jsonShard struct {
	Shard   string   `json:"shard"`
	Seconds float64  `json:"seconds"`
	Boots   []int    `json:"boots"`  // places
	Builds  []string `json:"builds"` // IDs
}

// WriteJSON writes the plan for programs.
func (p *Plan) WriteJSON(w io.Writer) error {
	spec := p.Plan.Spec
	out := jsonPlan{Schema: planSchema, Plan: p.Plan.Key, Target: spec.Target, Accel: spec.Accel, Timed: p.Plan.Timed, Times: p.source(),
		Builds: makesJSON(p.Shown), Boots: []jsonBoot{}, Machines: []jsonMachine{}, Shards: []jsonShard{}}
	for _, b := range p.Shown.Boots {
		out.Boots = append(out.Boots, jsonBoot{b.Place, b.Round, b.Build.Name, b.Build.Arch, b.Layout, p.Shown.Makes[b.Make].Name(), b.Takes.Seconds()})
	}
	if spec.Budget == nil {
		out.Most = p.Shown.Most()
		for _, n := range steps(out.Most) {
			out.Machines = append(out.Machines, jsonMachine{n, p.Shown.Takes(n).Seconds()})
		}
	}
	for _, d := range p.divisions() {
		s := jsonShard{Shard: fmt.Sprintf("%d/%d", d.Index, p.Shards), Seconds: p.takes(d).Seconds(), Boots: d.Places, Builds: []string{}}
		for _, m := range d.Makes {
			s.Builds = append(s.Builds, p.Plan.Makes[m].Name())
		}
		out.Shards = append(out.Shards, s)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func makesJSON(p *experiment.Plan) []jsonMake {
	all := []jsonMake{}
	for _, m := range p.Makes {
		b := m.Build
		all = append(all, jsonMake{m.Name(), b.Name, b.KindOf(), b.Arch, b.Layout, m.Takes.Seconds()})
	}
	return all
}

func (p *Plan) divisions() []experiment.Division {
	if p.Shards == 0 {
		return nil
	}
	return p.Plan.Split(p.Shards)
}
