package compare

// Figure is the centre of a value that describes a benchmark in a build.
type Figure struct {
	Environment
	Benchmark, Unit, Build string
	Value                  float64
	N                      int
}

func figures(s *series, base string) []Figure {
	var all []Figure
	add := func(build string) {
		if b := s.builds[build]; b != nil {
			v := b.values()
			all = append(all, Figure{s.Environment, s.benchmark, s.unit, build, centre(v, true), len(v)})
		}
	}
	add(base)
	for _, build := range sortedBuilds(s) {
		if build != base {
			add(build)
		}
	}
	return all
}
