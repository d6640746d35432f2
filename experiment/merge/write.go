package merge

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/results"
)

// write makes the run directory.
func (c *collection) write(ctx context.Context, q Request) (err error) {
	claim, err := claimFor(q)
	if err != nil {
		return err
	}
	defer claim.Release()
	a, err := claim.Assemble(c.first.run.Spec)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = a.Abandon() // the error is told
		}
	}()
	for _, copy := range []func(context.Context, *results.Assembly) error{c.copySamples, c.copyBeside, c.copyFunctions, c.copyTimes} {
		if err := copy(ctx, a); err != nil {
			return err
		}
	}
	return a.Finish(c.run())
}

// claimFor claims the directory to make.
func claimFor(q Request) (*results.Claim, error) {
	claim, err := results.ClaimDir(q.Output)
	if err != nil {
		return nil, fmt.Errorf("merge into %s: %w", q.Output, err)
	}
	if _, err := results.ReadRun(q.Output); err == nil && !q.Replace {
		return nil, cmp.Or[error](claim.Release(), &experiment.HoldsRunError{Path: q.Output})
	}
	return claim, nil
}

// copySamples copies file by file, so that each is written from its beginning to its
// end.
func (c *collection) copySamples(ctx context.Context, a *results.Assembly) error {
	for _, build := range c.first.run.Spec.Builds {
		for _, name := range c.files(build) {
			for i, t := range c.taken {
				if c.slots[i].Build.Name != build.Name || c.slots[i].Build.Arch != build.Arch || t.input < 0 {
					continue
				}
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				for _, b := range t.boot.blocks {
					if fileOf(b) != name {
						continue
					}
					if err := a.Samples(c.inputs[t.input].dir, b, build, c.slots[i].Place); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// file is what of a build's samples stands in one file.
type file struct{ domain, domU string }

func fileOf(b results.Block) file { return file{b.Domain, b.DomU} }

// files are those in which a build has samples.
func (c *collection) files(build hv.Build) []file {
	var all []file
	for i, t := range c.taken {
		if t.input < 0 || c.slots[i].Build.Name != build.Name || c.slots[i].Build.Arch != build.Arch {
			continue
		}
		for _, b := range t.boot.blocks {
			if name := fileOf(b); !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// copyBeside copies consoles and profiles.
func (c *collection) copyBeside(ctx context.Context, a *results.Assembly) error {
	for i, t := range c.taken {
		if t.input < 0 {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := a.Beside(c.inputs[t.input].dir, t.boot.number, c.slots[i].Build, t.boot.blocks, c.slots[i].Place); err != nil {
			return err
		}
	}
	return nil
}

// copyFunctions copies what images consist of, from whoever recorded it.
func (c *collection) copyFunctions(ctx context.Context, a *results.Assembly) error {
	for _, in := range c.inputs {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, b := range c.first.run.Spec.Measured() {
			if err := a.Functions(in.dir, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// copyTimes copies what all inputs took, whether their boots are taken or not.
func (c *collection) copyTimes(ctx context.Context, a *results.Assembly) error {
	for _, in := range c.inputs {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := a.Times(in.dir, in.name()); err != nil {
			return err
		}
	}
	return nil
}

// name is the shard that the input is, "" if it is none.
func (in *input) name() string {
	if in.shard == nil {
		return ""
	}
	return in.shard.String()
}

// run is the record of the merged run.
func (c *collection) run() results.Run {
	spec := c.first.run.Spec
	r := results.Run{
		Schema: results.Schema, Tool: c.first.run.Tool, Started: c.first.run.Started, Command: whole(c.first.run.Command),
		Spec: spec, Host: c.runs.host, Images: c.list(), Settings: experiment.JoinSettings(c.settings()),
	}
	for _, x := range experiment.Changes(spec) {
		key := change{x.Base.Name, x.Build.Name, x.Base.Arch}
		if s, ok := c.runs.sources[key]; ok && c.differ(x) {
			r.Sources = append(r.Sources, s)
		}
		if p, ok := c.runs.policies[key]; ok && c.differ(x) {
			r.Policies = append(r.Policies, p)
		}
	}
	for k := range c.inputs {
		r.Parts = append(r.Parts, c.parts(k)...)
		if s := c.inputs[k].run.Started; s.Before(r.Started) {
			r.Started, r.Command = s, whole(c.inputs[k].run.Command)
		}
	}
	return r
}

// list are the images, in the order in which one machine lists them.
func (c *collection) list() []hv.Image {
	images := experiment.Images{}
	for _, of := range c.images {
		images.Add(&of.img)
	}
	return images.List(c.first.run.Spec)
}

// settings are those of the builds, as one machine would have been told them.
func (c *collection) settings() [][]hv.Setting {
	var all [][]hv.Setting
	for _, b := range c.first.run.Spec.Builds {
		if c.images[imageKey{b.Name, b.Arch, b.Layout}] == nil {
			continue
		}
		var of []hv.Setting
		for _, s := range c.told[buildKey{b.Name, b.Arch}].Settings {
			s.Build = b.Name
			of = append(of, s)
		}
		all = append(all, of)
	}
	return all
}

// differ reports whether two builds have images that differ.
func (c *collection) differ(x experiment.Change) bool {
	a, b := c.images[imageKey{x.Base.Name, x.Base.Arch, x.Base.Layout}], c.images[imageKey{x.Build.Name, x.Build.Arch, x.Build.Layout}]
	return a != nil && b != nil && a.img.Hash != b.img.Hash
}

// whole is a shard's command without what makes it one.
func whole(command []string) []string {
	var all []string
	for i := 0; i < len(command); i++ {
		name, _, joined := strings.Cut(command[i], "=")
		if name != "--shard" && name != "--costs" {
			all = append(all, command[i])
		} else if !joined {
			i++
		}
	}
	return all
}

// parts are the records of an input: its own, or those of the runs that it was merged
// from. Boots that a merged run measured itself are its own.
func (c *collection) parts(k int) []results.Part {
	in := &c.inputs[k]
	of := map[int]int{} // a part, by the boot's number in the input
	var all []results.Part
	for i, p := range in.run.Parts {
		for _, boot := range p.Boots {
			of[boot] = i
		}
		p.Boots = nil
		all = append(all, p)
	}
	all = append(all, results.Part{Shard: in.name(), Started: in.run.Started, Command: in.run.Command, Host: in.run.Host})
	own := len(all) - 1
	for _, i := range c.boots[k] {
		part, ok := of[c.taken[i].boot.number]
		if !ok {
			part = own
		}
		all[part].Boots = append(all[part].Boots, c.slots[i].Place)
	}
	return slices.DeleteFunc(all, func(p results.Part) bool { return len(p.Boots) == 0 })
}

// absent are the shards that are not there, nil if the inputs were divided in several
// ways.
func (c *collection) absent() []string {
	of, there := 0, map[int]bool{}
	for _, in := range c.inputs {
		if in.shard == nil {
			continue
		}
		if of != 0 && of != in.shard.Of {
			return nil
		}
		of = in.shard.Of
		there[in.shard.Index] = true
	}
	var all []string
	for i := 1; i <= of; i++ {
		if !there[i] {
			all = append(all, (&results.Shard{Index: i, Of: of}).String())
		}
	}
	return all
}
