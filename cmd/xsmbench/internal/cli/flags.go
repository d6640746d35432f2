package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/bench"
	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/workloads"
)

// buildFlags say what to build.
type buildFlags struct {
	target        string
	arches        []string
	builds, tags  []string
	source, rev   string
	policy, label []string
	unknown       string
	options       []string
	kconfig       []string
	clean         bool
	packages      packageFlags
	all           *pflag.FlagSet // that they are among
}

// packageFlags say where a distribution's packages are from.
type packageFlags struct{ hv.Packages }

func (f *packageFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.Guests, "guests", "", "Debian release whose kernel and toolstack the domains get, such as bookworm or trixie (default: the machine's)")
	fs.StringVar(&f.Source, "source-release", "", "Debian release whose source package is built where no source is given (default: the machine's)")
	fs.StringVar(&f.Archive, "archive", "", "URL of the Debian archive to fetch packages from (default: the machine's archives)")
	fs.StringVar(&f.Toolstack, "toolstack", "", "dom0's tools: distribution, or tree to build them from Xen's source (default: the distribution's where they are of the source's version)")
}

func (f *buildFlags) register(fs *pflag.FlagSet) {
	f.all = fs
	fs.StringVar(&f.target, "target", "model", "hypervisor under test, or linux for this machine's kernel without one")
	fs.StringSliceVar(&f.arches, "arch", nil, "architectures to build for, comma-separated (default: the target's first)")
	fs.StringSliceVar(&f.builds, "builds", []string{"native", "dummy", "flask"}, "builds as NAME[=KIND][:DISPATCH][@REV] or NAME[=KIND][:DISPATCH]@DIR, comma-separated; KIND may be the folder of a security module (./mine); the others are compared with the first (with --target linux: the kernel that runs)")
	fs.StringSliceVar(&f.tags, "tags", nil, "extra build tags for all builds")
	fs.StringVar(&f.source, "source", "", "source tree to build from")
	fs.StringVar(&f.rev, "rev", "", "git revision to build from")
	fs.StringArrayVar(&f.policy, "policy", nil, "policy `FILE` for the builds whose module loads one, or BUILD=FILE for one of them; may be repeated")
	fs.StringArrayVar(&f.label, "label", nil, "security `CONTEXT` to create domUs with, or BUILD=CONTEXT for those of one build; may be repeated (default: the policy's usual one)")
	fs.StringVar(&f.unknown, "unknown", "", "what becomes of permissions that the policy does not have: reject (the policy), deny or allow (default: reject)")
	fs.StringArrayVar(&f.options, "xen-option", nil, "`OPTION` NAME=VALUE for the hypervisors' own command line, such as flask=permissive, or BUILD=NAME=VALUE for that of one build; may be repeated")
	f.packages.register(fs)
	storeURLFlag(fs)
	fs.BoolVar(&f.clean, "clean-build", false, "build from scratch instead of reusing objects of an earlier build")
	fs.StringArrayVar(&f.kconfig, "kconfig", nil, "file of Kconfig settings, for builds that use Kconfig; may be repeated, and later files win")
}

// inputs are what the flags ask to build.
func (f *buildFlags) inputs() (experiment.Inputs, error) {
	in := experiment.Inputs{
		Target: f.target, Arches: f.arches, Source: f.source, Rev: f.rev, Unknown: f.unknown, Tags: f.tags, Kconfig: f.kconfig, Packages: f.packages.Packages, Clean: f.clean,
	}
	parser := builder{f.source, describeIn(f.source)}
	for _, word := range f.named() {
		b, err := parser.parse(word)
		if err != nil {
			return in, err
		}
		in.Builds = append(in.Builds, b)
	}
	var err error
	if in.Policy, err = ofBuilds("policy", f.policy, in.Builds, func(b *hv.Build) *string { return &b.Policy }); err != nil {
		return in, err
	}
	if in.Label, err = ofBuilds("label", f.label, in.Builds, func(b *hv.Build) *string { return &b.Label }); err != nil {
		return in, err
	}
	in.Options, err = options(f.options, in.Builds)
	return in, err
}

// named are the builds that were named, or those that the target usually has.
func (f *buildFlags) named() []string {
	t, err := lookupTarget(f.target)
	if err != nil || f.all == nil || f.all.Changed("builds") {
		return f.builds // another target is refused later
	}
	if u, ok := t.(hv.Usual); ok {
		return u.UsualBuilds()
	}
	return f.builds
}

// runFlags say what to measure.
type runFlags struct {
	buildFlags
	compareFlags
	shardFlags
	budget         time.Duration
	maxRounds      int
	aa             bool
	domains        []string
	bench, suite   string
	rounds         int
	layouts        int
	enough         int64
	repetitions    int
	quick          bool
	witness        bool
	workload       string
	accel          string
	domUs          []string
	idle, cpus     int
	timeout        time.Duration
	output, resume string
	replace        bool
	beside         bool
}

