// Package hv says what a hypervisor under test is. A Target builds images,
// boots them and has their domains measure; everything above (experiment,
// results, comparison, reports) works on these types and knows no target.
// Targets register themselves in their package's init.
package hv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"time"

	"xsmbench/bench"
)

// Build names one way of building a target.
type Build struct {
	// Name is what results call it: "native", "dummy", "flask", "silo", or
	// the user's own name.
	Name string `json:"name"`
	// Kind is one of the target's ways of building; empty means Name.
	Kind string `json:"kind,omitempty"`
	// Dispatch is how hooks are reached, one of its kind's Dispatches; empty
	// for the first.
	Dispatch string `json:"dispatch,omitempty"`
	// Arch is a GOARCH.
	Arch string `json:"arch"`
	// Layout is the seed of a relink, 0 for the linker's own order.
	Layout int `json:"layout"`
	// Source is the tree to build from, empty for the target's default;
	// Rev a revision of it.
	Source string `json:"source,omitempty"`
	Rev    string `json:"rev,omitempty"`
	// Module is the folder of a security module from outside that source, which
	// registers the kind; empty for one of the target's kinds.
	Module string `json:"module,omitempty"`
	// Tags are further build tags (model), Kconfig fragments of
	// configuration (xen).
	Tags    []string `json:"tags,omitempty"`
	Kconfig []string `json:"kconfig,omitempty"`
	// Policy is a file that the build's security module loads instead of
	// its own policy.
	Policy string `json:"policy,omitempty"`
	// Label is the security context of domUs, empty for the policy's usual
	// one; Unknown says what becomes of permissions that the policy does not
	// have: "deny" or "allow", empty refuses the policy.
	Label   string `json:"label,omitempty"`
	Unknown string `json:"unknown,omitempty"`
	// Options are for the hypervisor's own command line, beside those that the
	// target sets: "flask=permissive".
	Options []string `json:"options,omitempty"`
	// Packages says where the distribution's packages are from, for a target
	// that takes some (Packager).
	Packages Packages `json:"packages,omitzero"`
	// Clean asks for a build that uses nothing of an earlier one. It changes
	// nothing of what is built.
	Clean bool `json:"clean,omitempty"`
	// ControlOf names the build that this one is made like, under another
	// name: what differs between the two is what a measurement gets wrong.
	// "" for builds that are measured for their own sake.
	ControlOf string `json:"control_of,omitempty"`
	// Relinked says of a control that it has another layout than that build
	// in the same round; else it is the same image.
	Relinked bool `json:"relinked,omitempty"`
}

// Packages says where packages of a distribution are from. What is empty is the
// machine's own.
type Packages struct {
	// Source is the release whose source package is built where no Source is
	// named, Guests the one whose packages the domains are made of: "trixie".
	Source  string `json:"source,omitempty"`
	Guests  string `json:"guests,omitempty"`
	Archive string `json:"archive,omitempty"` // URL of the archive
	// Toolstack says which tools of dom0 make domains: ToolstackTree,
	// ToolstackDistribution, or "" for the distribution's where they go with the tree.
	Toolstack string `json:"toolstack,omitempty"`
}

// Words of Packages.Toolstack.
const (
	ToolstackTree         = "tree"
	ToolstackDistribution = "distribution"
)

// KindOf returns the target's kind of build that b is.
func (b Build) KindOf() string {
	if b.Kind != "" {
		return b.Kind
	}
	return b.Name
}

