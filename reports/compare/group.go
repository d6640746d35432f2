package compare

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"xsmbench/results"
)

// series is one benchmark in one unit and environment, by build.
type series struct {
	Environment
	benchmark, unit string
	builds          map[string]*sampled
}

// sampled is what one build gave.
type sampled struct {
	boots    []boot
	warnings []string
}

// boot is the sample: one boot's value.
type boot struct {
	round // the zero round pairs with nothing
	value float64
	image string
	n     int // lines that value is the mean of
	// order is the place in the round, from 1; 0 if it is not known.
	order, layout int
	windows       []float64 // in value's unit; nil if value is no median of theirs
}

// round identifies a round across runs.
type round struct {
	run   string
	round int
}

type grouped struct {
	builds []string
	series []*series
	lines  []string
}

// group sorts samples into series, in the order of the benchmarks' first
// appearance in a domain, the domains by name.
func group(samples []results.Sample) *grouped {
	g := &grouped{}
	type key struct {
		Environment
		benchmark, unit string
	}
	found := map[key]*series{}
	var order []string
	for _, s := range samples {
		if !slices.Contains(g.builds, s.Build) {
			g.builds = append(g.builds, s.Build)
		}
		if !slices.Contains(order, s.Benchmark) {
			order = append(order, s.Benchmark)
		}
		for i, v := range s.Values {
			k := key{environment(s), s.Benchmark, v.Unit}
			if found[k] == nil {
				found[k] = &series{k.Environment, k.benchmark, k.unit, map[string]*sampled{}}
				g.series = append(g.series, found[k])
			}
			var windows []float64
			if i == 0 {
				windows = s.Windows
			}
			found[k].add(s, v.Value, windows)
			g.lines = append(g.lines, fmt.Sprintf("%s %s %s %d %d %x", k, s.Build, s.Image, s.Round, s.Boot.Boot, math.Float64bits(v.Value)))
		}
	}
	for _, s := range g.series {
		for _, b := range s.builds {
			slices.SortStableFunc(b.boots, func(a, b boot) int {
				return cmp.Or(strings.Compare(a.run, b.run), a.round.round-b.round.round)
			})
		}
	}
	rank := map[string]int{}
	for i, b := range order {
		rank[b] = i
	}
	slices.SortStableFunc(g.series, func(a, b *series) int {
		if c := strings.Compare(a.Environment.String(), b.Environment.String()); c != 0 {
			return c
		}
		if c := unitRank(a.unit) - unitRank(b.unit); c != 0 {
			return c
		}
		if c := strings.Compare(a.unit, b.unit); c != 0 {
			return c
		}
		return rank[a.benchmark] - rank[b.benchmark]
	})
	slices.SortStableFunc(g.builds, func(a, b string) int { return buildRank(a) - buildRank(b) })
	return g
}

func environment(s results.Sample) Environment {
	return Environment{Target: s.Target, Arch: s.Arch, Accel: s.Accel, Workload: s.Workload, Domain: s.Domain, DomU: s.DomU, Idle: s.Idle}
}

// buildRank puts the builds that everyone has in the order of their cost.
func buildRank(build string) int {
	if i := slices.Index([]string{"native", "dummy", "flask", "silo"}, build); i >= 0 {
		return i
	}
	return 4
}

func (s *series) add(r results.Sample, value float64, windows []float64) {
	b := s.builds[r.Build]
	if b == nil {
		b = &sampled{}
		s.builds[r.Build] = b
	}
	for _, w := range r.Warnings {
		if !slices.Contains(b.warnings, w) {
			b.warnings = append(b.warnings, w)
		}
	}
	in := round{}
	if r.Round > 0 {
		in = round{r.Run, r.Round}
		for i := range b.boots {
			if old := &b.boots[i]; old.round == in {
				// A boot that measured the benchmark twice is one sample.
				old.value += (value - old.value) / float64(old.n+1)
				old.n++
				old.windows = nil
				return
			}
		}
	}
	b.boots = append(b.boots, boot{in, value, r.Image, 1, r.Order, r.Layout, windows})
}

// check finds the base among the builds.
func (g *grouped) check(base string) error {
	if len(g.builds) == 0 {
		return fmt.Errorf("there is no sample")
	}
	if !slices.Contains(g.builds, base) {
		return fmt.Errorf("no build %q to compare with: the samples have %s", base, strings.Join(g.builds, ", "))
	}
	if len(g.builds) == 1 {
		return fmt.Errorf("the samples have only the build %q: there is nothing to compare it with", base)
	}
	return nil
}

// seed is a hash of the data, so that what is drawn at random depends on
// nothing else: not on the order of files, nor on where they are.
func (g *grouped) seed() uint64 {
	slices.Sort(g.lines)
	sum := sha256.Sum256([]byte(strings.Join(g.lines, "\n")))
	return binary.LittleEndian.Uint64(sum[:])
}

// values are a build's samples in the order of the boots.
func (b *sampled) values() []float64 {
	v := make([]float64, len(b.boots))
	for i, boot := range b.boots {
		v[i] = boot.value
	}
	return v
}

// sameImages reports whether two builds measured the same images, known by
// their hashes: in every round that both have, or the same set if there is no
// such round.
func sameImages(a, b *sampled) bool {
	shared := false
	for _, p := range a.boots {
		for _, q := range b.boots {
			if p.round == q.round && p.round != (round{}) {
				shared = true
				if p.image == "" || p.image != q.image {
					return false
				}
			}
		}
	}
	x := a.images()
	return shared || len(x) > 0 && slices.Equal(x, b.images())
}

func (b *sampled) images() []string {
	var hashes []string
	for _, boot := range b.boots {
		if boot.image != "" && !slices.Contains(hashes, boot.image) {
			hashes = append(hashes, boot.image)
		}
	}
	slices.Sort(hashes)
	return hashes
}

func sortedBuilds(s *series) []string {
	var names []string
	for name := range s.builds {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if c := buildRank(a) - buildRank(b); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	return names
}
