package experiment

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"xsmbench/hv"
	"xsmbench/results"
)

// Images are a run's images, by build and layout.
type Images map[imageKey]*hv.Image

type imageKey struct {
	build, arch string
	layout      int
}

func keyOf(b hv.Build) imageKey { return imageKey{b.Name, b.Arch, b.Layout} }

// Of returns a build's image, nil if there is none.
func (im Images) Of(b hv.Build) *hv.Image { return im[keyOf(b)] }

// Add adds an image, or replaces that of its build and layout.
func (im Images) Add(img *hv.Image) { im[keyOf(img.Build)] = img }

// with are the images, and others.
func (im Images) with(others Images) Images {
	all := maps.Clone(im)
	maps.Copy(all, others)
	return all
}

// List returns the images in the order of the spec's builds, then of layouts.
func (im Images) List(spec results.Spec) []hv.Image {
	var list []hv.Image
	for _, b := range builds(Schedule(spec)) {
		if img := im.Of(b); img != nil {
			list = append(list, *img)
		}
	}
	rank := func(img hv.Image) int {
		return slices.IndexFunc(spec.Builds, func(b hv.Build) bool { return b.Name == img.Build.Name && b.Arch == img.Build.Arch })
	}
	slices.SortStableFunc(list, func(a, b hv.Image) int { return rank(a) - rank(b) })
	return list
}

// builds are those that are booted, each layout of one by itself, by layout.
func builds(slots []Slot) []hv.Build {
	var list []hv.Build
	used := map[imageKey]bool{}
	for _, s := range slots {
		if k := keyOf(s.Build); !used[k] {
			used[k] = true
			list = append(list, s.Build)
		}
	}
	slices.SortStableFunc(list, func(a, b hv.Build) int { return a.Layout - b.Layout })
	return list
}

// Build makes all images of a spec, several at a time; targets bound what
// they do at once. progress receives one line at a time.
func Build(ctx context.Context, t hv.Target, spec results.Spec, progress func(string)) (Images, error) {
	return build(ctx, t, builds(Schedule(spec)), progress, func(context.Context, *hv.Image, func(string)) {})
}

// Ready is Build for images that are going to be booted: what the boots of an
// image share, if the target can do it before, is done as soon as the image is
// there. What cannot start on this machine is not built.
func Ready(ctx context.Context, t hv.Target, spec results.Spec, progress func(string)) (Images, error) {
	return ready(ctx, t, spec, Schedule(spec), progress, func(*hv.Image, results.Took) {})
}

// ready is Ready for the images of some boots, and tells of each that can be booted,
// and how long it took.
func ready(ctx context.Context, t hv.Target, spec results.Spec, slots []Slot, progress func(string), bootable func(*hv.Image, results.Took)) (Images, error) {
	builds := builds(slots)
	if s, ok := t.(hv.Starter); ok {
		for _, b := range builds {
			if err := s.Starts(b, spec.Accel); err != nil {
				return nil, fmt.Errorf("build %s: %w", b.Name, err)
			}
		}
	}
	turns := newTurns()
	return build(ctx, t, builds, progress, func(ctx context.Context, img *hv.Image, progress func(string)) {
		if p, ok := t.(hv.Preparer); ok {
			for _, v := range variants(spec) {
				p.Prepare(ctx, img, v.BootSpec, progress)
			}
		}
		took := tookOf(img.Build, results.Building)
		took.Cached = img.Cached
		took.Time, took.Turn = turns.end()
		bootable(img, took)
	})
}

// tookOf is a record of how long something took for a build.
func tookOf(b hv.Build, what results.Work) results.Took {
	return results.Took{What: what, Build: b.Name, Kind: b.KindOf(), Arch: b.Arch, Layout: b.Layout}
}

// turns are the ends of what goes on side by side.
type turns struct {
	mu          sync.Mutex
	begun, last time.Time
}

func newTurns() *turns {
	now := time.Now()
	return &turns{begun: now, last: now}
}

// end is how long it took since the beginning, and since the end before.
func (t *turns) end() (all, turn time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	all, turn = now.Sub(t.begun), now.Sub(t.last)
	t.last = now
	return all, turn
}

func build(ctx context.Context, t hv.Target, builds []hv.Build, progress func(string), ready func(context.Context, *hv.Image, func(string))) (Images, error) {
	list := make([]*hv.Image, len(builds))
	group, ctx := errgroup.WithContext(ctx)
	var err error
	inTurn(progress, func(progress func(string)) {
		for i, b := range builds {
			group.Go(func() error {
				img, err := t.Build(ctx, b, progress)
				if err == nil {
					list[i] = img
					ready(ctx, img, progress)
				}
				return err
			})
		}
		err = group.Wait()
	})
	if err != nil {
		return nil, err
	}
	images := Images{}
	for i, b := range builds {
		images[keyOf(b)] = list[i]
	}
	return images, nil
}

// inTurn runs work that reports from several goroutines.
func inTurn(progress func(string), work func(progress func(string))) {
	lines := make(chan string)
	printed := make(chan struct{})
	go func() {
		defer close(printed)
		for l := range lines {
			progress(l)
		}
	}()
	work(func(s string) { lines <- s })
	close(lines)
	<-printed
}

// ChangedError says that images are no longer those that a run began with.
type ChangedError struct {
	Builds []string // names of the builds that changed
}

// Error says what to do.
func (e *ChangedError) Error() string {
	return fmt.Sprintf("the images of %s are not the run's original images (the source, the Go version or the policy has changed): restore them, or start a new run",
		strings.Join(e.Builds, ", "))
}

// SameImages fails with a *ChangedError unless the images are those of a run.
func SameImages(run results.Run, images Images) error {
	var changed []string
	for _, old := range run.Images {
		img := images.Of(old.Build)
		if (img == nil || img.Hash != old.Hash) && !slices.Contains(changed, old.Build.Name) {
			changed = append(changed, old.Build.Name)
		}
	}
	if changed != nil {
		return &ChangedError{changed}
	}
	return nil
}
