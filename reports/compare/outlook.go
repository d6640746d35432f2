package compare

import (
	"math"

	"xsmbench/reports/stats"
)

// Outlook is what would change a row's verdict.
type Outlook struct {
	// Margin is the least margin at which the row is equivalent, as a share;
	// NaN if it has no interval.
	Margin float64
	// ToEquivalent and ToAlarm estimate the rounds still needed for either
	// verdict if estimate and spread stay as they are: none if the interval is
	// narrow enough.
	ToEquivalent, ToAlarm Rounds
	// Family is how many rows a report may have so that the row's p-value
	// alone raises an alarm after Holm's correction; 0 if not even one.
	Family int
	// Detectable is the smallest difference, as a share, that as many
	// observations of this spread show in 80 % of runs, alone in a report.
	Detectable float64
}

// Outlook tells what would change the verdict of one of the rows.
func (c *Comparison) Outlook(r Row) Outlook {
	alpha := 1 - c.Level()
	o := Outlook{Margin: math.NaN(), Detectable: math.NaN()}
	if math.IsNaN(r.Lo) || math.IsNaN(r.Hi) {
		o.ToEquivalent, o.ToAlarm = r.roundsToEquivalent(alpha), r.roundsToAlarm(alpha, c.Family(r))
		return o
	}
	ci := r.effect.CI
	o.Margin = r.OverheadOf(math.Max(math.Abs(ci.Lo), math.Abs(ci.Hi)))
	if r.Exact {
		return o
	}
	if !ci.Within(r.bound()) {
		o.ToEquivalent = r.roundsToEquivalent(alpha)
	}
	if r.PHolm > alpha {
		o.ToAlarm = r.roundsToAlarm(alpha, c.Family(r))
	}
	o.Family = family(r.P, alpha)
	o.Detectable = r.OverheadOf(stats.Detectable(r.effect.SD(), r.effect.N, c.Level(), 0.8))
	return o
}

// family is how often p may be multiplied to stay at most alpha.
func family(p, alpha float64) int {
	const most = 1e6
	if !(p*most > alpha) {
		return most
	}
	return int(alpha / p)
}

// Family is how many rows Holm's correction of the row's alarm counts.
func (c *Comparison) Family(r Row) int {
	for _, control := range c.Controls {
		if control.place() == r.place() && control.Build == r.Build {
			return questions(c.Controls)
		}
	}
	return c.Questions
}

// OverheadOf turns a difference on the scale that the row compares on into a
// share of the base's cost.
func (r Row) OverheadOf(difference float64) float64 { return r.ratio(difference) - 1 }

// Effect is the estimate on that scale: of logarithms, or of shares of the
// base's mean if the row is Linear.
func (r Row) Effect() stats.Effect { return r.effect }

// roundsToEquivalent estimates the rounds that would narrow the interval to lie
// within the margin.
func (r *Row) roundsToEquivalent(alpha float64) Rounds {
	return r.rounds(r.bound()-math.Abs(r.effect.Mean), 1-alpha)
}

// roundsToAlarm estimates the rounds that would take the interval away from 0 at
// the level that Holm's first step asks of so many rows.
func (r *Row) roundsToAlarm(alpha float64, rows int) Rounds {
	return r.rounds(math.Abs(r.effect.Mean), 1-alpha/float64(max(rows, 1)))
}

// rounds estimates those that would narrow the interval to a half-width. Where
// rounds share layouts, they are rounds of further layouts.
func (r *Row) rounds(half, confidence float64) Rounds {
	const first = 5 // rounds to have a spread to estimate from
	if r.N < 2 || !(r.effect.SE > 0) {
		return Rounds{N: max(1, first-r.N)}
	}
	perUnit := max(1, r.N/r.effect.N) // rounds of a layout
	needed, ok := r.effect.Needed(half, confidence, r.effect.N+reach)
	if more := max(1, (needed-r.effect.N)*perUnit); ok && more < reach {
		return Rounds{N: more}
	}
	return Rounds{OutOfReach: true}
}
