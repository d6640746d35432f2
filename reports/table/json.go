package table

import (
	"encoding/json"
	"io"
	"math"
	"strconv"

	"xsmbench/reports/about"
	"xsmbench/reports/account"
	"xsmbench/reports/compare"
)

// Schema is the version of the JSON form.
const Schema = 1

type jsonComparison struct {
	Schema   int            `json:"schema"`
	Base     string         `json:"base"`
	Rows     []jsonRow      `json:"rows"`
	Controls []jsonRow      `json:"controls"`
	Checks   []jsonCheck    `json:"checks"` // one for each of Rows, then of Controls
	GeoMeans []jsonGeoMean  `json:"geomeans"`
	Figures  []jsonFigure   `json:"figures"`
	Summary  map[string]any `json:"summary"`
	Warnings []string       `json:"warnings"`
	// Codes are those of Warnings, in their order.
	Codes []compare.Code `json:"warning_codes"`
	// Missing is what was planned and has no sample, or what only one of two runs
	// has.
	Missing  []jsonMissing `json:"missing"`
	Criteria jsonCriteria  `json:"criteria"`
	// Planned are the criteria that were written down before the run, null if
	// none were.
	Planned *jsonCriteria `json:"planned"`
	// Looks share the level of the rows' intervals; 1 if the rounds were fixed.
	Looks int `json:"looks"`
	// Questions is how many tests Holm's correction counted.
	Questions int `json:"questions"`
	// Hidden is how many rows were left out (--changed, --limit); the summary
	// counts them.
	Hidden int `json:"hidden"`
	// Changes are what was changed between the base and other builds of its kind;
	// left out if there are none.
	Changes []jsonBuildChange `json:"changes,omitempty"`
}

type jsonRow struct {
	jsonEnvironment
	Benchmark  string          `json:"benchmark"`
	Domain     string          `json:"domain"`
	Build      string          `json:"build"`
	Unit       string          `json:"unit"`
	Base       *float64        `json:"base"`
	Value      *float64        `json:"value"`
	Ratio      *float64        `json:"ratio"`
	Lo         *float64        `json:"lo"`
	Hi         *float64        `json:"hi"`
	Confidence float64         `json:"confidence"`
	P          *float64        `json:"p"`
	Margin     *float64        `json:"margin"`
	Floor      float64         `json:"floor"` // in the unit; 0 if it has none
	Verdict    compare.Verdict `json:"verdict"`
	Because    compare.Reason  `json:"because"` // "" where the interval says it
	Exact      bool            `json:"exact"`
	N          int             `json:"n"`
	Need       *int            `json:"need"` // null if out of reach
	Hooks      []hookJSON      `json:"hooks"`
}

// jsonMissing is a place without a row, and why.
type jsonMissing struct {
	Kind      account.Kind `json:"kind"`
	Arch      string       `json:"arch"`
	Domain    string       `json:"domain"`
	DomU      string       `json:"domu,omitempty"`
	Build     string       `json:"build"`
	Benchmark string       `json:"benchmark"`
	Unit      string       `json:"unit,omitempty"`
	Reason    string       `json:"reason,omitempty"` // as the run tells it
}

func missing(lacks []account.Difference) []jsonMissing {
	all := []jsonMissing{}
	for _, l := range lacks {
		all = append(all, jsonMissing{l.Kind, l.Arch, l.Domain, l.DomU, l.Build, l.Benchmark, l.Unit, l.Reason})
	}
	return all
}

// jsonEnvironment is where something was measured, apart from the domain.
type jsonEnvironment struct {
	Target   string `json:"target"`
	Arch     string `json:"arch"`
	Accel    string `json:"accel"`
	Workload string `json:"workload"`
	DomU     string `json:"domu,omitempty"`
	Idle     int    `json:"idle,omitempty"`
	Pkg      string `json:"pkg,omitempty"`
	GOOS     string `json:"goos,omitempty"`
	GOARCH   string `json:"goarch,omitempty"`
	CPU      string `json:"cpu,omitempty"`
}

