package compare

import (
	"fmt"
	"slices"
	"strings"

	"xsmbench/bench"
)

// Warning is what a reader must know of a row, or of a comparison. Its code says
// what it is about and stays the same; the text is for people.
type Warning struct {
	Code Code
	Text string
}

func (w Warning) String() string { return w.Text }

// Code names a kind of warning.
type Code string

// Codes of rows.
const (
	BootsLeftOut     Code = "boots-left-out"    // they have no partner in their round
	Unpaired         Code = "unpaired"          // rounds do not match
	Linear           Code = "differences"       // differences are compared, not ratios
	NoRatio          Code = "no-ratio"          // the base's mean is not above 0
	NoSpread         Code = "no-spread"         // every boot gave the same difference
	OneBoot          Code = "one-boot"          // and so no interval
	NotAfterHolm     Code = "not-after-holm"    // an alarm alone, none among all rows
	ControlDiffers   Code = "control-differs"   // an alarm that a control could raise
	NegativeControl  Code = "negative-control"  // no hook is crossed
	FewLayouts       Code = "few-layouts"       // observations are layouts, and few
	FarOut           Code = "far-out"           // pairs beyond Tukey's outer fences
	MeanMoved        Code = "mean-moved"        // by a few boots
	NotNormal        Code = "not-normal"        // the bootstrap differs from t
	Drifts           Code = "drift"             // from round to round
	OrderMatters     Code = "order"             // what booted before matters
	Unsteady         Code = "unsteady"          // the cost changes within a boot
	NotByRanks       Code = "not-by-ranks"      // t's verdict, not the signed-rank test's
	NotByBootstrap   Code = "not-by-bootstrap"  // t's verdict, not the bootstrap's
	Copied           Code = "copied"            // both builds have the very same samples
	NotExact         Code = "not-exact"         // the unit is said to be exact, and its values differ
	SamplesNotExact  Code = "samples-not-exact" // the samples say so
	SamplesDisturbed Code = "samples-disturbed" // the samples say so
	SamplesRemarked  Code = "samples-remarked"  // anything else that samples came with
)

// Codes of a comparison.
const (
	CriteriaChanged  Code = "criteria-changed" // after the run
	NoSample         Code = "no-sample"        // what Missing lists
	BootsUnfinished  Code = "boots-unfinished" // their samples are used
	NothingToCompare Code = "nothing-to-compare"
	MeanDrifts       Code = "mean-drift"       // of all rows, from round to round
	FewObservations  Code = "few-observations" // for a test by ranks
	OneLayout        Code = "one-layout"       // a difference may be the linker's doing
)

// Texts are those of warnings, for reports that show no more.
func Texts(warnings []Warning) []string {
	texts := make([]string, len(warnings))
	for i, w := range warnings {
		texts[i] = w.Text
	}
	return texts
}

func (r *Row) warn(code Code, format string, args ...any) {
	if w := (Warning{code, fmt.Sprintf(format, args...)}); !slices.Contains(r.Warnings, w) {
		r.Warnings = append(r.Warnings, w)
	}
}

// unsay takes back a warning that needs no word in every row.
func (r *Row) unsay(code Code) {
	r.Warnings = slices.DeleteFunc(r.Warnings, func(w Warning) bool { return w.Code == code })
}

func (c *Comparison) warn(code Code, format string, args ...any) {
	c.Warnings = append(c.Warnings, Warning{code, fmt.Sprintf(format, args...)})
}

// remarkCode is the kind of what a sample came with: a word at its start.
func remarkCode(remark string) Code {
	switch {
	case strings.HasPrefix(remark, bench.NotExact):
		return SamplesNotExact
	case strings.HasPrefix(remark, bench.Disturbed):
		return SamplesDisturbed
	}
	return SamplesRemarked
}
