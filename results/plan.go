package results

import (
	"path/filepath"
	"slices"

	"xsmbench/bench"
)

// Place is where a run was to have samples: a benchmark in a domain of a build.
// Which units they come in is the target's to say.
type Place struct{ Build, Arch, Domain, Benchmark string }

// Places are all that a run was to measure, in the order of its builds, domains
// and benchmarks.
func (s *Spec) Places() []Place {
	var all []Place
	for _, b := range s.Builds {
		for _, domain := range s.Domains {
			for _, name := range s.Benchmarks {
				if s.Measures(domain, name) {
					all = append(all, Place{b.Name, b.Arch, domain, name})
				}
			}
		}
	}
	return all
}

// Measures reports whether a domain is to measure one of the run's benchmarks:
// what only the control domain may do is dom0's alone, and so with a domU. Runs of before that was
// written down are taken at the word of this program's benchmarks.
func (s *Spec) Measures(domain, benchmark string) bool {
	only := s.Dom0Only
	if domain == "dom0" {
		only = s.DomUOnly
	}
	b, known := bench.Find(benchmark)
	return !slices.Contains(only, benchmark) && (!known || b.RunsIn(domain))
}

// twice finds a name that two builds of one architecture have.
func (s *Spec) twice() (name string, found bool) {
	type key struct{ name, arch string }
	seen := map[key]bool{}
	for _, b := range s.Builds {
		k := key{b.Name, b.Arch}
		if seen[k] {
			return b.Name, true
		}
		seen[k] = true
	}
	return "", false
}

// fileName is that of the samples of a build and domain.
func fileName(build, arch, domain string) string {
	if arch != "" {
		build += "-" + arch
	}
	return build + "-" + domain + ".txt"
}

// Reason is why a place has no sample, as the run itself wrote it down; "" if it
// did not.
func (p Place) Reason(problems []Problem) string {
	file := fileName(p.Build, p.Arch, p.Domain)
	i := slices.IndexFunc(problems, func(n Problem) bool {
		return n.Benchmark == p.Benchmark && n.Note && filepath.Base(n.File) == file
	})
	if i < 0 {
		return ""
	}
	return problems[i].Reason
}
