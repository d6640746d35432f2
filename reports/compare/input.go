package compare

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
)

// Input is what a comparison is made from: the samples of run directories or
// of files, and what is known of the runs that they are of.
type Input struct {
	Run      *results.Run // nil unless the input is one run directory
	Dir      string       // that directory
	Samples  *Set
	Problems []results.Problem // lines of no use, and files without a sample
	Plans    []Plan            // of the run directories

	files    bool              // nothing but files, no directory
	first    string            // the build of the first of them
	units    results.Units     // what the files say of their units
	planned  *results.Criteria // of the runs, nil unless they agree
	looks    int               // the most that a run planned
	controls map[string]string // builds that are others under a second name
	domU     string            // kind of the domUs of samples that name none
}

// ReadInput reads run directories, and files in Go's benchmark format.
func ReadInput(paths ...string) (*Input, error) { return ReadSources(results.Sources(paths...)) }

// ReadSources reads run directories, and files in Go's benchmark format. A file
// without a sample is among the problems, with the reason.
func ReadSources(sources []results.Source) (*Input, error) {
	in := &Input{Samples: &Set{}, files: true}
	found, err := results.WalkSources(sources, in.Samples.Takers)
	if err != nil {
		return nil, err
	}
	in.Problems, in.units = found.Problems, found.Units
	var without, untold []results.Problem
	for _, f := range found.Files {
		if f.Samples == 0 {
			p := results.Problem{File: f.Path, Text: "no sample in it: " + f.Reason, Note: f.Expected}
			without = append(without, p)
			if !f.Told {
				untold = append(untold, p)
			}
		}
		if in.first == "" {
			in.first = f.Build
		}
	}
	var paths []string
	for _, s := range sources {
		paths = append(paths, s.Path)
		in.files = in.files && (s.In != nil || !isDir(s.Path))
	}
	if in.Samples.Len() == 0 {
		return nil, in.nothing(without)
	}
	in.Problems = append(untold, in.Problems...)
	return in, in.readRuns(paths)
}

// nothing is why there is no sample in anything.
func (in *Input) nothing(without []results.Problem) error {
	if err := in.Malformed(); err != nil {
		return err
	}
	var reasons []string
	for _, p := range without {
		reasons = append(reasons, p.String())
	}
	return fmt.Errorf("read results: %s", strings.Join(reasons, "; "))
}

// Files reports whether the input is files, and no run directory. The first of
// them is then the base, and they stand in the order in which they were named.
func (in *Input) Files() bool { return in.files }

// readRuns reads what is known of the runs that the samples are of.
func (in *Input) readRuns(paths []string) error {
	agreed := true
	for i, path := range paths {
		run, err := results.ReadRun(path)
		var damage *results.DamageError
		switch {
		case isDir(path) && errors.As(err, &damage):
			in.Problems = append(in.Problems, damage.Problem)
			agreed = false
		case err == nil:
			in.Run, in.Dir = &run, path
			in.Plans = append(in.Plans, Plan{filepath.Clean(path), run.Spec})
			in.looks = max(in.looks, run.Spec.PlannedLooks())
			in.addControls(run.Spec)
			if !run.Spec.OtherDomU {
				in.domU = run.Spec.DomU
			}
			agreed = agreed && (i == 0 || same(in.planned, run.Spec.Criteria))
			in.planned = run.Spec.Criteria
		case !errors.Is(err, os.ErrNotExist) && isDir(path):
			return err
		default:
			agreed = agreed && (i == 0 || in.planned == nil)
		}
	}
	if len(paths) > 1 {
		in.Run = nil
	}
	if !agreed {
		in.planned = nil
	}
	return nil
}

func (in *Input) addControls(s results.Spec) {
	for _, b := range s.Controls() {
		if in.controls == nil {
			in.controls = map[string]string{}
		}
		in.controls[b.Name] = b.ControlOf
	}
}

func same(a, b *results.Criteria) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Compare compares with the base of the options, else with the first build of
// the run. Criteria that the options leave out are the run's.
func (in *Input) Compare(o Options) (*Comparison, error) {
	return in.Samples.Compare(in.options(o))
}

// Against compares with an earlier run, by this run's criteria.
func (in *Input) Against(before *Input, o Options) (*Comparison, error) {
	o = in.options(o)
	o.Looks = max(o.Looks, before.looks)
	o.Controls = maps.Clone(o.Controls)
	if o.Controls == nil {
		o.Controls = map[string]string{}
	}
	maps.Copy(o.Controls, before.controls)
	return Against(in.Samples, before.Samples, o)
}

// options adds what the runs and the benchmarks say.
func (in *Input) options(o Options) Options {
	if o.Base == "" && in.Run != nil && len(in.Run.Spec.Builds) > 0 {
		o.Base = in.Run.Spec.Builds[0].Name
	}
	if o.Base == "" && in.files {
		o.Base = in.first
	}
	o.Units = in.units
	o.Planned, o.Looks, o.Controls, o.UsualDomU = in.planned, in.looks, in.controls, in.domU
	o.Hooks = in.crossings()
	return o
}

// crossings tells the hooks that a benchmark is known to cross on every target that
// the samples are of, and whether that is known.
func (in *Input) crossings() func(name string) ([]bench.Crossing, bool) {
	var targets []hv.Target
	for _, name := range in.Samples.Targets() {
		if t, err := hv.Lookup(name); err == nil {
			targets = append(targets, t)
		}
	}
	return func(name string) (list []bench.Crossing, known bool) {
		b, ok := bench.Find(name)
		if !ok {
			return nil, false
		}
		list, known = b.Hooks, true
		for _, t := range targets {
			if list, known = hv.CrossingsOn(t, b); !known {
				return nil, false
			}
		}
		return list, known
	}
}

// Malformed is an error if lines of the input were of no use; those that say
// what could not be measured, or that an interruption explains, are none.
func (in *Input) Malformed() error { return results.Malformed(in.Problems) }
