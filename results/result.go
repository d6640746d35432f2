package results

import (
	"math"
	"slices"
	"strconv"

	"golang.org/x/perf/benchfmt"

	"xsmbench/bench"
)

// result takes a line that benchfmt has parsed.
func (p *parser) result(r *benchfmt.Result) {
	p.flush()
	if p.changed {
		p.configure(r)
	}
	if p.sample.Idle < 0 {
		p.problem(p.line, "%s: idle: %s is not a number of domUs", r.Name, quote([]byte(r.GetConfig("idle"))))
		return
	}
	p.begin(r.Name, int64(r.Iters))
	s := &p.sample
	s.Values = appendValues(s.Values, r)
	if !finite(s.Values) {
		p.problem(p.line, "%s: a value is not a finite number", s.Benchmark)
		return
	}
	p.take()
}

// begin begins a sample with the configuration that is in force.
func (p *parser) begin(name []byte, iterations int64) {
	s := &p.sample
	s.Boot, s.Benchmark, s.Iterations, s.Line = Boot{}, p.word(name), iterations, p.line
	s.Values, s.Warnings, p.windows.text = s.Values[:0], s.Warnings[:0], p.windows.text[:0]
}

// take adds the sample to its boot. It waits for its windows and warnings.
func (p *parser) take() {
	s := &p.sample
	switch b := p.current; {
	case !p.ours:
		p.plain++
		s.Ended, s.Boot.Boot = true, p.plain
		p.pending = true
	case b == nil:
		if p.orphans == 0 {
			p.orphanLine = p.line
		}
		p.orphans++
	default:
		b.samples++
		b.build, b.arch, b.domain, b.domU = s.Build, s.Arch, s.Domain, s.DomU
		s.Boot, s.Ended = b.Boot, b.ended || p.first()
		p.pending = true
	}
}

// configure takes the configuration that holds from here on. Idle is negative
// if it is damaged.
func (p *parser) configure(r *benchfmt.Result) {
	p.changed = false
	values, warnings := p.sample.Values, p.sample.Warnings
	p.sample = Sample{
		Target: r.GetConfig("target"), Arch: r.GetConfig("arch"), Build: r.GetConfig("build"),
		Domain: r.GetConfig("domain"), Accel: r.GetConfig("accel"), Workload: r.GetConfig("workload"),
		DomU: r.GetConfig("domu"), Run: p.file.run, File: p.file.path,
		Platform: Platform{Pkg: r.GetConfig("pkg"), GOOS: r.GetConfig("goos"), GOARCH: r.GetConfig("goarch"), CPU: r.GetConfig("cpu")},
		Values:   values, Warnings: warnings,
	}
	s := &p.sample
	p.file.addSpot(spot{s.Build, s.Arch, s.Domain, s.DomU, s.Platform})
	switch {
	case p.file.label != "":
		s.Build = p.file.label
	case s.Build == "":
		s.Build = p.file.name
	}
	if idle := r.GetConfig("idle"); idle != "" {
		n, err := strconv.Atoi(idle)
		if err != nil {
			n = -1
		}
		s.Idle = n
	}
}

// word keeps one copy of each name.
func (p *parser) word(n []byte) string {
	if s, ok := p.words[string(n)]; ok {
		return s
	}
	s := string(n)
	p.words[s] = s
	return s
}

// flush gives the sample that waited for its windows and warnings.
func (p *parser) flush() {
	if p.pending && (!p.ours || p.first() || p.current.chosen) {
		if p.file.count++; p.file.count == 1 {
			p.file.build = p.sample.Build
		}
		p.give(&p.sample, p.parse)
	}
	p.pending = false
}

// appendValues gives the figures in the units in which they were written.
func appendValues(vs []bench.Value, r *benchfmt.Result) []bench.Value {
	for _, v := range r.Values {
		if v.OrigUnit != "" {
			vs = append(vs, bench.Value{Value: v.OrigValue, Unit: v.OrigUnit})
		} else {
			vs = append(vs, bench.Value{Value: v.Value, Unit: v.Unit})
		}
	}
	return vs
}

func finite(vs []bench.Value) bool {
	return !slices.ContainsFunc(vs, func(v bench.Value) bool { return math.IsNaN(v.Value) || math.IsInf(v.Value, 0) })
}
