package profile

import (
	"cmp"
	"math"
	"slices"
)

// Pair holds one benchmark's hooks on two targets against each other.
type Pair struct {
	Domain, Benchmark string
	Hooks             []Opposite // none if neither crosses a hook
}

// Opposite is a hook on one target and what stands for it on the other; one
// of them may be missing (its Name is then empty).
type Opposite struct {
	First, Second Stand
	// Why they differ; "" if they do not, or if no rule says.
	Why string
	// Same tells that both are crossed, by the same name and as often.
	Same bool
}

// Stand is a hook in an operation.
type Stand struct {
	Name  string
	Calls float64 // per operation, 0 if not known
	// Share is the part of the instructions of the hypercalls (or faults) that
	// crossed it, without the way in and out; NaN if not known.
	Share float64
}

// Against holds a build's hooks in two runs against each other. Of runs of two
// targets, that with Xen 3.2's rules (the model) is first, a modern Xen second;
// of runs of one target hooks are the same by name. Benchmarks that both runs
// have are compared.
func Against(first, second *Run, build string) []Pair {
	m := matcher{why: whyOf, count: counts}
	if first.Target == second.Target {
		m = byName(first.Code[build], second.Code[build])
	}
	var list []Pair
	for _, b := range first.Benchmarks {
		i := slices.IndexFunc(second.Benchmarks, func(o *Benchmark) bool {
			return o.Domain == b.Domain && o.Name == b.Name && (o.DomU == b.DomU || first.Target != second.Target)
		})
		if i < 0 || b.Costs[build] == nil || second.Benchmarks[i].Costs[build] == nil {
			continue
		}
		one, other := b.Costs[build], second.Benchmarks[i].Costs[build]
		list = append(list, Pair{b.Domain, b.Name, m.opposites(one.stands(), other.stands())})
	}
	return list
}

// matcher says why hooks stand against each other.
type matcher struct {
	// why is the reason for which a hook of the first run and one of another name in
	// the second, or none, stand for each other; "" if there is none.
	why func(first, second string) string
	// count are the reasons why the same hook is crossed another number of times.
	count map[string]string
}

// Reasons why a hook stands alone in one of two releases of one hypervisor.
const (
	notInSecond = "the second run's build has no hook of this name"
	notInFirst  = "the first run's build has no hook of this name"
)

// byName matches the hooks of two builds of one hypervisor by name alone.
func byName(first, second Code) matcher {
	only := OnlyOf("", first, "", second)
	return matcher{why: func(a, b string) string {
		switch {
		case b == "" && slices.Contains(only.First, a):
			return notInSecond
		case a == "" && slices.Contains(only.Second, b):
			return notInFirst
		}
		return ""
	}}
}

// stands are a cost's hooks, the most often crossed first.
func (c *Cost) stands() []Stand {
	var list []Stand
	for _, h := range c.Hooks {
		if h.Calls < rare {
			continue
		}
		list = append(list, Stand{h.Name, h.Calls, c.shareOfHandlers(h)})
	}
	slices.SortFunc(list, func(a, b Stand) int { return cmp.Or(-cmp.Compare(a.Calls, b.Calls), cmp.Compare(a.Name, b.Name)) })
	return list
}

// rare is how often a hook is crossed that is not the operation's own: once in
// so many operations a kernel takes another page of tables.
const rare = 1. / 32

// shareOfHandlers is a hook's part of what its handlers executed.
func (c *Cost) shareOfHandlers(h Hook) float64 {
	all := 0.
	for _, x := range c.Paths {
		if slices.Contains(h.Handlers, x.Handler) {
			all += x.Instructions
		}
	}
	if all <= 0 {
		return math.NaN()
	}
	return h.Instructions() / all
}

// opposites pairs hooks of the same name, then those that a rule pairs; the
// rest stands alone.
func (m matcher) opposites(first, second []Stand) []Opposite {
	var list []Opposite
	used := make([]bool, len(second))
	find := func(match func(Stand) bool) (Stand, bool) {
		for i, s := range second {
			if !used[i] && match(s) {
				used[i] = true
				return s, true
			}
		}
		return Stand{}, false
	}
	var rest []Stand
	for _, f := range first {
		s, ok := find(func(s Stand) bool { return s.Name == f.Name })
		if !ok {
			rest = append(rest, f)
			continue
		}
		o := Opposite{First: f, Second: s, Same: math.Abs(f.Calls-s.Calls) < rare}
		if !o.Same {
			o.Why = m.count[f.Name]
		}
		list = append(list, o)
	}
	for _, f := range rest {
		s, ok := find(func(s Stand) bool { return m.why(f.Name, s.Name) != "" })
		if !ok && slices.ContainsFunc(list, func(o Opposite) bool { s = o.Second; return m.why(f.Name, s.Name) != "" }) {
			s = Stand{Name: s.Name} // one hook stands for several
		} else if !ok {
			s = Stand{}
		}
		list = append(list, Opposite{First: f, Second: s, Why: m.why(f.Name, s.Name)})
	}
	for i, s := range second {
		if !used[i] {
			list = append(list, Opposite{Second: s, Why: m.why("", s.Name)})
		}
	}
	return list
}

// Unexplained are the hooks of pairs that differ for no known reason.
func Unexplained(pairs []Pair) []string {
	var list []string
	for _, p := range pairs {
		for _, o := range p.Hooks {
			if !o.Same && o.Why == "" {
				list = append(list, p.Benchmark+": "+cmp.Or(o.First.Name, "–")+" against "+cmp.Or(o.Second.Name, "–"))
			}
		}
	}
	return list
}