func (f *runFlags) register(fs *pflag.FlagSet) {
	f.buildFlags.register(fs)
	f.compareFlags.register(fs, "default: ")
	f.shardFlags.register(fs)
	fs.BoolVar(&f.aa, "aa", true, "measure controls: the base again under another name, in alternate rounds as the same image and relinked")
	fs.StringSliceVar(&f.domains, "domains", []string{"dom0", "domU"}, "domains to measure from (with --target linux: host)")
	fs.StringVar(&f.bench, "bench", "", "regular expression over the benchmarks' names, those of every suite if --suite is not given (default: the suite)")
	fs.StringVar(&f.suite, "suite", "", "suite of benchmarks to choose from: "+strings.Join(bench.Suites(), ", ")+` (default: all of them with --bench, or else default)`)
	fs.IntVar(&f.rounds, "rounds", experiment.DefaultRounds, "number of rounds; each round boots every build once (a target that counts has its own default)")
	fs.DurationVar(&f.budget, "budget", 0, "time to measure for, such as 10m, instead of --rounds; the run ends earlier if every row is decided")
	fs.IntVar(&f.maxRounds, "max-rounds", experiment.DefaultMostRounds, "maximum number of rounds of a run with a budget")
	fs.IntVar(&f.layouts, "layouts", 0, "layouts of each build; rounds cycle through them (default: one per round, if the target relinks)")
	fs.Int64Var(&f.enough, "enough", experiment.DefaultEnoughUS, "minimum length of a timed window in µs; 0 derives it from the clock, as lmbench does")
	fs.IntVar(&f.repetitions, "repetitions", 0, "windows per sample (default: 11, as in lmbench; a target that counts has its own default)")
	fs.BoolVar(&f.quick, "quick", false, "get a rough answer quickly: 3 rounds, short windows, shorter macro benchmarks")
	fs.BoolVar(&f.witness, "witness", false, "if the target counts, also report the hypervisor's own counters (FLASK's AVC, performance counters)")
	fs.StringVar(&f.workload, "workload", workloads.Default, "what the domain, or its neighbour, does besides the benchmark: "+strings.Join(workloads.Names(), ", "))
	fs.StringVar(&f.accel, "accel", "", "accelerator (default: the target's first)")
	fs.StringSliceVar(&f.domUs, "domu-kind", nil, "kinds of domU, such as pv, pvh or hvm, comma-separated; several are measured side by side (default: the target's first)")
	fs.IntVar(&f.idle, "idle-domus", 0, "number of idle domUs beside the measured one")
	fs.IntVar(&f.cpus, "cpus", 0, "physical processors of a machine; with 2, dom0 has one and the domU the other (default: the target's)")
	alias(fs, "domu", "domu-kind")
	alias(fs, "domus", "idle-domus")
	alias(fs, "domain", "domains")
	fs.DurationVar(&f.timeout, "timeout", 0, "time limit of a boot (default: the target's)")
	fs.StringVarP(&f.output, "output", "o", "", "run directory to create (default: runs/DATE-TIME)")
	fs.BoolVar(&f.replace, "replace", false, "replace the run in the run directory, unless another process is writing it")
	fs.BoolVar(&f.beside, "beside", false, "measure times even if another timed run is in progress on this machine")
	fs.StringVar(&f.resume, "resume", "", "run directory to complete; add rounds with --rounds, or time with --budget")
}

// question is what the flags ask.
func (f *runFlags) question(fs *pflag.FlagSet) (experiment.Question, error) {
	inputs, err := f.inputs()
	if err != nil {
		return experiment.Question{}, err
	}
	criteria, err := f.criteria()
	if err != nil {
		return experiment.Question{}, err
	}
	if t, err := lookupTarget(f.target); err == nil { // another is refused below
		if err := knownCriteria(criteria, t.Units(), benchmarkNames()); err != nil {
			return experiment.Question{}, err
		}
	}
	criteria = criteria.Or(compare.Defaults().Criteria)
	q := experiment.Question{
		Inputs: inputs, Base: f.base, Controls: f.controls(fs), Domains: f.measured(fs), Benchmarks: f.bench, Suite: f.suite, Workload: f.workload,
		Rounds: given(fs, "rounds", f.rounds), Layouts: f.layouts,
		EnoughUS: given(fs, "enough", f.enough), Repetitions: f.repetitions, Quick: f.quick, Witness: f.witness,
		Accel: f.accel, DomUs: f.domUs, Idle: f.idle, CPUs: f.cpus, Timeout: f.timeout,
		Criteria: &criteria, Output: f.output, Replace: f.replace, Beside: f.beside, Tool: version(), Command: commandLine(),
	}
	if q.Shard, err = f.share(os.Getenv); err != nil {
		return q, err
	}
	switch {
	case fs.Changed("budget"):
		q.Budget = &experiment.Budget{Time: f.budget, MostRounds: f.maxRounds}
	case fs.Changed("max-rounds"):
		return q, errors.New("--max-rounds: needs --budget; without a budget use --rounds")
	}
	return q, nil
}

