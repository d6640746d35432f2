// Package hv says what a hypervisor under test is. A Target builds images,
// boots them and has their domains measure; everything above (experiment,
// results, comparison, reports) works on these types and knows no target.
// Targets register themselves in their package's init.
package hv

import (
	"context"
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
	// Arch is a GOARCH.
	Arch string `json:"arch"`
	// Layout is the seed of a relink, 0 for the linker's own order.
	Layout int `json:"layout"`
	// Source is the tree to build from, empty for the target's default;
	// Rev a revision of it.
	Source string `json:"source,omitempty"`
	Rev    string `json:"rev,omitempty"`
	// Tags are further build tags (model), Kconfig fragments of
	// configuration (xen).
	Tags    []string `json:"tags,omitempty"`
	Kconfig []string `json:"kconfig,omitempty"`
	// Policy is a file that the build's security module loads instead of
	// its own policy.
	Policy string `json:"policy,omitempty"`
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

// KindOf returns the target's kind of build that b is.
func (b Build) KindOf() string {
	if b.Kind != "" {
		return b.Kind
	}
	return b.Name
}

// Kind describes one of a target's ways of building.
type Kind struct {
	Name string
	Doc  string
	// Dispatch says how a hook is reached: "compiled out", "inlined",
	// "table", "patched direct call".
	Dispatch string
	// Policy tells whether a build of this kind loads a policy (Build.Policy).
	Policy bool
	// Kconfig tells whether a build of this kind takes Kconfig fragments
	// (Build.Kconfig).
	Kconfig bool
}

// Image is a build's result, ready to boot.
type Image struct {
	Build     Build  `json:"build"`
	Hash      string `json:"hash"` // SHA-256 of what is measured, hex
	Dispatch  string `json:"dispatch"`
	Toolchain string `json:"toolchain"` // compiler and version
	Config    string `json:"config"`    // tags or Kconfig in force
	// Policy is the SHA-256 of the policy that the image loads instead of its
	// own, hex; "" if it loads none.
	Policy   string           `json:"policy,omitempty"`
	Path     string           `json:"path"`
	Size     int64            `json:"size"`     // bytes
	Sections map[string]int64 `json:"sections"` // bytes
	// Hooks are all that the image has, crossed or not; empty if it does
	// not tell.
	Hooks  []string `json:"hooks,omitempty"`
	Cached bool     `json:"-"`
}

// BootSpec says how to start an image.
type BootSpec struct {
	Plan    bench.Plan
	Accel   string        // "", or one of the target's Accels
	DomU    string        // kind of the domUs, one of DomUs.DomUKinds; "" for the first
	Idle    int           // idle domUs beside the measured one
	Seed    int64         // perturbs the start (a delay, a seed), recorded
	Timeout time.Duration // 0: the target's own
	Console io.Writer     // receives the console, line by line
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
	// Doctor looks for what is missing on this machine.
	Doctor(ctx context.Context) []Finding
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
