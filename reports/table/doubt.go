package table

import (
	"xsmbench/reports/compare"
	"xsmbench/reports/stats"
	"xsmbench/results"
)

// jsonDoubt is what tells how far a row's interval can be relied on, and what
// would change its verdict. Intervals, rises and margins are of ratios or
// shares, as those of the row; what was not computed is null.
type jsonDoubt struct {
	Observations int        `json:"observations"` // that the interval rests on
	Layouts      int        `json:"layouts"`      // 0 if not known
	SignedRank   *jsonRange `json:"signed_rank"`
	Bootstrap    *jsonRange `json:"bootstrap"`
	Drift        jsonTrend  `json:"drift"`
	Order        jsonTrend  `json:"order"`
	// Rises of the windows from a boot's first to its last.
	BaseRise    jsonRise `json:"base_rise"`
	Rise        jsonRise `json:"rise"`
	Outliers    int      `json:"outliers"` // beyond Tukey's inner fences
	FarOut      int      `json:"far_out"`  // beyond the outer ones
	LayoutShare *float64 `json:"layout_share"`
	PLayout     *float64 `json:"p_layout"`
	// LeastMargin is the least one at which the row is equivalent.
	LeastMargin *float64 `json:"least_margin"`
	Detectable  *float64 `json:"detectable"`
	// Rounds still needed for either verdict; null if they are out of reach.
	ToEquivalent *int `json:"to_equivalent"`
	ToAlarm      *int `json:"to_alarm"`
}

type jsonRange struct {
	Lo *float64 `json:"lo"`
	Hi *float64 `json:"hi"`
}

type jsonTrend struct {
	Tau *float64 `json:"tau"`
	P   *float64 `json:"p"`
}

type jsonRise struct {
	Share *float64 `json:"share"`
	P     *float64 `json:"p"`
}

func doubt(c *compare.Comparison, r compare.Row) jsonDoubt {
	k, o := r.Checks, c.Outlook(r)
	return jsonDoubt{
		Observations: r.Units, Layouts: r.Layouts,
		SignedRank: rangeOf(k.Wilcoxon), Bootstrap: rangeOf(k.Bootstrap),
		Drift: jsonTrend{finite(k.Drift.Tau), finite(k.Drift.P)}, Order: jsonTrend{finite(k.Order.Tau), finite(k.Order.P)},
		BaseRise: jsonRise{finite(k.BaseRise), finite(k.PBaseRise)}, Rise: jsonRise{finite(k.Rise), finite(k.PRise)},
		Outliers: k.Outliers, FarOut: k.FarOut, LayoutShare: finite(k.LayoutShare), PLayout: finite(k.PLayout),
		LeastMargin: finite(o.Margin), Detectable: finite(o.Detectable),
		ToEquivalent: reachable(o.ToEquivalent), ToAlarm: reachable(o.ToAlarm),
	}
}

func rangeOf(i *stats.Interval) *jsonRange {
	if i == nil {
		return nil
	}
	return &jsonRange{finite(i.Lo), finite(i.Hi)}
}

func reachable(rounds compare.Rounds) *int {
	if rounds.OutOfReach {
		return nil
	}
	return &rounds.N
}

// jsonCriteria are what verdicts are given by.
type jsonCriteria struct {
	Margin     float64            `json:"margin"`
	Margins    map[string]float64 `json:"margins"`
	Floors     map[string]float64 `json:"floors"`
	Confidence float64            `json:"confidence"`
}

func criteria(c results.Criteria) jsonCriteria {
	return jsonCriteria{c.Margin, orEmpty(c.Margins), orEmpty(c.Floors), c.Confidence}
}

func orEmpty(m map[string]float64) map[string]float64 {
	if m == nil {
		return map[string]float64{}
	}
	return m
}
