package hooks

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	pprof "github.com/google/pprof/profile"
	"github.com/google/renameio/v2"

	"xsmbench/bench"
	"xsmbench/reports/profile"
	"xsmbench/results"
)

// baseLabel marks the samples of a difference's base, as "go tool pprof
// -diff_base" marks them: percentages are then of the base.
const baseLabel = "pprof::base"

// Pprof writes pprof profiles into a directory and returns their paths: of
// each build, architecture and domain, BUILD-ARCH-DOMAIN.pb.gz, whose values
// are of one operation of each benchmark; and what each build has over the base,
// BUILD-BASE-ARCH-DOMAIN.pb.gz.
func Pprof(dir string, r *profile.Run, o Options) ([]string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("write pprof profiles: %w", err)
	}
	var paths []string
	write := func(name string, p *pprof.Profile) error {
		path := filepath.Join(dir, name+".pb.gz")
		var b bytes.Buffer
		if err := p.Write(&b); err != nil {
			return fmt.Errorf("write pprof profile %s: %w", path, err)
		}
		paths = append(paths, path)
		return renameio.WriteFile(path, b.Bytes(), 0o666)
	}
	for _, p := range r.Places() {
		at := "-" + strings.ReplaceAll(strings.ReplaceAll(p.String(), "domu=", ""), " ", "-")
		base := Encode(r, p, o.Base)
		for _, build := range r.Builds {
			own := Encode(r, p, build)
			if len(own.Sample) == 0 {
				continue
			}
			if err := write(build+at, own); err != nil {
				return paths, err
			}
			if build == o.Base || len(base.Sample) == 0 {
				continue
			}
			d, err := Diff(base, own)
			if err != nil {
				return paths, err
			}
			if err := write(build+"-"+o.Base+at, d); err != nil {
				return paths, err
			}
		}
	}
	return paths, nil
}

// The values of a sample. An operation that does something in one of many calls
// only shows that in the values of a thousand operations.
const (
	callsValue = iota
	instructionsValue
	callsOfThousand
	instructionsOfThousand
	values
)

// valueTypes name them for pprof (-sample_index).
func valueTypes() []*pprof.ValueType {
	types := make([]*pprof.ValueType, values)
	types[callsValue] = &pprof.ValueType{Type: "calls", Unit: "count"}
	types[instructionsValue] = &pprof.ValueType{Type: "instructions", Unit: "count"}
	types[callsOfThousand] = &pprof.ValueType{Type: "calls_1000", Unit: "count"}
	types[instructionsOfThousand] = &pprof.ValueType{Type: "instructions_1000", Unit: "count"}
	return types
}

// Encode makes a build's profile in a domain. Each benchmark weighs what one
// operation executes, however many a window of it had.
func Encode(r *profile.Run, at profile.Where, build string) *pprof.Profile {
	var list []results.Profile
	var exact []profile.Path // of the samples, in their order
	for _, b := range r.Benchmarks {
		c := b.Costs[build]
		if b.Where != at || c == nil {
			continue
		}
		p := results.Profile{Build: build, Domain: at.Domain, Benchmark: b.Name, Profile: bench.Profile{Windows: 1, Ops: 1}}
		calls, instructions := wholes(c.Paths)
		for i, x := range c.Paths {
			p.Paths = append(p.Paths, bench.Path{
				Handler: x.Handler, Hook: x.Hook, Function: x.Function, Part: x.Part, Calls: calls[i], Instructions: instructions[i],
			})
			exact = append(exact, x)
		}
		list = append(list, p)
	}
	p := results.EncodeProfiles(list)
	p.SampleType = valueTypes()
	for i, s := range p.Sample {
		s.Value = append(s.Value, int64(math.Round(1000*exact[i].Calls)), int64(math.Round(1000*exact[i].Instructions)))
		s.NumLabel = nil // windows and operations: all are of one
	}
	p.Comments = []string{fmt.Sprintf("Values are of one operation of each benchmark, in build %s, %s; those named _1000 of a thousand operations.", build, at)}
	return p
}

// wholes are the calls and instructions of paths, in whole numbers. They add up
// to what all paths together have: what is lost where one is rounded down is
// found where it matters most.
func wholes(paths []profile.Path) (calls, instructions []int64) {
	c, n := make([]float64, len(paths)), make([]float64, len(paths))
	for i, x := range paths {
		c[i], n[i] = x.Calls, x.Instructions
	}
	return apportion(c), apportion(n)
}

// apportion rounds figures so that their sum is the rounded sum: down, and those
// with the largest rest up.
func apportion(figures []float64) []int64 {
	whole, order := make([]int64, len(figures)), make([]int, len(figures))
	sum, floors := 0., int64(0)
	for i, f := range figures {
		whole[i], order[i] = int64(math.Floor(f)), i
		sum += f
		floors += whole[i]
	}
	rest := func(i int) float64 { return figures[i] - math.Floor(figures[i]) }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rest(b), rest(a)) })
	for _, i := range order[:min(len(order), max(0, int(int64(math.Round(sum))-floors)))] {
		whole[i]++
	}
	return whole
}

// Diff is what own has over base, in the form that "go tool pprof -diff_base"
// makes of two profiles.
func Diff(base, own *pprof.Profile) (*pprof.Profile, error) {
	minus := base.Copy()
	minus.Scale(-1)
	minus.SetLabel(baseLabel, []string{"true"})
	d, err := pprof.Merge([]*pprof.Profile{own, minus})
	if err != nil {
		return nil, fmt.Errorf("subtract profiles: %w", err)
	}
	d.DefaultSampleType = own.DefaultSampleType
	return d, nil
}