func environmentOf(e compare.Environment) jsonEnvironment {
	return jsonEnvironment{Target: e.Target, Arch: e.Arch, Accel: e.Accel, Workload: e.Workload, DomU: e.DomU, Idle: e.Idle,
		Pkg: e.Pkg, GOOS: e.GOOS, GOARCH: e.GOARCH, CPU: e.CPU}
}

// hookJSON is a hook on the way of one operation: what was counted, or what the
// benchmark is known to cross.
type hookJSON struct {
	Hook      string   `json:"hook"`
	PerOp     float64  `json:"per_op"`
	Note      string   `json:"note,omitempty"`
	Counted   bool     `json:"counted"`
	BasePerOp *float64 `json:"base_per_op,omitempty"`
	More      *float64 `json:"more,omitempty"` // instructions
}

// jsonCheck holds what stands beside a row: where it was measured, the other
// estimates and tests, and its warnings.
type jsonCheck struct {
	jsonEnvironment
	Paired        bool           `json:"paired"`
	Exact         bool           `json:"exact"`
	HodgesLehmann *float64       `json:"hodges_lehmann"`
	PHolm         *float64       `json:"p_holm"`
	PEquivalent   *float64       `json:"p_equivalent"`
	PSignedRank   *float64       `json:"p_signed_rank"`
	PMannWhitney  *float64       `json:"p_mann_whitney"`
	Warnings      []string       `json:"warnings"`
	Codes         []compare.Code `json:"warning_codes"`

	jsonDoubt
}

type jsonGeoMean struct {
	jsonEnvironment
	Domain  string   `json:"domain"`
	Build   string   `json:"build"`
	Unit    string   `json:"unit"`
	Ratio   *float64 `json:"ratio"`
	Lo      *float64 `json:"lo"`
	Hi      *float64 `json:"hi"`
	Rows    int      `json:"rows"`
	Rounds  int      `json:"rounds"`
	Left    int      `json:"left"`
	Exact   bool     `json:"exact"`   // all rows are
	Inexact int      `json:"inexact"` // rows left out, since the others are exact
	// Drift is the trend over the rounds of the rows' mean.
	Drift jsonTrend `json:"drift"`
	// Crossing is the mean of those of the rows that cross a hook, null if
	// all do.
	Crossing *jsonMean `json:"crossing"`
}

type jsonMean struct {
	Ratio *float64 `json:"ratio"`
	Lo    *float64 `json:"lo"`
	Hi    *float64 `json:"hi"`
	Rows  int      `json:"rows"`
}

func crossing(g compare.GeoMean) *jsonMean {
	if g.Crossing == nil {
		return nil
	}
	return &jsonMean{Ratio: finite(g.Crossing.Ratio), Lo: finite(g.Crossing.Lo), Hi: finite(g.Crossing.Hi), Rows: g.Crossing.Rows}
}

// jsonFigure describes a benchmark in a build; it has no verdict.
type jsonFigure struct {
	jsonEnvironment
	Domain    string   `json:"domain"`
	Benchmark string   `json:"benchmark"`
	Build     string   `json:"build"`
	Unit      string   `json:"unit"`
	Value     *float64 `json:"value"`
	N         int      `json:"n"`
	Remarks   []string `json:"remarks,omitempty"`
}

