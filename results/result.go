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
	if idle := p.config.Idle; idle < 0 {
		p.problem(p.line, "%s: idle: %s is no number of domUs", r.Name, quote([]byte(r.GetConfig("idle"))))
		return
	}
	s := &p.sample
	values, warnings := s.Values[:0], s.Warnings[:0]
	*s = p.config
	s.Values, s.Warnings, p.windows.text = appendValues(values, r), warnings, p.windows.text[:0]
	s.Benchmark, s.Iterations, s.Line = p.name(r.Name), int64(r.Iters), p.line
	if !finite(s.Values) {
		p.problem(p.line, "%s: a value is no finite number", s.Benchmark)
		return
	}
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
		b.build, b.arch, b.domain = s.Build, s.Arch, s.Domain
		b.samples++
		s.Boot, s.Ended = b.Boot, b.ended
		p.pending = true
	}
}

// configure takes the configuration that holds from here on. Idle is negative
// if it is damaged.
func (p *parser) configure(r *benchfmt.Result) {
	p.changed = false
	p.config = Sample{
		Target: r.GetConfig("target"), Arch: r.GetConfig("arch"), Build: r.GetConfig("build"),
		Domain: r.GetConfig("domain"), Accel: r.GetConfig("accel"), Workload: r.GetConfig("workload"),
		DomU: r.GetConfig("domu"), Run: p.file.run, File: p.file.path,
	}
	if p.config.Build == "" {
		p.config.Build = buildOf(p.file.path)
	}
	if idle := r.GetConfig("idle"); idle != "" {
		n, err := strconv.Atoi(idle)
		if err != nil {
			n = -1
		}
		p.config.Idle = n
	}
}

// name keeps one copy of each benchmark's name.
func (p *parser) name(n benchfmt.Name) string {
	if s, ok := p.names[string(n)]; ok {
		return s
	}
	s := string(n)
	p.names[s] = s
	return s
}

// flush gives the sample that waited for its windows and warnings.
func (p *parser) flush() {
	if p.pending && !p.surveying() && (!p.ours || p.current.chosen) {
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