// Kind describes one of a target's ways of building.
type Kind struct {
	Name string `json:"name"`
	Doc  string `json:"doc,omitempty"`
	// Dispatch says how a hook is reached: "compiled out", "inlined",
	// "table", "patched direct call".
	Dispatch string `json:"dispatch"`
	// Dispatches are the ways of reaching a hook that a build of this kind may
	// choose from (Build.Dispatch), nil if there is no choice. The first is
	// what Dispatch describes.
	Dispatches []Dispatch `json:"dispatches,omitempty"`
	// OneWay says why there is no choice, "" if that needs no reason.
	OneWay string `json:"one_way,omitempty"`
	// Policy tells whether a build of this kind loads a policy (Build.Policy),
	// BuiltIn whether it has one where none is given.
	Policy  bool `json:"policy,omitempty"`
	BuiltIn bool `json:"built_in,omitempty"`
	// Mode is what the kind's module does with what its policy denies:
	// "enforcing"; empty where there is nothing to say.
	Mode string `json:"mode,omitempty"`
	// AVC tells whether the kind's module caches decisions (bench.AVC).
	AVC bool `json:"avc,omitempty"`
	// Kconfig tells whether a build of this kind takes Kconfig fragments
	// (Build.Kconfig).
	Kconfig bool `json:"kconfig,omitempty"`
}

// Dispatch is a way of reaching a hook.
type Dispatch struct {
	Name string `json:"name"` // as Build.Dispatch has it: "direct"
	How  string `json:"how"`  // as Kind.Dispatch: "direct call"
	Doc  string `json:"doc"`
}

// Reach describes how hooks are reached in a build of this kind that chose a
// dispatch, "" for the first. ok is false if the kind does not have it.
func (k Kind) Reach(dispatch string) (how string, ok bool) {
	for _, d := range k.Dispatches {
		if d.Name == dispatch {
			return d.How, true
		}
	}
	return k.Dispatch, dispatch == ""
}

// Image is a build's result, ready to boot.
type Image struct {
	Build     Build  `json:"build"`
	Hash      string `json:"hash"` // SHA-256 of what is measured, hex
	Dispatch  string `json:"dispatch"`
	Toolchain string `json:"toolchain"` // compiler and version
	Config    string `json:"config"`    // tags or Kconfig in force
	// Revision is what the source calls itself: a package's version, or what
	// git describe says of a tree or a revision; "" if it has no name.
	Revision string `json:"revision,omitempty"`
	// Module is the kind that a module from outside registers (Build.Module),
	// nil for an image of the target's kinds.
	Module *Kind `json:"module,omitempty"`
	// Policy is the SHA-256 of the policy that the image loads instead of its
	// own, hex; "" if it loads none.
	Policy   string           `json:"policy,omitempty"`
	Path     string           `json:"path"`
	Size     int64            `json:"size"`     // bytes
	Sections map[string]int64 `json:"sections"` // bytes
	// Hooks are all that the image has, crossed or not; empty if it does
	// not tell.
	Hooks []string `json:"hooks,omitempty"`
	// Absent is what other releases of the target have and the image lacks:
	// hypercalls, ways in and out. Unknown are places at which guests may enter
	// it that the counting does not know, and Jumped hooks whose callers are
	// charged with what they execute. All are for people.
	Absent  []string `json:"absent,omitempty"`
	Unknown []string `json:"unknown,omitempty"`
	Jumped  []string `json:"jumped,omitempty"`
	Cached  bool     `json:"-"`
}

// BootSpec says how to start an image.
type BootSpec struct {
	Plan    bench.Plan
	Accel   string        // "", or one of the target's Accels
	DomU    string        // kind of the domUs, one of DomUs.DomUKinds; "" for the first
	Idle    int           // idle domUs beside the measured one
	CPUs    int           // physical processors; 0 for the target's own
	Seed    int64         // perturbs the start (a delay, a seed), recorded
	Timeout time.Duration // 0: the target's own
	Console io.Writer     // receives the console, line by line
	// Progress receives short lines about what takes long before the image
	// starts; nil for nobody.
	Progress func(string)
}

// Say passes a line to Progress.
func (s BootSpec) Say(line string) {
	if s.Progress != nil {
		s.Progress(line)
	}
}

