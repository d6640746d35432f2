package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
	"xsmbench/workloads"
)

// buildFlags say what to build.
type buildFlags struct {
	target, arch        string
	builds, tags        []string
	source, rev, policy string
	kconfig             []string
}

func (f *buildFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.target, "target", "model", "hypervisor under test")
	fs.StringVar(&f.arch, "arch", "", "architecture to build for (default: the target's first)")
	fs.StringSliceVar(&f.builds, "builds", []string{"native", "dummy", "flask"}, "builds as NAME[=KIND][@REV] or NAME[=KIND]@DIR, comma-separated; the first is compared against")
	fs.StringSliceVar(&f.tags, "tags", nil, "further build tags for all builds")
	fs.StringVar(&f.source, "source", "", "source tree to build from")
	fs.StringVar(&f.rev, "rev", "", "git revision to build from")
	fs.StringVar(&f.policy, "policy", "", "policy file for the builds with a module that loads one")
	fs.StringArrayVar(&f.kconfig, "kconfig", nil, "file of Kconfig settings for the builds that take some; may be repeated, later files win")
}

// resolve checks the flags and returns the target and the builds.
func (f *buildFlags) resolve() (hv.Target, []hv.Build, error) {
	t, err := lookupTarget(f.target)
	if err != nil {
		return nil, nil, err
	}
	arch := f.arch
	if arch == "" {
		arch = t.Arches()[0]
	}
	if !slices.Contains(t.Arches(), arch) {
		return nil, nil, fmt.Errorf("--arch %s: target %s does not have it%s", arch, t.Name(), suggest(arch, t.Arches()))
	}
	builds, err := f.parse(t, arch)
	return t, builds, err
}

// parse reads the builds and gives each what the other flags say.
func (f *buildFlags) parse(t hv.Target, arch string) ([]hv.Build, error) {
	common, err := f.common(arch)
	if err != nil {
		return nil, err
	}
	words := f.builds
	var builds []hv.Build
	loads, configured := false, false
	for _, word := range words {
		b, k, err := parseBuild(word, t)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(builds, func(o hv.Build) bool { return o.Name == b.Name }) {
			return nil, fmt.Errorf("--builds %s: name %q twice (give one another name: NAME=%s)", strings.Join(words, ","), b.Name, b.KindOf())
		}
		builds = append(builds, complete(b, k, common))
		loads, configured = loads || k.Policy, configured || k.Kconfig
	}
	switch {
	case len(builds) == 0:
		return nil, fmt.Errorf("--builds: no build")
	case f.policy != "" && !loads:
		return nil, fmt.Errorf("--policy %s: none of the builds %s loads a policy", f.policy, strings.Join(words, ", "))
	case len(f.kconfig) > 0 && !configured:
		return nil, fmt.Errorf("--kconfig %s: none of the builds %s takes Kconfig settings", f.kconfig[0], strings.Join(words, ", "))
	}
	return builds, nil
}

// common is what the flags say for all builds, with the files' full names.
func (f *buildFlags) common(arch string) (hv.Build, error) {
	b := hv.Build{Arch: arch, Rev: f.rev, Tags: f.tags}
	var err error
	if b.Source, err = absolute("--source", f.source); err != nil {
		return b, err
	}
	if b.Policy, err = absolute("--policy", f.policy); err != nil {
		return b, err
	}
	for _, file := range f.kconfig {
		path, err := absolute("--kconfig", file)
		if err != nil {
			return b, err
		}
		b.Kconfig = append(b.Kconfig, path)
	}
	return b, nil
}

// complete gives a build of kind k what holds for all builds. A directory of
// its own is built as it stands.
func complete(b hv.Build, k hv.Kind, common hv.Build) hv.Build {
	b.Arch, b.Tags = common.Arch, common.Tags
	if b.Source == "" {
		b.Source = common.Source
		if b.Rev == "" {
			b.Rev = common.Rev
		}
	}
	if k.Policy {
		b.Policy = common.Policy
	}
	if k.Kconfig {
		b.Kconfig = common.Kconfig
	}
	return b
}

// absolute makes a file's name hold from any directory; a run may be resumed
// from another one.
func absolute(flag, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	abs, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(abs)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	return abs, nil
}

func lookupTarget(name string) (hv.Target, error) {
	t, err := hv.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("unknown target %q%s", name, suggest(name, hv.Names()))
	}
	return t, nil
}

// runFlags say what to measure.
type runFlags struct {
	buildFlags
	compareFlags
	budgetFlags
	aa             bool
	domains        []string
	bench          string
	rounds         int
	layouts        int
	enough         int64
	repetitions    int
	quick          bool
	witness        bool
	workload       string
	accel          string
	domU           string
	idle           int
	timeout        time.Duration
	output, resume string
}

