package results

import (
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/bench"
)

// Place is where a run was to have samples: a benchmark in a domain of a build, with
// domUs of a kind as samples name it. Which units they come in is the target's to say.
type Place struct{ Build, Arch, DomU, Domain, Benchmark string }

// Places are all that a run was to measure, in the order of its builds, kinds of domUs,
// domains and benchmarks.
func (s *Spec) Places() []Place {
	var all []Place
	for _, b := range s.Builds {
		for _, domU := range s.SampleDomUs() {
			for _, domain := range s.Domains {
				for _, name := range s.Benchmarks {
					if s.Measures(domain, name) {
						all = append(all, Place{b.Name, b.Arch, domU, domain, name})
					}
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

// fileName is that of the samples of a build and domain. Of the kinds of domUs only
// those that stand beside the first are named.
func fileName(build, arch, domain, beside string) string {
	if arch != "" {
		build += "-" + arch
	}
	return join(build, domain, beside) + ".txt"
}

// join joins the parts of a file's name that there are.
func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "-")
}

// apart is how names of files tell a kind of domUs from the run's first, "" for that.
func (s *Spec) apart(domU string) string {
	if slices.Contains(s.MoreDomUs, domU) {
		return domU
	}
	return ""
}

// Reason is why a place of the run has no sample, as the run itself wrote it down; "" if
// it did not.
func (s *Spec) Reason(p Place, problems []Problem) string {
	file := fileName(p.Build, p.Arch, p.Domain, s.apart(p.DomU))
	i := slices.IndexFunc(problems, func(n Problem) bool {
		return n.Benchmark == p.Benchmark && n.Note && filepath.Base(n.File) == file
	})
	if i < 0 {
		return ""
	}
	return problems[i].Reason
}
