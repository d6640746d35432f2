package bench

import (
	"cmp"
	"slices"
)

// Profile is where a hypervisor executed the instructions of a benchmark's
// operations. What the baseline executed is subtracted, so that counts may be
// negative.
type Profile struct {
	// Windows is how many windows the counts are the sum of: 1 if all that
	// nothing disturbed agree, so that one stands for all.
	Windows int64
	Ops     int64 // operations in a window
	Paths   []Path
	// Executed are the functions that executed an instruction in any window, also
	// where an interrupt came, and where the baseline executed as many; a part that
	// the compiler moved out of a function's way has a name of its own (PartOf). In
	// order; nil if that was not told.
	Executed []string
}

// PartOf is the name in Executed of the part of a function.
func PartOf(function string) string { return function + ".part" }

// Path is one place in the hypervisor, and how execution came there.
type Path struct {
	// Handler is what the hypervisor was entered for: the function that
	// handles a hypercall ("do_event_channel_op"), a fault or an interrupt;
	// "" on the way in and out.
	Handler string
	// Hook is the security hook in whose call, or in the site of whose call,
	// the instructions are; "" for none. It is the hypervisor's name of it
	// ("evtchn_send").
	Hook     string
	Function string
	Part     Part
	// Calls counts entries: of the hook if Part is PartSite, else of the
	// function; of a handler's function (PartEntry) those are its visits.
	Calls        int64
	Instructions int64
}

// Part says what the instructions of a path are to its handler or hook.
type Part string

// Parts.
const (
	PartNone  Part = ""      // outside of hooks
	PartEntry Part = "entry" // the function that the handler is, outside of hooks
	PartSite  Part = "site"  // the call's set-up and the test of its result, or the inlined check
	PartBody  Part = "body"  // the module: the hook's function and what it calls
	PartThunk Part = "thunk" // return and call thunks, which mitigate speculation
)

// Add adds what q counted to p, times times.
func (p *Profile) Add(q Profile, times int64) {
	sum := make(map[Path]Path, len(p.Paths)+len(q.Paths))
	add := func(x Path, times int64) {
		have, ok := sum[x.place()]
		if !ok {
			have = x.place()
		}
		have.Calls += times * x.Calls
		have.Instructions += times * x.Instructions
		sum[x.place()] = have
	}
	for _, x := range p.Paths {
		add(x, 1)
	}
	for _, x := range q.Paths {
		add(x, times)
	}
	p.Paths = make([]Path, 0, len(sum))
	for _, x := range sum {
		if x.Calls != 0 || x.Instructions != 0 {
			p.Paths = append(p.Paths, x)
		}
	}
	p.sort()
}

// Attributed is what one operation executed in hooks, sites and all that was
// called from there, and how many hooks it entered.
func (p *Profile) Attributed() (instructions, hooks float64) {
	var executed, entered int64
	for _, x := range p.Paths {
		if x.Hook == "" {
			continue
		}
		executed += x.Instructions
		if x.Part == PartSite {
			entered += x.Calls
		}
	}
	n := float64(p.Windows * p.Ops)
	return float64(executed) / n, float64(entered) / n
}

// place is the path without its counts.
func (x Path) place() Path {
	x.Calls, x.Instructions = 0, 0
	return x
}

func (p *Profile) sort() {
	slices.SortFunc(p.Paths, func(a, b Path) int {
		return cmp.Or(cmp.Compare(a.Handler, b.Handler), cmp.Compare(a.Hook, b.Hook), cmp.Compare(a.Function, b.Function), cmp.Compare(a.Part, b.Part))
	})
}
