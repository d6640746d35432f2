package hv

import "context"

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

// DomUs is a target that can be told what its domUs are (BootSpec.DomU and
// BootSpec.Idle).
type DomUs interface {
	// DomUKinds are the kinds that the measured domU can be of ("pv",
	// "pvh"); the first is the default.
	DomUKinds() []string
	// MostIdle is how many idle domUs there may be beside it.
	MostIdle() int
}

// Defaults is a target for which another number of rounds does than for one
// that times.
type Defaults interface {
	Rounds() int
}

// Layouts is a target that bounds the relinks of a build: 0 for none, when
// every image has the linker's own order.
type Layouts interface {
	MostLayouts() int
}

// Counter is a target that counts in marked windows instead of timing
// (bench.Options.Windows).
type Counter interface {
	// Windows is how many windows a sample has under an accelerator (one of
	// Accels), 0 if the target times under it.
	Windows(accel string) int
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
	SettingAVC      = "avc"      // what the access vector cache holds when a window begins
	SettingGuests   = "guests"   // what the domains' kernel and programs are, where they are not the target's own
)

// SettingsTeller is a target that can say how it sets its machines up. What
// it leaves out is not recorded.
type SettingsTeller interface {
	Settings(ctx context.Context, img *Image, spec BootSpec) []Setting
}
