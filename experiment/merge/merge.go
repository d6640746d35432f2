// Package merge makes one run of the runs that several machines measured of one plan:
// its shards, as package experiment divides them, or any other runs of it.
//
// What is merged was measured of the same plan, by the same version of this program,
// on images, emulators and guests that are the same; what differs is an error, and
// named. Each boot is taken once, whoever else measured it, too, and gets the number
// that it has on one machine that measures the plan in one go. So files of samples,
// profiles and functions are byte for byte what that machine would have written, if
// boots give the same everywhere, as counts do. Consoles are copied as they are. What depends on machines
// and times stands apart: in Run.Parts, and in times.jsonl.
//
// The inputs are read one after the other, and again when they are copied. What is in
// memory is a line for each boot and domain.
package merge

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/results"
)

// Request is what to merge.
type Request struct {
	Dirs    []string
	Output  string // directory to make
	Replace bool   // remove the run that is there
}

// Result is what came of it.
type Result struct {
	Spec    results.Spec
	Boots   int       // that were merged
	Missing []Missing // in the order of the schedule
	// Absent are shards that are not among the inputs; nil if those were not all
	// divided alike.
	Absent []string
	// Again are directories whose boots had all come from others.
	Again []string
	// Halves are boots of rounds that no machine measured whole, where time is
	// measured: they are left out, since the others of their round would come from
	// another machine.
	Halves int
}

// Missing is a boot that nobody measured.
type Missing struct {
	experiment.Slot
	Shard string // whose it is, "" if none of the inputs says so
}

// Merge makes the run. One that lacks boots is made, too.
func Merge(ctx context.Context, q Request) (*Result, error) {
	if len(q.Dirs) == 0 {
		return nil, errors.New("nothing to merge: name run directories")
	}
	c := collection{}
	for _, dir := range q.Dirs {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if err := CheckOutput(dir, q.Output); err != nil {
			return nil, err
		}
		if err := c.add(dir); err != nil {
			return nil, err
		}
	}
	c.choose()
	if err := c.write(ctx, q); err != nil {
		return nil, err
	}
	return c.result(), nil
}

// CheckOutput refuses to write into an input, under whichever name.
func CheckOutput(input, output string) error {
	x, errX := filepath.EvalSymlinks(input)
	y, errY := filepath.EvalSymlinks(output)
	if errX == nil && errY == nil && filepath.Clean(x) == filepath.Clean(y) {
		return fmt.Errorf("merge into %s: it is one of the inputs; name another directory", output)
	}
	return nil
}

// collection is what the inputs have.
type collection struct {
	first  input
	slots  []experiment.Slot
	at     map[results.Key]int // index in slots
	key    string              // of the plan
	inputs []input
	images map[imageKey]*imageOf
	told   map[buildKey]toldBy
	runs   joined
	taken  []taken        // by index in slots
	boots  [][]int        // that are taken, by input: indices in slots
	shards map[int]string // of inputs, by the places that are theirs
	known  map[int]bool   // indices in slots of boots that some input has
}

// input is a run, without what all have in common.
type input struct {
	dir   string
	shard *results.Shard
	run   results.Run // of the first only with its lists
	boots map[int]*boot
}

// boot is what an input has of a place in the schedule.
type boot struct {
	number int // in the input
	blocks []results.Block
}

// taken is whose boot is merged.
type taken struct {
	input int // by index, -1 for none
	boot  *boot
}

type imageKey struct {
	build, arch string
	layout      int
}

type buildKey struct{ build, arch string }

type imageOf struct {
	img hv.Image
	dir string
}

type toldBy struct {
	results.Told
	dir string
}

// add reads a run, and compares it with those before.
func (c *collection) add(dir string) error {
	run, err := results.ReadRun(dir)
	if err != nil {
		return err
	}
	in := input{dir: dir, shard: run.Shard, run: run, boots: map[int]*boot{}}
	if len(c.inputs) == 0 {
		err = c.begin(in)
	} else {
		err = c.compare(in)
	}
	if err == nil {
		err = c.join(&in)
	}
	if err == nil {
		err = c.index(&in)
	}
	if err != nil {
		return err
	}
	in.run = results.Run{Tool: run.Tool, Started: run.Started, Command: run.Command, Host: run.Host, Parts: run.Parts}
	c.inputs = append(c.inputs, in)
	for i := range in.boots {
		c.known[i] = true
	}
	if in.shard != nil {
		for _, place := range in.shard.Places {
			c.shards[place] = in.shard.String()
		}
	}
	return nil
}

