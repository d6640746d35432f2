package experiment

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"xsmbench/hv"
	"xsmbench/results"
)

// Plan is a run as units of work, and what each of them needs and takes. How it is
// divided follows from the spec and the costs alone, so that every machine divides it
// alike.
type Plan struct {
	Key   string // PlanKey
	Spec  results.Spec
	Costs *CostTable
	// Timed says that boots read clocks: then a round is one unit.
	Timed bool
	Makes []Make
	Boots []BootUnit

	units []unit
	pack  *packing
}

// Make is what boots need: an image, with what its boots share.
type Make struct {
	Build hv.Build // with its layout
	Takes time.Duration
	parts []int // of pieces
}

// Name is the build's, with its architecture and layout.
func (m Make) Name() string {
	name := m.Build.Name + " " + m.Build.Arch
	if m.Build.Layout != 0 {
		name += fmt.Sprintf(" layout %d", m.Build.Layout)
	}
	return name
}

// BootUnit is a boot.
type BootUnit struct {
	Slot
	Make  int // what it needs, by index
	Takes time.Duration
}

// unit is what stays on one machine: a boot, or where time is measured a round.
type unit struct {
	places []int // of the boots, from 1
	needs  []int // pieces, ascending
	cost   time.Duration
}

// piece is work that several images, and so several boots, share: the compilation of
// a source, the link of a layout, a snapshot.
type piece struct {
	name string
	cost time.Duration
}

// NewPlan is the plan of a spec. Without a table the costs are the target's own; a
// table's rows stand in for those.
func NewPlan(t hv.Target, spec results.Spec, costs *CostTable) (*Plan, error) {
	if err := costs.check(spec); err != nil {
		return nil, err
	}
	key, err := PlanKey(spec)
	if err != nil {
		return nil, err
	}
	p := &Plan{Key: key, Spec: spec, Costs: documented(t, spec).over(costs), Timed: Timed(spec)}
	pieces := p.make()
	p.group(pieces)
	return p, nil
}

// make lists what is built and booted, and returns the pieces that it consists of.
func (p *Plan) make() []piece {
	var pieces []piece
	index := map[string]int{}
	add := func(name string, cost time.Duration) int {
		i, ok := index[name]
		if !ok {
			i = len(pieces)
			index[name] = i
			pieces = append(pieces, piece{name, cost})
		}
		return i
	}
	made := map[imageKey]int{}
	samples, kinds := Expected(p.Spec), time.Duration(len(p.Spec.SampleDomUs()))
	for _, s := range Schedule(p.Spec) {
		c := p.Costs.row(s.Build).Costs
		at, ok := made[keyOf(s.Build)]
		if !ok {
			at = len(p.Makes)
			made[keyOf(s.Build)] = at
			before := len(pieces)
			source := recipe(s.Build)
			m := Make{Build: s.Build, parts: []int{add("compile "+source, c.Build)}}
			if s.Build.Layout != 0 {
				m.parts = append(m.parts, add(fmt.Sprintf("link %s %d", source, s.Build.Layout), c.Relink))
			}
			m.parts = append(m.parts, add(fmt.Sprintf("ready %s %s %d", s.Build.Name, s.Build.Arch, s.Build.Layout), kinds*c.Ready))
			for _, x := range pieces[before:] {
				m.Takes += x.cost
			}
			p.Makes = append(p.Makes, m)
		}
		p.Boots = append(p.Boots, BootUnit{Slot: s, Make: at, Takes: kinds*c.Boot + time.Duration(samples)*c.Sample})
	}
	return pieces
}

// recipe names what a build compiles: builds that differ by their names or by what
// they load compile the same.
func recipe(b hv.Build) string {
	b.Name, b.Kind, b.ControlOf, b.Relinked, b.Layout = b.KindOf(), "", "", false, 0
	b.Policy, b.Label, b.Unknown = "", "", ""
	return fmt.Sprintf("%+v", b)
}

// group makes units of the boots, the largest groups of like ones first.
func (p *Plan) group(pieces []piece) {
	for _, b := range p.Boots {
		last := len(p.units) - 1
		if !p.Timed || last < 0 || p.Boots[p.units[last].places[0]-1].Round != b.Round {
			p.units = append(p.units, unit{})
			last++
		}
		u := &p.units[last]
		u.places = append(u.places, b.Place)
		u.needs = append(u.needs, p.Makes[b.Make].parts...)
		u.cost += b.Takes
	}
	for i := range p.units {
		slices.Sort(p.units[i].needs)
		p.units[i].needs = slices.Compact(p.units[i].needs)
	}
	p.pack = newPacking(pieces, p.units)
}

// Division is what a shard of a plan does.
type Division struct {
	Index  int
	Places []int // of its boots, from 1, ascending
	Makes  []int // by index, ascending
	Takes  time.Duration
}

// Split divides the plan among n machines. The first shard takes longest.
func (p *Plan) Split(n int) []Division {
	bins := p.pack.divide(n)
	all := make([]Division, 0, n)
	for _, b := range bins {
		d := Division{Takes: b.used, Places: []int{}}
		for _, i := range b.units {
			d.Places = append(d.Places, p.units[i].places...)
		}
		slices.Sort(d.Places)
		for _, place := range d.Places {
			if m := p.Boots[place-1].Make; !slices.Contains(d.Makes, m) {
				d.Makes = append(d.Makes, m)
			}
		}
		slices.Sort(d.Makes)
		all = append(all, d)
	}
	slices.SortStableFunc(all, func(a, b Division) int {
		return cmp.Or(cmp.Compare(b.Takes, a.Takes), slices.Compare(a.Places, b.Places))
	})
	for i := range all {
		all[i].Index = i + 1
	}
	return all
}

// Time is about how long a machine needs for some boots, by their places, and for what
// they need.
func (p *Plan) Time(places []int) time.Duration {
	have := map[int]bool{}
	var sum time.Duration
	for _, place := range places {
		b := p.Boots[place-1]
		sum += b.Takes
		for _, i := range p.Makes[b.Make].parts {
			if !have[i] {
				have[i] = true
				sum += p.pack.pieces[i].cost
			}
		}
	}
	return sum
}

// Takes is about how long n machines need.
func (p *Plan) Takes(n int) time.Duration { return p.Split(n)[0].Takes }

// Most is the number of machines above which more of them help nothing: the longest
// shard is one unit then, and what that needs.
func (p *Plan) Most() int {
	least, most := 1, len(p.units)
	shortest := p.Takes(most)
	for least < most {
		if middle := (least + most) / 2; p.Takes(middle) <= shortest {
			most = middle
		} else {
			least = middle + 1
		}
	}
	return least
}
