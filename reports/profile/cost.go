package profile

import (
	"cmp"
	"math"
	"slices"

	"xsmbench/bench"
)

// Cost is what one operation executes in one build: the mean of its boots.
type Cost struct {
	// Total is all that the hypervisor executed, instructions; NaN if no
	// boot had a window that nothing interrupted.
	Total float64
	Boots int
	Ops   int64 // operations in a window
	// Exact tells that every boot gave the same, from windows that nothing
	// interrupted, and that no sample disclaims it.
	Exact   bool
	Inexact []string // why not, as the samples say
	Paths   []Path
	Hooks   []Hook // most instructions first
}

// Path is a place in the hypervisor, with figures of one operation.
type Path struct {
	Handler, Hook, Function string
	Part                    bench.Part
	Calls, Instructions     float64
}

// Hook is what one operation executes in one hook.
type Hook struct {
	Name     string
	Handlers []string // hypercalls and traps that crossed it
	// Calls is how often; 0 with instructions if that is not known (an inlined
	// check that is entered in the middle).
	Calls float64
	// Instructions of its sites (the call's set-up and the test of its
	// result), of all that the call executed, and of return thunks there.
	Site, Body, Thunk float64
	AVC               AVC
	Flask             Flask
	Functions         []Path // of the body, most instructions first
}

// Instructions are all of the hook's.
func (h Hook) Instructions() float64 { return h.Site + h.Body + h.Thunk }

// PerCall are the instructions of one call, NaN if the calls are not known.
func (h Hook) PerCall() float64 {
	if h.Calls == 0 {
		return math.NaN()
	}
	return h.Instructions() / h.Calls
}

// Share is the hook's part of the operation's instructions, NaN if those are
// not known.
func (c *Cost) Share(h Hook) float64 { return h.Instructions() / c.Total }

// unitTotal is the unit of Total (package hv/count).
const unitTotal = "xen-instr/op"

// place is what paths are merged by.
type place struct {
	handler, hook, function string
	part                    bench.Part
}

func placeOf(x bench.Path) place { return place{x.Handler, x.Hook, x.Function, x.Part} }

// merge makes the cost from its boots.
func merge(boots []boot) *Cost {
	c := &Cost{Boots: len(boots), Ops: boots[0].profile.Ops, Total: math.NaN(), Exact: true}
	sum := map[place]*Path{}
	n := 0.
	for _, b := range boots {
		if v, ok := b.measured[unitTotal]; ok {
			if n++; n == 1 {
				c.Total = 0
			}
			c.Total += v
		}
		for _, text := range b.inexact {
			if !slices.Contains(c.Inexact, text) {
				c.Inexact = append(c.Inexact, text)
			}
		}
		c.Exact = c.Exact && b.profile.Windows == 1 && len(b.inexact) == 0 && same(b.profile, boots[0].profile)
		add(sum, b.profile, float64(len(boots)))
	}
	c.Total /= n
	for _, x := range sum {
		c.Paths = append(c.Paths, *x)
	}
	slices.SortFunc(c.Paths, comparePaths)
	c.hooks()
	return c
}

func same(p, q bench.Profile) bool {
	return p.Ops == q.Ops && p.Windows == q.Windows && slices.Equal(sorted(p.Paths), sorted(q.Paths))
}

func sorted(list []bench.Path) []bench.Path {
	return slices.SortedFunc(slices.Values(list), func(a, b bench.Path) int {
		return cmp.Or(cmp.Compare(a.Handler, b.Handler), cmp.Compare(a.Hook, b.Hook), cmp.Compare(a.Function, b.Function), cmp.Compare(a.Part, b.Part))
	})
}

// add adds a boot's profile, of so many boots.
func add(sum map[place]*Path, p bench.Profile, boots float64) {
	n := float64(p.Windows) * float64(p.Ops) * boots
	for _, x := range p.Paths {
		to := sum[placeOf(x)]
		if to == nil {
			to = &Path{Handler: x.Handler, Hook: x.Hook, Function: x.Function, Part: x.Part}
			sum[placeOf(x)] = to
		}
		to.Calls += float64(x.Calls) / n
		to.Instructions += float64(x.Instructions) / n
	}
}

// comparePaths puts most instructions first.
func comparePaths(a, b Path) int {
	return cmp.Or(-cmp.Compare(a.Instructions, b.Instructions), cmp.Compare(a.Handler, b.Handler),
		cmp.Compare(a.Hook, b.Hook), cmp.Compare(a.Function, b.Function), cmp.Compare(a.Part, b.Part))
}

// hooks sums up the paths by hook.
func (c *Cost) hooks() {
	byName := map[string]*Hook{}
	for _, x := range c.Paths {
		if x.Hook == "" {
			continue
		}
		h := byName[x.Hook]
		if h == nil {
			h = &Hook{Name: x.Hook}
			byName[x.Hook] = h
		}
		h.add(x)
	}
	for _, h := range byName {
		slices.Sort(h.Handlers)
		h.AVC, h.Flask = avcOf(h.Functions), flaskOf(h.Functions)
		c.Hooks = append(c.Hooks, *h)
	}
	slices.SortFunc(c.Hooks, func(a, b Hook) int {
		return cmp.Or(-cmp.Compare(a.Instructions(), b.Instructions()), cmp.Compare(a.Name, b.Name))
	})
}

func (h *Hook) add(x Path) {
	if x.Handler != "" && !slices.Contains(h.Handlers, x.Handler) {
		h.Handlers = append(h.Handlers, x.Handler)
	}
	switch x.Part {
	case bench.PartSite:
		h.Site += x.Instructions
		h.Calls += x.Calls
		return
	case bench.PartThunk:
		h.Thunk += x.Instructions
	default:
		h.Body += x.Instructions
	}
	h.Functions = append(h.Functions, x)
}

// Hook finds a hook's cost by name.
func (c *Cost) Hook(name string) (Hook, bool) {
	if c == nil {
		return Hook{}, false
	}
	i := slices.IndexFunc(c.Hooks, func(h Hook) bool { return h.Name == name })
	if i < 0 {
		return Hook{}, false
	}
	return c.Hooks[i], true
}
