package hv

import (
	"context"
	"slices"
	"time"

	"xsmbench/bench"
)

// What a Target may implement beside Target itself.

// Preparer is a target in which the boots of an image share work that can be
// done before the first of them.
type Preparer interface {
	// Prepare does that work; it may be called for several images at a time.
	// progress receives short lines. What failed fails again in Boot, which
	// says why.
	Prepare(ctx context.Context, img *Image, spec BootSpec, progress func(string))
}

// Starter is a target that can tell, before anything is built, whether images
// will start on this machine.
type Starter interface {
	// Starts fails, with what to do, if an image of the build cannot be
	// started under an accelerator (one of Accels).
	Starts(b Build, accel string) error
}

// Extensible is a target that can be built with security modules from outside its
// source (Build.Module).
type Extensible interface {
	// ModuleKind is what can be said of a build with a module before it is built.
	// It fails if there is no module to be built.
	ModuleKind(b Build) (Kind, error)
}

// Optioned is a target whose hypervisors read a command line (Build.Options).
type Optioned interface {
	// CheckOptions refuses options that a build cannot be booted with, as far as
	// that can be told before it is built.
	CheckOptions(b Build) error
}

// DomUs is a target that can be told what its domUs are (BootSpec.DomU and
// BootSpec.Idle).
type DomUs interface {
	// DomUKinds are the kinds that the measured domU can be of ("pv",
	// "pvh"); the first is the default.
	DomUKinds() []string
	// MostIdle is how many idle domUs there may be beside it.
	MostIdle() int
}

// Processors is a target whose machines can have several physical processors
// (BootSpec.CPUs).
type Processors interface {
	// MostCPUs is how many they can have with domUs of a kind.
	MostCPUs(domU string) int
}

// Defaults is a target for which another number of rounds does than for one
// that times.
type Defaults interface {
	Rounds() int
}

// Usual is a target of which a run that does not say otherwise has other builds,
// domains and benchmarks than most.
type Usual interface {
	// UsualBuilds are words of --builds, of which a run that names none has all.
	UsualBuilds() []string
	// MeasuredDomains are those that there are, in place of dom0 and domU.
	MeasuredDomains() []string
	// UsualSuite is one of bench.Suites.
	UsualSuite() string
}

// DomainsOf are the domains that a target measures from.
func DomainsOf(t Target) []string {
	if u, ok := t.(Usual); ok {
		return u.MeasuredDomains()
	}
	return []string{"dom0", "domU"}
}

// Packager is a target that takes packages of a distribution
// (Build.Packages).
type Packager interface {
	// CheckRelease and CheckArchive refuse what cannot be a release's name, or
	// an archive's URL. Whether there is one, is found out when it is used.
	CheckRelease(name string) error
	CheckArchive(url string) error
	// CheckToolstack refuses what is no word of Packages.Toolstack.
	CheckToolstack(word string) error
}

// Coster is a target that tells about how long its work takes.
type Coster interface {
	// Costs are of a build, on a machine of two processors on which nothing was made
	// before. They are documented figures, the same on every machine.
	Costs(b Build, spec BootSpec) Costs
}

// Costs are about how long the parts of a run take.
type Costs struct {
	Build  time.Duration `json:"build_ns"`  // an image from nothing
	Relink time.Duration `json:"relink_ns"` // another layout of it
	Ready  time.Duration `json:"ready_ns"`  // what the boots of an image share
	Boot   time.Duration `json:"boot_ns"`   // without samples
	Sample time.Duration `json:"sample_ns"`
}

// Sourcer is a SourceComparer that need not build what it compares.
type Sourcer interface {
	SourceComparer
	// Source fetches the source of a build, so that CompareSources knows it for an
	// image that says no more than the build.
	Source(ctx context.Context, b Build, progress func(string)) error
}

// Layouts is a target that bounds the relinks of a build: 0 for none, when
// every image has the linker's own order.
type Layouts interface {
	MostLayouts() int
}

// Forgetter is a target that holds what it built in its store as long as the
// process lives. Who builds many revisions one after another would fill the disk.
type Forgetter interface {
	// Forget gives back what the images built so far hold. They must not be
	// booted any more.
	Forget()
}

// Counter is a target that counts in marked windows instead of timing
// (bench.Options.Windows).
type Counter interface {
	// Windows is how many windows a sample has under an accelerator (one of
	// Accels), 0 if the target times under it.
	Windows(accel string) int
	// Counted is the unit to compare counts by.
	Counted() string
}

// UnitUnder is the unit to compare samples by that were taken under an accelerator, ""
// for the target's first.
func UnitUnder(t Target, accel string) string {
	c, counts := t.(Counter)
	if !counts {
		return t.Units()[0]
	}
	if accel == "" {
		accel = t.Accels()[0]
	}
	if c.Windows(accel) > 0 {
		return c.Counted()
	}
	return timed
}

// timed is the unit to compare times by.
const timed = "ns/op"