// JSON writes the comparison for programs, and what of its origin has no row. What is not a number there
// (an interval from one boot) is null.
func JSON(w io.Writer, c *compare.Comparison, a about.About) error {
	out := jsonComparison{
		Schema: Schema, Base: c.Base, Rows: []jsonRow{}, Controls: []jsonRow{}, Checks: []jsonCheck{},
		GeoMeans: []jsonGeoMean{}, Figures: []jsonFigure{}, Warnings: compare.Texts(c.Warnings), Codes: codes(c.Warnings), Summary: map[string]any{},
	}
	rows, controls, left := c.Shown()
	out.Hidden = left
	for _, r := range rows {
		out.Rows = append(out.Rows, rowOf(c, r))
		out.Checks = append(out.Checks, check(c, r))
	}
	for _, r := range controls {
		out.Controls = append(out.Controls, rowOf(c, r))
		out.Checks = append(out.Checks, check(c, r))
	}
	for _, g := range c.GeoMeans {
		out.GeoMeans = append(out.GeoMeans, geoMeanJSON(g))
	}
	for _, f := range c.Figures {
		out.Figures = append(out.Figures, figureJSON(f))
	}
	out.Questions, out.Missing, out.Changes = c.Questions, missing(a.Lacks), changesJSON(a.Changes)
	for _, v := range compare.Verdicts {
		out.Summary[string(v)] = c.Count(v)
	}
	out.Summary["negligible"] = c.Negligible()
	out.Criteria, out.Looks = criteria(c.Criteria), c.Looks
	if c.Planned != nil {
		planned := criteria(*c.Planned)
		out.Planned = &planned
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func geoMeanJSON(g compare.GeoMean) jsonGeoMean {
	return jsonGeoMean{
		jsonEnvironment: environmentOf(g.Environment), Domain: g.Domain, Build: g.Build, Unit: g.Unit,
		Ratio: finite(g.Ratio), Lo: finite(g.Lo), Hi: finite(g.Hi),
		Rows: g.Rows, Rounds: g.Rounds, Left: g.Left, Exact: g.Exact, Inexact: g.Inexact,
		Drift: jsonTrend{Tau: finite(g.Drift.Tau), P: finite(g.Drift.P)}, Crossing: crossing(g),
	}
}

func figureJSON(f compare.Figure) jsonFigure {
	return jsonFigure{
		jsonEnvironment: environmentOf(f.Environment), Domain: f.Domain, Benchmark: f.Benchmark, Build: f.Build, Unit: f.Unit,
		Value: finite(f.Value), N: f.N, Remarks: f.Remarks,
	}
}

func rowOf(c *compare.Comparison, r compare.Row) jsonRow {
	return jsonRow{
		jsonEnvironment: environmentOf(r.Environment),
		Benchmark:       r.Benchmark, Domain: r.Domain, Build: r.Build, Unit: r.Unit,
		Base: finite(r.BaseValue), Value: finite(r.Value),
		Ratio: finite(r.Ratio), Lo: finite(r.Lo), Hi: finite(r.Hi), Confidence: c.Level(),
		P: finite(r.P), Margin: finite(r.Margin), Floor: r.Floor, Because: r.Because, Exact: r.Exact, Verdict: r.Word(), N: r.N, Need: reachable(r.Need), Hooks: hooks(r.Hooks),
	}
}

func hooks(crossed []compare.Crossed) []hookJSON {
	all := []hookJSON{}
	for _, h := range crossed {
		out := hookJSON{Hook: h.Hook, PerOp: h.PerOp, Note: h.Note, Counted: h.Counted}
		if h.Counted {
			out.BasePerOp, out.More = finite(h.Before), finite(h.More)
		}
		all = append(all, out)
	}
	return all
}

func check(c *compare.Comparison, r compare.Row) jsonCheck {
	return jsonCheck{
		jsonEnvironment: environmentOf(r.Environment),
		Paired:          r.Paired, Exact: r.Exact, HodgesLehmann: finite(r.HodgesLehmann), PHolm: finite(r.PHolm),
		PEquivalent: finite(r.PEquivalent), PSignedRank: finite(r.PSignedRank), PMannWhitney: finite(r.PMannWhitney),
		Warnings: compare.Texts(r.Warnings), Codes: codes(r.Warnings), jsonDoubt: doubt(c, r),
	}
}

func codes(warnings []compare.Warning) []compare.Code {
	all := make([]compare.Code, len(warnings))
	for i, w := range warnings {
		all[i] = w.Code
	}
	return all
}

// finite keeps ten figures, so that every machine writes the same, and is nil
// for what JSON cannot say.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 10, 64), 64)
	if err != nil {
		return nil
	}
	return &rounded
}