// measured are the domains that were named, nil if the target is to decide.
func (f *runFlags) measured(fs *pflag.FlagSet) []string {
	t, err := lookupTarget(f.target)
	if err != nil || fs.Changed("domains") || fs.Changed("domain") {
		return f.domains
	}
	if _, ok := t.(hv.Usual); ok {
		return nil
	}
	return f.domains
}

// commandLine is how this program was called, as it may be written down.
func commandLine() []string { return append([]string{"xsmbench"}, withoutCredentials(os.Args[1:])...) }

// given is a flag's value, nil if the flag was not given.
func given[T any](fs *pflag.FlagSet, flag string, value T) *T {
	if !fs.Changed(flag) {
		return nil
	}
	return &value
}

// controls are left to the run unless somebody asked.
func (f *runFlags) controls(fs *pflag.FlagSet) experiment.Controls {
	switch {
	case !f.aa:
		return experiment.WithoutControls
	case fs.Changed("aa"):
		return experiment.WithControls
	}
	return experiment.ControlsIfCompared
}

// ofResumed are the flags that may stand beside --resume.
var ofResumed = []string{"resume", "rounds", "budget", "timeout", "beside", storeURL, "base", "margin", "margins", "floors", "confidence"}

// continuation is what the flags ask of a run that exists.
func (f *runFlags) continuation(fs *pflag.FlagSet) (experiment.Continuation, error) {
	var extra []string
	fs.Visit(func(flag *pflag.Flag) {
		if !slices.Contains(ofResumed, flag.Name) {
			extra = append(extra, "--"+flag.Name)
		}
	})
	if extra != nil {
		return experiment.Continuation{}, fmt.Errorf("%s: cannot be changed when a run is resumed", strings.Join(extra, ", "))
	}
	return experiment.Continuation{
		Path: f.resume, Rounds: given(fs, "rounds", f.rounds), Time: given(fs, "budget", f.budget), Timeout: f.timeout, Beside: f.beside,
	}, nil
}

// flagOf are the flags that set the fields of an experiment.
var flagOf = map[experiment.Field]string{
	experiment.FieldTarget:      "target",
	experiment.FieldArch:        "arch",
	experiment.FieldBuilds:      "builds",
	experiment.FieldSource:      "source",
	experiment.FieldPolicy:      "policy",
	experiment.FieldLabel:       "label",
	experiment.FieldUnknown:     "unknown",
	experiment.FieldOptions:     "xen-option",
	experiment.FieldKconfig:     "kconfig",
	experiment.FieldRelease:     "source-release",
	experiment.FieldGuests:      "guests",
	experiment.FieldArchive:     "archive",
	experiment.FieldToolstack:   "toolstack",
	experiment.FieldBase:        "base",
	experiment.FieldDomains:     "domains",
	experiment.FieldBenchmarks:  "bench",
	experiment.FieldRounds:      "rounds",
	experiment.FieldTime:        "budget",
	experiment.FieldMostRounds:  "max-rounds",
	experiment.FieldLayouts:     "layouts",
	experiment.FieldEnoughUS:    "enough",
	experiment.FieldRepetitions: "repetitions",
	experiment.FieldWitness:     "witness",
	experiment.FieldAccel:       "accel",
	experiment.FieldDomU:        "domu-kind",
	experiment.FieldIdle:        "idle-domus",
	experiment.FieldCPUs:        "cpus",
	experiment.FieldWorkload:    "workload",
	experiment.FieldTimeout:     "timeout",
	experiment.FieldShard:       "shard",
	experiment.FieldCosts:       "costs",
}

// inFlags says an error of an experiment in the words of the command line.
func inFlags(err error) error {
	var field *experiment.FieldError
	var unknown *experiment.UnknownError
	var holds *experiment.HoldsRunError
	var plain, text string
	switch {
	case errors.As(err, &field):
		plain = field.Error()
		text = field.With(func(f experiment.Field) string { return "--" + flagOf[f] })
		if field.Known != nil {
			text += suggest(field.Value, field.Known)
		}
	case errors.As(err, &unknown):
		plain, text = unknown.Error(), unknown.Plain()+suggest(unknown.Word, unknown.Known)
	case errors.As(err, &holds):
		plain = holds.Error()
		text = fmt.Sprintf("%s: complete it with --resume %s, replace it with --replace, or name another directory with -o", plain, holds.Path)
	default:
		return err
	}
	return &wordedError{strings.Replace(err.Error(), plain, text, 1), err}
}

// wordedError is an error in other words.
type wordedError struct {
	text string
	err  error
}

func (e *wordedError) Error() string { return e.text }
func (e *wordedError) Unwrap() error { return e.err }

func lookupTarget(name string) (hv.Target, error) {
	t, err := experiment.FindTarget(name)
	return t, inFlags(err)
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
