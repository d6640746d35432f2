package hooks

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"

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
// are of one window; and what each build has over the base,
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
	for _, p := range placesOf(r) {
		at := "-" + p.arch + "-" + p.domain
		base := Encode(r, p.arch, p.domain, o.Base)
		for _, build := range r.Builds {
			own := Encode(r, p.arch, p.domain, build)
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

// Encode makes a build's profile in a domain.
func Encode(r *profile.Run, arch, domain, build string) *pprof.Profile {
	var list []results.Profile
	for _, b := range r.Benchmarks {
		c := b.Costs[build]
		if b.Arch != arch || b.Domain != domain || c == nil {
			continue
		}
		p := results.Profile{Build: build, Domain: domain, Benchmark: b.Name, Profile: bench.Profile{Windows: 1, Ops: c.Ops}}
		for _, x := range c.Paths {
			p.Paths = append(p.Paths, bench.Path{
				Handler: x.Handler, Hook: x.Hook, Function: x.Function, Part: x.Part,
				Calls: whole(x.Calls, c.Ops), Instructions: whole(x.Instructions, c.Ops),
			})
		}
		list = append(list, p)
	}
	return results.EncodeProfiles(list)
}

// whole is a window's count.
func whole(perOp float64, ops int64) int64 { return int64(math.Round(perOp * float64(ops))) }

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
