package merge

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/results"
)

// DiffersError is an input that is not of the run that the first one is of.
type DiffersError struct {
	Dir, First string
	What       string // "rounds", "the image of flask amd64"
	Is, Was    string
	Do         string // what may be done
}

// Error names both, and what each has.
func (e *DiffersError) Error() string {
	return fmt.Sprintf("merge %s: %s: it has %s, and %s has %s: %s", e.Dir, e.What, e.Is, e.First, e.Was, e.Do)
}

const (
	otherPlan  = "they are runs of different plans, and cannot be merged"
	otherImage = "build from the same source with the same compiler on all machines, and measure one of them again"
	otherSetup = "set the machines up alike, and measure one of them again"
)

// compare refuses a run of another plan, or of another version of this program.
func (c *collection) compare(in input) error {
	return comparePlans(in.dir, in.run, c.first.dir, c.first.run, c.key)
}

// comparePlans compares a run with a first one, whose plan has a key.
func comparePlans(dir string, run results.Run, firstDir string, first results.Run, firstKey string) error {
	key, err := experiment.PlanKey(run.Spec)
	if err != nil {
		return err
	}
	if key != firstKey {
		what, is, was := difference(experiment.Portable(run.Spec), experiment.Portable(first.Spec))
		return &DiffersError{dir, firstDir, what, is, was, otherPlan}
	}
	if run.Tool != first.Tool {
		return &DiffersError{dir, firstDir, "the version of xsmbench", run.Tool, first.Tool, "measure one of them again"}
	}
	return nil
}

// difference is the first field of two plans that differs, as run.json has it.
func difference(a, b results.Spec) (what, is, was string) {
	x, y := asFields(a), asFields(b)
	all := maps.Clone(x)
	maps.Copy(all, y)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if is, was := string(x[key]), string(y[key]); is != was {
			return key, shortened(is, was), shortened(was, is)
		}
	}
	return "the plan", "one", "another"
}

func asFields(s results.Spec) map[string]json.RawMessage {
	fields := map[string]json.RawMessage{}
	if text, err := json.Marshal(s); err == nil {
		_ = json.Unmarshal(text, &fields) // it was made a line above
	}
	return fields
}

// mostShown is how much of a field is shown, in bytes.
const mostShown = 80

// shortened is a field from a little before where it differs from another on.
func shortened(text, other string) string {
	if text == "" {
		return "none"
	}
	if len(text) <= mostShown {
		return text
	}
	same := 0
	for same < min(len(text), len(other)) && text[same] == other[same] {
		same++
	}
	from := max(0, min(same-mostShown/2, len(text)-mostShown))
	return "…" + strings.ToValidUTF8(text[from:min(len(text), from+mostShown)], "") + "…"
}

// checkBoot refuses a boot that is not where the plan has it, or of another image.
func (c *collection) checkBoot(in *input, s experiment.Slot, b results.Block) error {
	name := fmt.Sprintf("boot %d, of %s in round %d", b.Boot.Boot, b.Build, b.Round)
	if b.Order != s.Order || b.Layout != s.Layout || b.Seed != int64(s.Round) {
		return fmt.Errorf("merge %s: %s: it stands at place %d with layout %d and seed %d, and the plan has it at %d with %d and %d: its files were changed", in.dir, name, b.Order, b.Layout, b.Seed, s.Order, s.Layout, s.Round)
	}
	img := c.images[imageKey{b.Build, b.Arch, b.Layout}]
	if img == nil || img.img.Hash != b.Image {
		return fmt.Errorf("merge %s: %s: it is of the image %.12s, which is not the one that run.json names: its files were changed", in.dir, name, b.Image)
	}
	return nil
}

// join takes what a run tells of its images and machines, and refuses what
// contradicts the others.
func (c *collection) join(in *input) error {
	for _, img := range in.run.Images {
		key := imageKey{img.Build.Name, img.Build.Arch, img.Build.Layout}
		old := c.images[key]
		if old == nil {
			c.images[key] = &imageOf{img, in.dir}
			continue
		}
		if old.img.Hash != img.Hash {
			return &DiffersError{in.dir, old.dir, fmt.Sprintf("the image of %s %s", img.Build.Name, img.Build.Arch), short(img.Hash), short(old.img.Hash), otherImage}
		}
		if old.img.Toolchain != img.Toolchain {
			return &DiffersError{in.dir, old.dir, fmt.Sprintf("the compiler of %s %s", img.Build.Name, img.Build.Arch), img.Toolchain, old.img.Toolchain, otherImage}
		}
	}
	for _, t := range toldBefore(in.run) {
		if err := c.tell(in.dir, t); err != nil {
			return err
		}
	}
	c.runs.add(in.run)
	return nil
}

// short is a hash's start, enough to tell images apart.
func short(hash string) string { return fmt.Sprintf("%.12s", hash) }

// toldBefore is what a run was told of the machines of each build. A run that was no
// shard has it joined.
func toldBefore(run results.Run) []results.Told {
	if run.Shard != nil {
		return run.Shard.Told
	}
	var all []results.Told
	for _, b := range run.Spec.Builds {
		t := results.Told{Build: b.Name, Arch: b.Arch}
		for _, s := range run.Settings {
			if s.Build == "" || s.Build == b.Name {
				t.Settings = append(t.Settings, hv.Setting{Item: s.Item, Text: s.Text})
			}
		}
		if has := func(img hv.Image) bool { return img.Build.Name == b.Name && img.Build.Arch == b.Arch }; slices.ContainsFunc(run.Images, has) {
			all = append(all, t)
		}
	}
	return all
}

// tell takes what was told of a build's machines. Emulators must agree, and the guests
// of builds that are made from one source.
func (c *collection) tell(dir string, t results.Told) error {
	for _, b := range c.first.run.Spec.Builds {
		other, ok := c.told[buildKey{b.Name, b.Arch}]
		if !ok || b.Arch != t.Arch {
			continue
		}
		for _, item := range []string{hv.SettingEmulator, hv.SettingGuests} {
			is, was := texts(t.Settings, item), texts(other.Settings, item)
			if is != "" && was != "" && is != was && (item == hv.SettingEmulator || c.sameSource(t, other.Told)) {
				return &DiffersError{dir, other.dir, "the " + item + " of " + t.Build, is, was, otherSetup}
			}
		}
	}
	if key := (buildKey{t.Build, t.Arch}); c.told[key].dir == "" {
		c.told[key] = toldBy{t, dir}
	}
	return nil
}

// sameSource reports whether two builds are made from one source, and one distribution.
func (c *collection) sameSource(a, b results.Told) bool {
	builds := c.first.run.Spec.Builds
	find := func(t results.Told) int {
		return slices.IndexFunc(builds, func(b hv.Build) bool { return b.Name == t.Build && b.Arch == t.Arch })
	}
	i, k := find(a), find(b)
	return i >= 0 && k >= 0 && builds[i].Source == builds[k].Source && builds[i].Rev == builds[k].Rev && builds[i].Packages == builds[k].Packages
}

func texts(all []hv.Setting, item string) string {
	var list []string
	for _, s := range all {
		if s.Item == item {
			list = append(list, s.Text)
		}
	}
	return strings.Join(list, "; ")
}