// Overlapper is a target of which boots may measure at once, since what they
// give does not depend on what else the machine does.
type Overlapper interface {
	// AtOnce is how many boots of one run may be under way, 1 where they
	// would disturb each other. More than the machine can run wait in Measure.
	AtOnce(spec BootSpec) int
}

// Injector is a target whose source can be given work in one hook, to see
// whether a measurement finds it.
type Injector interface {
	Injection() Injection
	// Inject copies the source tree to dir, with the work at the beginning
	// of the hook, and returns a build of the copy. Builds with less and with
	// more of the same kind of work differ by nothing else.
	Inject(ctx context.Context, w Work, dir string, progress func(string)) (Build, error)
}

// Injection says where a target can be given work, and how much is worth
// trying.
type Injection struct {
	Hook      string // "evtchn_status"
	Benchmark string // the full name of one that crosses it, once
	Accel     string // of Accels, under which the target counts
	// Instructions are numbers of them to try; Delays numbers of steps of a
	// delay, nil if the target cannot be timed so.
	Instructions, Delays []int
	// Long is a delay that nothing hides, to see how long a step is.
	Long int
}

// Work is what a hook does in vain: Amount instructions, or steps of a delay.
type Work struct {
	Delay  bool
	Amount int
}

// Setting says one thing of how a target's machines are set up, in the
// target's words.
type Setting struct {
	Item  string `json:"item"`            // SettingEmulator and those below
	Build string `json:"build,omitempty"` // that it is of, "" for all
	Text  string `json:"text"`
}

// What settings are of.
const (
	SettingEmulator = "emulator" // its version, and how it counts time
	SettingVCPUs    = "vcpus"    // of each domain, and what they are pinned to
	SettingPolicy   = "policy"   // where the security module's policy is from, and the mode
	SettingOptions  = "options"  // the hypervisor's own command line
	SettingAVC      = "avc"      // what the access vector cache holds when a window begins
	SettingGuests   = "guests"   // what the domains' kernel and programs are, where they are not the target's own
)

// SettingsTeller is a target that can say how it sets its machines up. What
// it leaves out is not recorded.
type SettingsTeller interface {
	Settings(ctx context.Context, img *Image, spec BootSpec) []Setting
}

// Refuser is a target that says why it does not offer a benchmark.
type Refuser interface {
	// Refuses is the reason, "" for what the target offers.
	Refuses(bench.Benchmark) string
}

// RefusedBy is why a target does not offer a benchmark, "" if it does.
func RefusedBy(t Target, b bench.Benchmark) string {
	if t.Offers(b) {
		return ""
	}
	if r, ok := t.(Refuser); ok {
		return r.Refuses(b)
	}
	return "target " + t.Name() + " does not run it"
}

// Guide is a target that has hooks of its own: those of its builds, which are not
// all Xen 3.2's.
type Guide interface {
	// Hooks are those that are known, by name. A build has most of them, and may
	// have others.
	Hooks() []string
	// Hook is what is known of a hook; all is empty if nothing is.
	Hook(name string) HookNote
}

// UnitsOf are the units of a target's samples: those to compare by first, and those
// of the benchmarks that it offers.
func UnitsOf(t Target, first ...string) []string {
	units := slices.Clone(first)
	for _, b := range bench.All() {
		if !t.Offers(b) {
			continue
		}
		for _, u := range append([]string{b.Unit}, b.Beside...) {
			if !slices.Contains(units, u) {
				units = append(units, u)
			}
		}
	}
	return units
}

// CrossingsOn are the hooks that a benchmark is known to cross on a target, and
// whether that is known. What benchmarks say of themselves is of Xen 3.2, as the
// model has it. A target with hooks of its own has those that took their places, and
// may have others that 3.2 had not.
func CrossingsOn(t Target, b bench.Benchmark) (list []bench.Crossing, known bool) {
	g, own := t.(Guide)
	if !own {
		return b.Hooks, true
	}
	names := g.Hooks()
	for _, c := range b.Hooks {
		for _, name := range names {
			if note := g.Hook(name); note.Never == "" && (name == c.Hook || slices.Contains(note.Was, c.Hook)) {
				list = append(list, bench.Crossing{Hook: name, PerOp: c.PerOp, Note: c.Note})
			}
		}
	}
	for _, name := range names {
		if n := g.Hook(name).Also[b.FullName()]; n > 0 {
			list = append(list, bench.Crossing{Hook: name, PerOp: n})
		}
	}
	return list, len(list) > 0 || len(names) == 0
}

// HookNote says how a hook is reached.
type HookNote struct {
	Was []string // Xen 3.2's hooks whose place it took
	// Also are benchmarks that cross it, with how often, where 3.2 has no hook.
	Also    map[string]float64
	By      string // "dom0", "any domain", "Xen"
	Through string // hypercalls, or what else the hypervisor does
	Never   string // why no benchmark crosses it, "" if one can
}
