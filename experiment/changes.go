package experiment

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"xsmbench/hv"
	"xsmbench/results"
)

// sourceChanges compares the sources of builds that are of one kind and dispatch and
// give other images: what differs between them is the change that is measured.
// Builds of different kinds differ in nearly everything.
func sourceChanges(ctx context.Context, t hv.Target, spec results.Spec, images Images) []results.SourceChange {
	c, ok := t.(hv.SourceComparer)
	if !ok {
		return nil
	}
	var all []results.SourceChange
	eachChange(spec, images, func(before, after *hv.Image) {
		a, b := before.Build, after.Build
		all = append(all, results.SourceChange{Base: a.Name, Build: b.Name, Arch: a.Arch, SourceChange: c.CompareSources(ctx, before, after)})
	})
	return all
}

// policyChanges compares the policies of such builds, where one of the two loads one.
func policyChanges(ctx context.Context, t hv.Target, spec results.Spec, images Images) []results.PolicyChange {
	c, ok := t.(hv.PolicyComparer)
	if !ok {
		return nil
	}
	var all []results.PolicyChange
	eachChange(spec, images, func(before, after *hv.Image) {
		if before.Policy == after.Policy || before.Hash == "" {
			return // of their own, which a change of the source may change, too; or not built
		}
		a, b := before.Build, after.Build
		all = append(all, results.PolicyChange{Base: a.Name, Build: b.Name, Arch: a.Arch, PolicyChange: c.ComparePolicies(ctx, before, after)})
	})
	return all
}

// Change is what may differ between two builds of one kind.
type Change struct{ Base, Build hv.Build }

// Changes are the builds of one kind, two by two. What differs between them, if their
// images do, is the change that is measured.
func Changes(spec results.Spec) []Change {
	var all []Change
	builds := spec.Measured()
	for i, a := range builds {
		for _, b := range builds[i+1:] {
			if a.Arch == b.Arch && a.KindOf() == b.KindOf() && a.Dispatch == b.Dispatch {
				all = append(all, Change{a, b})
			}
		}
	}
	return all
}

// eachChange calls f for each two images that are of one kind and differ.
func eachChange(spec results.Spec, images Images, f func(before, after *hv.Image)) {
	for _, c := range Changes(spec) {
		if before, after := images.Of(c.Base), images.Of(c.Build); before != nil && after != nil && before.Hash != after.Hash {
			f(before, after)
		}
	}
}

// recordFunctions records what the functions of each image consist of, if the target
// tells and that is not recorded yet. A run without it is a run all the same, so that
// errors are told as lines of progress.
func recordFunctions(ctx context.Context, t hv.Target, d *results.Dir, spec results.Spec, images Images, progress func(string)) {
	r, ok := t.(hv.BodyReader)
	if !ok {
		return
	}
	var group errgroup.Group
	for _, b := range spec.Measured() {
		img := images.Of(b)
		if img == nil || d.HasFunctions(b) {
			continue
		}
		group.Go(func() error {
			bodies, err := r.Bodies(ctx, img)
			if err == nil && ctx.Err() == nil {
				err = d.RecordFunctions(img, bodies)
			}
			if err != nil {
				progress(fmt.Sprintf("%s: %v; changes of its functions will not be shown", b.Name, err))
			}
			return nil
		})
	}
	_ = group.Wait() // it has no error
}