// Machine is a started image.
type Machine interface {
	// Measure runs the plan and calls emit for every measurement as it
	// arrives. It returns when the plan is done, the machine has died (a
	// *BootError), emit has failed or ctx is done.
	Measure(ctx context.Context, emit func(bench.Measurement) error) error
	// Close stops the machine and frees what it holds. It may be called
	// more than once.
	Close() error
}

// Target is a hypervisor under test.
type Target interface {
	Name() string
	Doc() string
	Kinds() []Kind
	Arches() []string // the first is the default
	Accels() []string // the first is the default; "" for none
	// Units are those of the samples, the one to compare by first.
	Units() []string
	// Offers reports whether the target can run a benchmark.
	Offers(bench.Benchmark) bool
	// Doctor looks for what is missing on this machine to make a build like b,
	// of which all may be empty, and to boot it.
	Doctor(ctx context.Context, b Build) []Finding
	// Build makes an image, or finds it in the cache. progress receives
	// short lines.
	Build(ctx context.Context, b Build, progress func(string)) (*Image, error)
	// Boot starts an image. The plan's domains are up, or will be when
	// their turn comes; measuring starts with Machine.Measure.
	Boot(ctx context.Context, img *Image, spec BootSpec) (Machine, error)
}

// Finding is one thing that Doctor looked at.
type Finding struct {
	What   string `json:"what"` // "Go toolchain"
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`         // version, or what is wrong and what that prevents
	Mend   string `json:"mend,omitempty"` // a command, empty if nothing is to be done
	// Packages are those of Debian's that the command installs, if it does.
	Packages []string `json:"packages,omitempty"`
	// Advice marks what only makes measurements noisier or narrower; a
	// target works without it.
	Advice bool `json:"advice,omitempty"`
}

// OfSource reports whether an error of Target.Build is the source's: it would
// come again. A full disk, or a network that is down, is not.
func OfSource(err error) bool {
	var told interface{ OfSource() bool }
	return errors.As(err, &told) && told.OfSource()
}

// LogOf is the log that an error of Target.Build names in its words, "" if it names
// none. The file is the target's: a later build may remove it.
func LogOf(err error) string {
	var told interface{ LogFile() string }
	if errors.As(err, &told) {
		return told.LogFile()
	}
	return ""
}

// BootErrorKind tells how a machine failed.
type BootErrorKind string

// Kinds of boot errors.
const (
	BootFailed  BootErrorKind = "boot"        // never reached its agent
	TimedOut    BootErrorKind = "time-out"    // out of time
	NoProgress  BootErrorKind = "no progress" // silent for too long
	BadProtocol BootErrorKind = "protocol"    // results damaged or cut off
	GuestFailed BootErrorKind = "guest"       // a domain crashed or reported an error
)

// BootError is a machine that failed; what was measured before it stands.
type BootError struct {
	Kind    BootErrorKind
	Image   *Image
	Console string // its last lines
	Repeat  string // command line that starts the same machine
	Err     error
}

// Error describes the failure with the console's tail.
func (e *BootError) Error() string {
	s := fmt.Sprintf("boot %s: %s: %v", e.Image.Build.Name, e.Kind, e.Err)
	if e.Console != "" {
		s += "\nconsole ends:\n" + e.Console
	}
	if e.Repeat != "" {
		s += "\nto repeat it: " + e.Repeat
	}
	return s
}

// Unwrap returns the cause.
func (e *BootError) Unwrap() error { return e.Err }

var targets = map[string]Target{}

// Register adds a target; it is called from init functions.
func Register(t Target) { targets[t.Name()] = t }

// Lookup finds a target by name.
func Lookup(name string) (Target, error) {
	if t, ok := targets[name]; ok {
		return t, nil
	}
	return nil, fmt.Errorf("unknown target %q: have %v", name, Names())
}

// Names lists the registered targets.
func Names() []string {
	var names []string
	for n := range targets {
		names = append(names, n)
	}
	sort.Strings(names)
	return slices.Compact(names)
}
