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

	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/workloads"
)

// buildFlags say what to build.
type buildFlags struct {
	target, arch        string
	builds, tags        []string
	source, rev, policy string
	kconfig             []string
	clean               bool
}

func (f *buildFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.target, "target", "model", "hypervisor under test")
	fs.StringVar(&f.arch, "arch", "", "architecture to build for (default: the target's first)")
	fs.StringSliceVar(&f.builds, "builds", []string{"native", "dummy", "flask"}, "builds as NAME[=KIND][@REV] or NAME[=KIND]@DIR, comma-separated; the first is compared against")
	fs.StringSliceVar(&f.tags, "tags", nil, "further build tags for all builds")
	fs.StringVar(&f.source, "source", "", "source tree to build from")
	fs.StringVar(&f.rev, "rev", "", "git revision to build from")
	fs.StringVar(&f.policy, "policy", "", "policy file for the builds with a module that loads one")
	fs.BoolVar(&f.clean, "clean-build", false, "build from scratch, where a target would go on from an earlier build's objects")
	fs.StringArrayVar(&f.kconfig, "kconfig", nil, "file of Kconfig settings for the builds that take some; may be repeated, later files win")
}

// inputs are what the flags ask to build.
func (f *buildFlags) inputs() (experiment.Inputs, error) {
	in := experiment.Inputs{
		Target: f.target, Arch: f.arch, Source: f.source, Rev: f.rev, Policy: f.policy, Tags: f.tags, Kconfig: f.kconfig, Clean: f.clean,
	}
	for _, word := range f.builds {
		b, err := parseBuild(word)
		if err != nil {
			return in, err
		}
		in.Builds = append(in.Builds, b)
	}
	return in, nil
}

// runFlags say what to measure.
type runFlags struct {
	buildFlags
	compareFlags
	budget         time.Duration
	maxRounds      int
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
	replace        bool
	beside         bool
}

func (f *runFlags) register(fs *pflag.FlagSet) {
	f.buildFlags.register(fs)
	f.compareFlags.register(fs, "default: ")
	fs.BoolVar(&f.aa, "aa", true, "with controls: in each round, the base again under another name, in turns as the same image and linked anew")
	fs.StringSliceVar(&f.domains, "domains", []string{"dom0", "domU"}, "domains to measure from")
	fs.StringVar(&f.bench, "bench", "", "regular expression over the benchmarks' names (default: all)")
	fs.IntVar(&f.rounds, "rounds", experiment.DefaultRounds, "rounds: each boots every build once (a target that counts has a default of its own)")
	fs.DurationVar(&f.budget, "budget", 0, "instead of --rounds: time to measure for, as 10m; ends sooner when every row is decided")
	fs.IntVar(&f.maxRounds, "max-rounds", experiment.DefaultMostRounds, "most rounds of a run with a budget")
	fs.IntVar(&f.layouts, "layouts", 0, "relinks of each build, taken in turn by the rounds (default: one per round, as far as the target relinks)")
	fs.Int64Var(&f.enough, "enough", experiment.DefaultEnoughUS, "shortest timed window in µs; 0 lets the clock decide, as lmbench does")
	fs.IntVar(&f.repetitions, "repetitions", 0, "windows per sample (default: 11, as lmbench, or the target's own if it counts)")
	fs.BoolVar(&f.quick, "quick", false, "a rough answer soon: 3 rounds, short windows, shortened macro benchmarks")
	fs.BoolVar(&f.witness, "witness", false, "where a target counts: also report what the hypervisor itself counts meanwhile (FLASK's AVC, performance counters)")
	fs.StringVar(&f.workload, "workload", workloads.Default, "what else the domain does: "+strings.Join(workloads.Names(), " or "))
	fs.StringVar(&f.accel, "accel", "", "accelerator (default: the target's first)")
	fs.StringVar(&f.domU, "domu", "", "kind of the domUs, as pv or pvh (default: the target's first)")
	fs.IntVar(&f.idle, "domus", 0, "idle domUs beside the measured one")
	fs.DurationVar(&f.timeout, "timeout", 0, "time after which a boot is given up (default: the target's)")
	fs.StringVarP(&f.output, "output", "o", "", "run directory to make (default: runs/DATE-TIME)")
	fs.BoolVar(&f.replace, "replace", false, "remove the run that is in the run directory, unless another process is writing it")
	fs.BoolVar(&f.beside, "beside", false, "measure times even while another timed run goes on, on this machine")
	fs.StringVar(&f.resume, "resume", "", "run directory to complete; only --rounds may be given with it, to add rounds, or --budget, to add time")
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
	criteria = criteria.Or(compare.Defaults().Criteria)
	q := experiment.Question{
		Inputs: inputs, Base: f.base, Controls: f.controls(fs), Domains: f.domains, Benchmarks: f.bench, Workload: f.workload,
		Rounds: given(fs, "rounds", f.rounds), Layouts: f.layouts,
		EnoughUS: given(fs, "enough", f.enough), Repetitions: f.repetitions, Quick: f.quick, Witness: f.witness,
		Accel: f.accel, DomU: f.domU, Idle: f.idle, Timeout: f.timeout,
		Criteria: &criteria, Output: f.output, Replace: f.replace, Beside: f.beside, Tool: version(), Command: commandLine(),
	}
	switch {
	case fs.Changed("budget"):
		q.Budget = &experiment.Budget{Time: f.budget, MostRounds: f.maxRounds}
	case fs.Changed("max-rounds"):
		return q, errors.New("--max-rounds: is of a run with a --budget; --rounds sets how many others have")
	}
	return q, nil
}

// commandLine is how this program was called.
func commandLine() []string { return append([]string{"xsmbench"}, os.Args[1:]...) }

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
var ofResumed = []string{"resume", "rounds", "budget", "timeout", "beside", "base", "margin", "margins", "floors", "confidence"}

// continuation is what the flags ask of a run that exists.
func (f *runFlags) continuation(fs *pflag.FlagSet) (experiment.Continuation, error) {
	var extra []string
	fs.Visit(func(flag *pflag.Flag) {
		if !slices.Contains(ofResumed, flag.Name) {
			extra = append(extra, "--"+flag.Name)
		}
	})
	if extra != nil {
		return experiment.Continuation{}, fmt.Errorf("%s: a resumed run keeps what it began with", strings.Join(extra, ", "))
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
	experiment.FieldKconfig:     "kconfig",
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
	experiment.FieldDomU:        "domu",
	experiment.FieldIdle:        "domus",
	experiment.FieldTimeout:     "timeout",
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
		text = fmt.Sprintf("%s: complete it with --resume %s, or name another directory with -o", plain, holds.Path)
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