// begin takes the plan of the first run.
func (c *collection) begin(in input) (err error) {
	if in.run.Spec.Budget != nil {
		return fmt.Errorf("merge %s: it chose its rounds by a budget, and so has a plan of its own", in.dir)
	}
	c.first = in
	c.key, err = experiment.PlanKey(in.run.Spec)
	c.slots = experiment.Schedule(in.run.Spec)
	c.at = map[results.Key]int{}
	for i, s := range c.slots {
		c.at[results.KeyOf(s.Round, s.Build)] = i
	}
	c.images, c.told = map[imageKey]*imageOf{}, map[buildKey]toldBy{}
	c.shards, c.known = map[int]string{}, map[int]bool{}
	return err
}

// index notes where the boots are that ended.
func (c *collection) index(in *input) error {
	blocks, err := results.Blocks(in.dir)
	if err != nil {
		return fmt.Errorf("%s: %w", in.dir, err)
	}
	for _, b := range blocks {
		i, ok := c.at[results.Key{Round: b.Round, Build: b.Build, Arch: b.Arch}]
		if !ok {
			return fmt.Errorf("merge %s: its boot %d is of %s in round %d, which is not in the plan", in.dir, b.Boot.Boot, b.Build, b.Round)
		}
		if err := c.checkBoot(in, c.slots[i], b); err != nil {
			return err
		}
		old := in.boots[i]
		switch {
		case old == nil || old.number < b.Boot.Boot:
			in.boots[i] = &boot{b.Boot.Boot, []results.Block{b}}
		case old.number == b.Boot.Boot:
			old.blocks = append(old.blocks, b)
		}
	}
	return nil
}

// choose takes each boot from one input. Which it is does not depend on the order in
// which they were named: the one that began first counts. Where time is measured,
// rounds are taken whole.
func (c *collection) choose() {
	order := make([]int, len(c.inputs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return c.inputs[a].run.Started.Compare(c.inputs[b].run.Started) })
	c.taken = make([]taken, len(c.slots))
	for i := range c.taken {
		c.taken[i].input = -1
	}
	for _, k := range order {
		in := &c.inputs[k]
		for i, b := range in.boots {
			if c.taken[i].input < 0 && (!c.timed() || c.hasRound(in, i)) {
				c.taken[i] = taken{k, b}
			}
		}
	}
	c.boots = make([][]int, len(c.inputs))
	for i, t := range c.taken {
		if t.input >= 0 {
			c.boots[t.input] = append(c.boots[t.input], i)
		}
	}
}

func (c *collection) timed() bool { return c.first.run.Spec.Options.Windows == 0 }

// hasRound reports whether an input has all boots of the round of one of them.
func (c *collection) hasRound(in *input, i int) bool {
	for from := i; from >= 0 && c.slots[from].Round == c.slots[i].Round; from-- {
		if in.boots[from] == nil {
			return false
		}
	}
	for to := i; to < len(c.slots) && c.slots[to].Round == c.slots[i].Round; to++ {
		if in.boots[to] == nil {
			return false
		}
	}
	return true
}

// result tells what was merged.
func (c *collection) result() *Result {
	r := &Result{Spec: c.first.run.Spec}
	for i, t := range c.taken {
		switch s := c.slots[i]; {
		case t.input >= 0:
			r.Boots++
		case c.known[i]:
			r.Halves++
			fallthrough
		default:
			r.Missing = append(r.Missing, Missing{s, c.shards[s.Place]})
		}
	}
	r.Absent = c.absent()
	for k, in := range c.inputs {
		if len(in.boots) > 0 && c.boots[k] == nil {
			r.Again = append(r.Again, in.dir)
		}
	}
	return r
}
