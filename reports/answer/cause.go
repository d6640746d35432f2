package answer

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/profile"
)

// Cause is the hook that a difference comes from.
type Cause struct {
	Hook string // empty if nothing is known
	// Calls of it by one operation, and Others, the hooks besides that cost
	// something.
	Calls  float64
	Others int
	// Counted tells that the profile shows it. Otherwise Hook and what follows
	// are what the benchmark is known to cross, and no instructions are known.
	Counted bool
	Exact   bool
	// More is what one operation executes more in the hook than in the base's;
	// Difference is the whole operation's.
	More, Difference float64
	// OthersMore is what it executes more in the other hooks.
	OthersMore float64
	// Checks are decisions that FLASK was asked for, and PerCheck their
	// instructions; Missed were not in its cache.
	Checks, Missed, PerCheck float64
	// Parts are the functions behind the hook that execute most besides.
	Parts []Part
}

// Part is a function and its instructions in one operation.
type Part struct {
	Function     string
	Instructions float64
}

// causeOf finds the hook whose instructions differ the most.
func causeOf(c *compare.Comparison, r *profile.Run, row compare.Row) Cause {
	if cause, ok := countedCause(r, row); ok {
		return cause
	}
	if len(row.Hooks) == 0 {
		return Cause{}
	}
	h := slices.MaxFunc(row.Hooks, func(a, b compare.Crossed) int { return cmp.Compare(a.PerOp, b.PerOp) })
	return Cause{Hook: h.Hook, Calls: h.PerOp, Others: len(row.Hooks) - 1}
}

func countedCause(r *profile.Run, row compare.Row) (Cause, bool) {
	if r == nil || !compare.IsCount(row.Unit) {
		return Cause{}, false
	}
	i := slices.IndexFunc(r.Benchmarks, func(b *profile.Benchmark) bool {
		return b.Name == row.Benchmark && b.Domain == row.Domain && b.Arch == row.Arch
	})
	if i < 0 {
		return Cause{}, false
	}
	own, base := r.Benchmarks[i].Costs[row.Build], r.Benchmarks[i].Costs[row.Base]
	if own == nil || base == nil {
		return Cause{}, false
	}
	cause := Cause{Counted: true, Exact: own.Exact && base.Exact, Difference: row.Difference(), More: math.Inf(-1)}
	var top profile.Hook
	for _, h := range own.Hooks {
		before, _ := base.Hook(h.Name)
		more := h.Instructions() - before.Instructions()
		if more > 0 {
			cause.Others++
			cause.OthersMore += more
		}
		if more > cause.More {
			top, cause.More = h, more
		}
	}
	if cause.Others == 0 {
		return Cause{}, false
	}
	cause.Others--
	cause.OthersMore -= cause.More
	cause.Hook, cause.Calls = top.Name, top.Calls
	cause.behind(top)
	return cause, true
}

// leastPart is the share of a hook from which on a function of it is named.
const leastPart = 0.1

// behind says what a hook executes.
func (c *Cause) behind(h profile.Hook) {
	c.Checks, c.Missed = h.AVC.Lookups, h.AVC.Misses
	sums := map[string]float64{}
	checks := 0.
	for _, f := range h.Functions {
		switch {
		case isCheck(f.Function):
			checks += f.Instructions
		case f.Part != bench.PartThunk && !isOwn(f.Function, h.Name):
			sums[f.Function] += f.Instructions
		}
	}
	if c.Checks > 0 {
		c.PerCheck = checks / c.Checks
	}
	for name, n := range sums {
		if n >= leastPart*h.Instructions() {
			c.Parts = append(c.Parts, Part{name, n})
		}
	}
	slices.SortFunc(c.Parts, func(a, b Part) int {
		return cmp.Or(-cmp.Compare(a.Instructions, b.Instructions), strings.Compare(a.Function, b.Function))
	})
	c.Parts = c.Parts[:min(len(c.Parts), 2)]
}

// isOwn tells the hook's own function: flask_evtchn_send, or the model's
// flask.(*Module).evtchnSend, with "-fm" where it is called through a value.
func isOwn(function, hook string) bool {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	return strings.HasSuffix(plain(strings.TrimSuffix(function, "-fm")), plain(hook))
}

// isCheck tells the functions of FLASK's cache: Xen's avc_has_perm and what it
// calls, and the model's methods of avc.Cache.
func isCheck(function string) bool {
	return profile.OfCache(function)
}

// String is the cause in words, empty if nothing is known.
func (c Cause) String() string {
	if c.Hook == "" {
		return ""
	}
	name := c.Hook
	if c.Calls > 0 && math.Abs(c.Calls-1) > 1e-6 {
		name += " ×" + number.Rounded(c.Calls)
	}
	if !c.Counted {
		if c.Others > 0 {
			return fmt.Sprintf("crosses %s and %s", name, number.Count(c.Others, "other hook"))
		}
		return "crosses " + name
	}
	text := name + " " + approximately(c.Exact) + "+" + number.Rounded(c.More)
	if !math.IsNaN(c.Difference) {
		text += " of " + number.Rounded(c.Difference)
	}
	if behind := c.Behind(); behind != "" {
		text += ": " + behind
	}
	if c.Others > 0 {
		text += fmt.Sprintf("; %s +%s", number.Count(c.Others, "other hook"), number.Rounded(c.OthersMore))
	}
	if around := c.Around(); around > leastAround*c.Difference {
		text += fmt.Sprintf("; the code around +%s", number.Rounded(around))
	}
	return text
}

// leastAround is the share of a difference from which on the code around the
// hooks is named.
const leastAround = 0.1

// Around is what the operation executes more outside of hooks: the compiler makes
// their callers otherwise where there is a call.
func (c Cause) Around() float64 { return c.Difference - c.More - c.OthersMore }

func approximately(exact bool) string {
	if exact {
		return ""
	}
	return "~"
}

// Behind says what stands behind the hook: "2 checks of some 152,
// security_compute_sid 129".
func (c Cause) Behind() string {
	var parts []string
	if c.Checks >= 0.5 {
		text := fmt.Sprintf("%s of some %.0f", number.Count(int(math.Round(c.Checks)), "check"), c.PerCheck)
		if c.Missed >= 0.5 {
			text += fmt.Sprintf(", %.0f not in the cache", c.Missed)
		}
		parts = append(parts, text)
	}
	for _, p := range c.Parts {
		parts = append(parts, fmt.Sprintf("%s %.0f", p.Function, p.Instructions))
	}
	return strings.Join(parts, ", ")
}