func (f *runFlags) register(fs *pflag.FlagSet) {
	f.buildFlags.register(fs)
	f.compareFlags.register(fs, "default: ")
	fs.BoolVar(&f.aa, "aa", true, "with controls: in each round, the base again under another name, in turns as the same image and linked anew")
	fs.StringSliceVar(&f.domains, "domains", []string{"dom0", "domU"}, "domains to measure from")
	fs.StringVar(&f.bench, "bench", "", "regular expression over the benchmarks' names (default: all)")
	fs.IntVar(&f.rounds, "rounds", defaultRounds, "rounds: each boots every build once (a target that counts has a default of its own)")
	f.budgetFlags.register(fs)
	fs.IntVar(&f.layouts, "layouts", 0, "relinks of each build, taken in turn by the rounds (default: one per round, as far as the target relinks)")
	fs.Int64Var(&f.enough, "enough", defaultEnough, "shortest timed window in µs; 0 lets the clock decide, as lmbench does")
	fs.IntVar(&f.repetitions, "repetitions", 0, "windows per sample (default: 11, as lmbench, or the target's own if it counts)")
	fs.BoolVar(&f.quick, "quick", false, "a rough answer soon: 3 rounds, short windows, shortened macro benchmarks")
	fs.BoolVar(&f.witness, "witness", false, "where a target counts: also report what the hypervisor itself counts meanwhile (FLASK's AVC, performance counters)")
	fs.StringVar(&f.workload, "workload", workloads.Default, "what else the domain does: "+strings.Join(workloads.Names(), " or "))
	fs.StringVar(&f.accel, "accel", "", "accelerator (default: the target's first)")
	fs.StringVar(&f.domU, "domu", "", "kind of the domUs, as pv or pvh (default: the target's first)")
	fs.IntVar(&f.idle, "domus", 0, "idle domUs beside the measured one")
	fs.DurationVar(&f.timeout, "timeout", 0, "time after which a boot is given up (default: the target's)")
	fs.StringVarP(&f.output, "output", "o", "", "run directory to make (default: runs/DATE-TIME)")
	fs.StringVar(&f.resume, "resume", "", "run directory to complete; only --rounds may be given with it, to add rounds, or --budget, to add time")
}

// Defaults of run: with three builds, two domains and all benchmarks they
// take some four minutes on two cores, controls included.
const (
	defaultRounds = 10
	defaultEnough = 1000 // µs

	quickRounds = 3
	quickEnough = 100 // µs
)

// spec checks the flags and returns what they ask for.
func (f *runFlags) spec(fs *pflag.FlagSet) (hv.Target, results.Spec, error) {
	t, builds, err := f.buildFlags.resolve()
	if err != nil {
		return nil, results.Spec{}, err
	}
	if err := f.checkBudget(fs, builds); err != nil {
		return nil, results.Spec{}, err
	}
	f.defaults(t, fs)
	if err := f.check(t); err != nil {
		return nil, results.Spec{}, err
	}
	if err := f.checkDomUs(t, fs); err != nil {
		return nil, results.Spec{}, err
	}
	names, err := f.benchmarks(t)
	if err != nil {
		return nil, results.Spec{}, err
	}
	d, several := t.(hv.DomUs)
	plan := f.plan(t)
	if plan != nil {
		f.rounds = plan.Looks[0]
	}
	return t, results.Spec{
		Target: t.Name(), Accel: f.accel, Builds: f.withControls(t, fs, builds), Domains: f.domains, Benchmarks: names,
		Rounds: f.rounds, Layouts: f.layouts, Workload: f.workload, DomU: f.domU, Idle: f.idle,
		OtherDomU: several && f.domU != d.DomUKinds()[0],
		Options:   bench.Options{EnoughUS: f.enough, Repetitions: f.repetitions, Windows: f.windows(t), Quick: f.quick, Witness: f.witness},
		Budget:    plan,
	}, nil
}

// check refuses values that nothing can be measured with.
func (f *runFlags) check(t hv.Target) error {
	if len(f.domains) == 0 {
		return fmt.Errorf("--domains: no domain")
	}
	known := []string{"dom0", "domU"}
	for i, d := range f.domains {
		if !slices.Contains(known, d) {
			return fmt.Errorf("unknown domain %q%s", d, suggest(d, known))
		}
		if slices.Contains(f.domains[:i], d) {
			return fmt.Errorf("--domains: %s twice", d)
		}
	}
	known = workloads.Names()
	if !slices.Contains(known, f.workload) {
		return fmt.Errorf("unknown workload %q%s", f.workload, suggest(f.workload, known))
	}
	if f.accel != "" && !slices.Contains(t.Accels(), f.accel) {
		return fmt.Errorf("--accel %s: target %s does not have it%s", f.accel, t.Name(), suggest(f.accel, t.Accels()))
	}
	for _, n := range []struct {
		flag     string
		value    int64
		min, max int64
	}{
		{"rounds", int64(f.rounds), 1, 10000},
		{"layouts", int64(f.layouts), 0, 10000},
		{"enough", f.enough, 0, 10_000_000},
		{"repetitions", int64(f.repetitions), 0, 1001},
		{"timeout", int64(f.timeout), 0, int64(240 * time.Hour)},
	} {
		if n.value < n.min || n.value > n.max {
			return fmt.Errorf("--%s %d: must be from %d to %d", n.flag, n.value, n.min, n.max)
		}
	}
	if f.witness && f.windows(t) == 0 {
		return fmt.Errorf("--witness: target %s marks no windows%s", t.Name(), countingAccels(t))
	}
	return checkLayouts(t, f.layouts)
}

// benchmarks are those that were asked for and that the target and the
// domains can run.
func (f *runFlags) benchmarks(t hv.Target) ([]string, error) {
	list, err := bench.Select(f.bench)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, b := range list {
		if t.Offers(b) && (!b.Dom0Only || slices.Contains(f.domains, "dom0")) {
			names = append(names, b.FullName())
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("--bench %s: target %s runs none of them in %s", f.bench, t.Name(), strings.Join(f.domains, ", "))
	}
	return names, nil
}

// withConfig reads the experiment file into the flags that were not given.
func withConfig(c *cobra.Command) error {
	path, given := configOf(c)
	return readConfig(path, given, c)
}

// configOf is the experiment file, and whether it was named.
func configOf(c *cobra.Command) (path string, given bool) {
	f := c.Flags().Lookup("config")
	if !f.Changed {
		return configFile, false
	}
	return f.Value.String(), true
}
