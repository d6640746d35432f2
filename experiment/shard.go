package experiment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/dustin/go-humanize/english"

	"xsmbench/hv"
	"xsmbench/results"
)

// Share is which part of a run one of several machines measures.
type Share struct {
	Index int // from 1
	Of    int
	// Costs are those that the boots are divided by, nil for the target's.
	Costs *CostTable
}

// mostShards is above what a run is divided into. Each is a part of the merged run's
// record, which has a bound.
const mostShards = 4096

// Check refuses a share that is none.
func (s *Share) Check(spec results.Spec) error {
	switch {
	case s.Of < 1 || s.Of > mostShards:
		return refuse(FieldShard, fmt.Sprintf("%d/%d", s.Index, s.Of), "the number of shards must be from 1 to %d", mostShards)
	case s.Index < 1 || s.Index > s.Of:
		return refuse(FieldShard, fmt.Sprintf("%d/%d", s.Index, s.Of), "shards are counted from 1: name one from 1/%[1]d to %[1]d/%[1]d", s.Of)
	case spec.Budget != nil:
		return &FieldError{Fields: []Field{FieldShard, FieldTime}, Text: "a budget looks at the figures of all machines to choose the rounds, and shards know only their own; use {" + string(FieldRounds) + "}"}
	}
	return nil
}

// shard is the part of a plan that is written down.
func (s *Share) shard(t hv.Target, spec results.Spec) (*results.Shard, error) {
	if err := s.Check(spec); err != nil {
		return nil, err
	}
	p, err := NewPlan(t, spec, s.Costs)
	if err != nil {
		return nil, err
	}
	return &results.Shard{Index: s.Index, Of: s.Of, Places: p.Split(s.Of)[s.Index-1].Places}, nil
}

// Slots are the boots of a run: all of the schedule, or those of its shard.
func Slots(run results.Run) []Slot { return shared(Schedule(run.Spec), run.Shard) }

// shared are the slots of a shard, all of them without one.
func shared(all []Slot, s *results.Shard) []Slot {
	if s == nil {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(slot Slot) bool {
		_, ok := slices.BinarySearch(s.Places, slot.Place)
		return !ok
	})
}

// Portable is a spec without what another machine has under another name: the paths
// of trees and files. What is in them shows in the images.
func Portable(spec results.Spec) results.Spec {
	spec.Builds = slices.Clone(spec.Builds)
	for i := range spec.Builds {
		b := &spec.Builds[i]
		b.Clean = false // which changes nothing of what is built
		for _, path := range []*string{&b.Source, &b.Module, &b.Policy} {
			if *path != "" {
				*path = "a path"
			}
		}
		b.Kconfig = slices.Clone(b.Kconfig)
		for k, path := range b.Kconfig {
			b.Kconfig[k] = filepath.Base(path)
		}
	}
	return spec
}

