package table

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"xsmbench/reports/compare"
)

var csvColumns = []string{
	"target", "arch", "accel", "workload", "domain", "benchmark", "build", "unit", "base", "value",
	"ratio", "lo", "hi", "confidence", "p", "p_holm", "p_equivalent", "p_signed_rank", "p_mann_whitney",
	"hodges_lehmann", "margin", "verdict", "n", "need", "paired", "exact", "control", "warnings",
	"domu", "idle", "base_xsm_instr", "xsm_instr", "base_hooks", "hooks", "base_guest_instr", "guest_instr", "base_instr", "instr",
	"pkg", "goos", "goarch", "cpu", "floor", "because", "base_spin_instr", "spin_instr",
}

// CSV writes a line for each row, controls included. What could not be
// computed is empty.
func CSV(w io.Writer, c *compare.Comparison) error {
	out := csv.NewWriter(w)
	out.Write(csvColumns)
	rows, controls, _ := c.Shown()
	for _, r := range rows {
		out.Write(csvLine(c, r, false))
	}
	for _, r := range controls {
		out.Write(csvLine(c, r, true))
	}
	out.Flush()
	return out.Error()
}

func csvLine(c *compare.Comparison, r compare.Row, control bool) []string {
	line := []string{
		word(r.Target), word(r.Arch), word(r.Accel), word(r.Workload), word(r.Domain), word(r.Benchmark), word(r.Build), word(r.Unit), cell(r.BaseValue), cell(r.Value),
		cell(r.Ratio), cell(r.Lo), cell(r.Hi), cell(c.Level()), cell(r.P), cell(r.PHolm), cell(r.PEquivalent),
		cell(r.PSignedRank), cell(r.PMannWhitney), cell(r.HodgesLehmann), cell(r.Margin), string(r.Word()),
		fmt.Sprint(r.N), needCell(r.Need), fmt.Sprint(r.Paired), fmt.Sprint(r.Exact), fmt.Sprint(control),
		word(strings.Join(compare.Texts(r.Warnings), "; ")), word(r.DomU), fmt.Sprint(r.Idle),
	}
	for _, unit := range csvFigures {
		for _, build := range []string{r.Base, r.Build} {
			line = append(line, csvFigure(c, r, build, unit))
		}
	}
	return append(line, word(r.Pkg), word(r.GOOS), word(r.GOARCH), word(r.CPU), cell(r.Floor), string(r.Because),
		csvFigure(c, r, r.Base, spinFigure), csvFigure(c, r, r.Build, spinFigure))
}

// word keeps a name from being a formula in a spreadsheet: a sign in front makes
// it text (OWASP, CSV Injection).
func word(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// csvFigures are the units of what a counted row is about, for the base and the build.
var csvFigures = []string{"xsm-instr/op", "hooks/op", "guest-instr/op", "instr/op"}

// spinFigure is the unit of the last two columns: what was executed waiting for another
// processor.
const spinFigure = "spin-instr/op"

// csvFigure is a build's figure of what a counted row is about, "" if there is
// none.
func csvFigure(c *compare.Comparison, r compare.Row, build, unit string) string {
	if !compare.IsCount(r.Unit) {
		return ""
	}
	f, ok := c.Figure(r.Environment, r.Benchmark, build, unit)
	if !ok {
		return ""
	}
	return cell(f.Value)
}

// cell keeps eight figures: far beyond what was measured, short enough for
// the last bits of an addition not to show.
func cell(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 8, 64)
}

// needCell is empty if no number of rounds within reach would do.
func needCell(r compare.Rounds) string {
	if r.OutOfReach {
		return ""
	}
	return strconv.Itoa(r.N)
}
