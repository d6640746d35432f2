package profile

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"xsmbench/bench"
)

// Visit is one way that an operation entered the hypervisor: a hypercall, a
// trap or an interrupt, and the hooks that were crossed there.
type Visit struct {
	Handler string
	Times   float64 // per operation
	Hooks   []Crossing

	sites float64 // crossings in the handler itself
}

// Crossing is a hook and how often an operation crosses it.
type Crossing struct {
	Hook  string
	Times float64 // 0 if not known
}

// Visits are the path of an operation through the hypervisor, the most hooks
// first, then the most often.
func (c *Cost) Visits() []Visit {
	byHandler := map[string]*Visit{}
	for _, x := range c.Paths {
		v := byHandler[x.Handler]
		if v == nil {
			v = &Visit{Handler: x.Handler}
			byHandler[x.Handler] = v
		}
		switch {
		case x.Hook != "":
			v.cross(x)
		case x.Part == bench.PartEntry:
			v.Times += x.Calls
		}
	}
	var list []Visit
	for _, v := range byHandler {
		if v.Times == 0 {
			v.Times = v.sites
		}
		if v.Handler == "" && len(v.Hooks) == 0 || v.Handler != "" && isNothing(v.Times) && len(v.Hooks) == 0 {
			continue
		}
		slices.SortFunc(v.Hooks, func(a, b Crossing) int {
			return cmp.Or(-cmp.Compare(a.Times, b.Times), cmp.Compare(a.Hook, b.Hook))
		})
		list = append(list, *v)
	}
	slices.SortFunc(list, func(a, b Visit) int {
		return cmp.Or(-cmp.Compare(len(a.Hooks), len(b.Hooks)), -cmp.Compare(a.Times, b.Times), strings.Compare(a.Handler, b.Handler))
	})
	return list
}

func (v *Visit) cross(x Path) {
	i := slices.IndexFunc(v.Hooks, func(c Crossing) bool { return c.Hook == x.Hook })
	if i < 0 {
		i = len(v.Hooks)
		v.Hooks = append(v.Hooks, Crossing{Hook: x.Hook})
	}
	if x.Part == bench.PartSite {
		v.Hooks[i].Times += x.Calls
		if x.Function == v.Handler { // which may be all that the handler is
			v.sites += x.Calls
		}
	}
}

// Coverage is which benchmark crosses which hook.
type Coverage struct {
	Hooks      []string // crossed by any
	Benchmarks []string // that cross any
	// Times is crossings per operation, by hook and benchmark, the most that
	// any build and domain has.
	Times map[[2]string]float64
	Never []string // known hooks that no benchmark crossed
}

// Coverage looks at all builds and domains.
func (r *Run) Coverage() Coverage {
	c := Coverage{Times: map[[2]string]float64{}}
	for _, b := range r.Benchmarks {
		for _, cost := range b.Costs {
			for _, h := range cost.Hooks {
				k := [2]string{h.Name, b.Name}
				c.Times[k] = math.Max(c.Times[k], h.Calls)
				c.Hooks = append(c.Hooks, h.Name)
				c.Benchmarks = append(c.Benchmarks, b.Name)
			}
		}
	}
	slices.Sort(c.Hooks)
	c.Hooks = slices.Compact(c.Hooks)
	c.Benchmarks = r.inOrder(c.Benchmarks)
	for _, h := range r.Known {
		if !slices.Contains(c.Hooks, h) {
			c.Never = append(c.Never, h)
		}
	}
	return c
}

// inOrder is a set of benchmarks in the run's order.
func (r *Run) inOrder(names []string) []string {
	var list []string
	for _, b := range r.Benchmarks {
		if slices.Contains(names, b.Name) && !slices.Contains(list, b.Name) {
			list = append(list, b.Name)
		}
	}
	return list
}

// Summary is one hook over all benchmarks of a domain that are exact.
type Summary struct {
	Hook       string
	Benchmarks int
	// Low and High are the instructions of one call, by build: the least and
	// the most that an operation has on average.
	Low, High map[string]float64
}

// Summaries are the hooks that a domain's benchmarks crossed, by name.
func (r *Run) Summaries(at Where) []Summary {
	byHook := map[string]*Summary{}
	for _, b := range r.Benchmarks {
		if b.Where != at {
			continue
		}
		crossed := map[string]bool{}
		for build, c := range b.Costs {
			for _, h := range c.Hooks {
				s := byHook[h.Name]
				if s == nil {
					s = &Summary{Hook: h.Name, Low: map[string]float64{}, High: map[string]float64{}}
					byHook[h.Name] = s
				}
				crossed[h.Name] = true
				s.see(build, h.PerCall())
			}
		}
		for h := range crossed {
			byHook[h].Benchmarks++
		}
	}
	var list []Summary
	for _, s := range byHook {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b Summary) int { return strings.Compare(a.Hook, b.Hook) })
	return list
}

func (s *Summary) see(build string, perCall float64) {
	if math.IsNaN(perCall) {
		return
	}
	if low, ok := s.Low[build]; !ok || perCall < low {
		s.Low[build] = perCall
	}
	s.High[build] = math.Max(s.High[build], perCall)
}