// PlanKey is a hash of all that decides what a run's boots are. Runs of one plan, on
// any machine, have the same.
func PlanKey(spec results.Spec) (string, error) {
	text, err := json.Marshal(Portable(spec))
	if err != nil {
		return "", fmt.Errorf("hash plan: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// OtherShardError is a directory that was to be that of a shard, and holds another.
type OtherShardError struct{ Path, Holds string }

// Error says what to do.
func (e *OtherShardError) Error() string {
	return fmt.Sprintf("%s holds %s: name another directory", e.Path, e.Holds)
}

// beginShard is a session of a shard. One that was begun before, in the directory that
// is named or that follows from the plan, goes on: who starts a machine's part again,
// as schedulers do, does not know whether it had begun.
func beginShard(q Question, s *Session) (*Session, error) {
	var err error
	if s.shard, err = q.Shard.shard(s.target, s.spec); err != nil {
		return nil, err
	}
	key, err := PlanKey(s.spec)
	if err != nil {
		return nil, err
	}
	if s.path == "" {
		s.path = filepath.Join("runs", "plan-"+key[:8], fmt.Sprintf("%d-of-%d", s.shard.Index, s.shard.Of))
	}
	s.claim, err = vacant(s.path, q.Replace)
	var holds *HoldsRunError
	if !errors.As(err, &holds) {
		return s, err
	}
	old, err := Resume(Continuation{Path: s.path, Timeout: q.Timeout, Beside: q.Beside})
	if err != nil {
		return nil, err
	}
	if what := old.otherThan(s.shard, key); what != "" {
		return nil, errors.Join(&OtherShardError{s.path, what}, old.Close())
	}
	return old, nil
}

// otherThan says what a session's run is, "" if it is the shard of the plan.
func (s *Session) otherThan(shard *results.Shard, key string) string {
	is, err := PlanKey(s.spec)
	switch {
	case err != nil:
		return err.Error()
	case s.shard == nil:
		return "a run that is no shard"
	case is != key:
		return fmt.Sprintf("shard %s of the plan %.8s, and not of %.8s", s.shard, is, key)
	case s.shard.Index != shard.Index || s.shard.Of != shard.Of:
		return "shard " + s.shard.String()
	case !slices.Equal(s.shard.Places, shard.Places):
		return "shard " + s.shard.String() + " of boots that were divided by other costs"
	}
	return ""
}

// sayShard says what the session measures of a plan.
func (s *Session) sayShard(say func(string)) {
	if s.shard == nil {
		return
	}
	all := len(Schedule(s.spec))
	text := fmt.Sprintf("shard %s: %d of the plan's %s", s.shard, len(s.shard.Places), english.Plural(all, "boot", ""))
	if Timed(s.spec) {
		text += ", in whole rounds: boots are paired by round, and times of two machines are no pair"
	}
	say(text)
}

// told is what the target says of the machines of each build that has an image.
func told(ctx context.Context, t hv.Target, spec results.Spec, images Images) []results.Told {
	teller, ok := t.(hv.SettingsTeller)
	if !ok {
		return nil
	}
	var all []results.Told
	for _, b := range spec.Builds {
		if img := images.any(b); img != nil {
			all = append(all, results.Told{Build: b.Name, Arch: b.Arch, Settings: teller.Settings(ctx, img, bootSpec(spec))})
		}
	}
	return all
}

// any is an image of a build in any layout, of the lowest one that there is.
func (im Images) any(b hv.Build) *hv.Image {
	var found *hv.Image
	for k, img := range im {
		if k.build == b.Name && k.arch == b.Arch && (found == nil || img.Build.Layout < found.Build.Layout) {
			found = img
		}
	}
	return found
}

// comparable makes what a shard lacks to tell what differs between builds. Of two
// builds that may differ by a change, the shard with the first boot of the later one
// tells: it needs the source of the earlier, or its image. Nothing of that is booted.
func (s *Session) comparable(ctx context.Context, images Images, progress func(string)) (Images, error) {
	_, sources := s.target.(hv.SourceComparer)
	_, policies := s.target.(hv.PolicyComparer)
	if s.shard == nil || s.resumed || !sources && !policies {
		return nil, nil
	}
	others := Images{}
	for _, p := range Changes(s.spec) {
		if p.first(Schedule(s.spec), s.shard) == 0 || images.Of(p.Base) != nil || others.Of(p.Base) != nil {
			continue
		}
		img, err := s.other(ctx, p, progress)
		if err != nil {
			return nil, err
		}
		others[keyOf(p.Base)] = img
	}
	return others, nil
}

// other is what a shard needs of a build that it does not boot.
func (s *Session) other(ctx context.Context, p Change, progress func(string)) (*hv.Image, error) {
	if sourcer, ok := s.target.(hv.Sourcer); ok && p.sameLoad() {
		if err := sourcer.Source(ctx, p.Base, progress); err != nil {
			return nil, fmt.Errorf("fetch the source of %s, to compare it with that of %s: %w", p.Base.Name, p.Build.Name, err)
		}
		return &hv.Image{Build: p.Base}, nil
	}
	return s.target.Build(ctx, p.Base, progress)
}

// first is the place of the first boot of the later build, if it is the shard's; 0 if
// it is another's, or there is none.
func (p Change) first(all []Slot, s *results.Shard) int {
	for _, slot := range all {
		if keyOf(slot.Build) == keyOf(p.Build) {
			if _, ok := slices.BinarySearch(s.Places, slot.Place); ok {
				return slot.Place
			}
			return 0
		}
	}
	return 0
}

// sameLoad reports whether the builds load the same beside their source.
func (p Change) sameLoad() bool {
	return p.Base.Policy == p.Build.Policy && p.Base.Label == p.Build.Label
}
