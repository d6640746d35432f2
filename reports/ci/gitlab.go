package ci

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"xsmbench/reports/gate"
)

// issue is one entry of GitLab's code quality report, with all the members
// that GitLab asks for.
type issue struct {
	Description string   `json:"description"`
	Check       string   `json:"check_name"`
	Fingerprint string   `json:"fingerprint"`
	Severity    string   `json:"severity"`
	Location    location `json:"location"`
}

type location struct {
	Path  string `json:"path"`
	Lines lines  `json:"lines"`
}

type lines struct {
	Begin int `json:"begin"`
}

// CodeQuality writes what does not pass as a code quality report of GitLab:
// the merge request's widget lists it, and says what is new and what is gone
// against the target branch. The location, which GitLab demands, is file:
// where margins and waivers are written. A fingerprint stays the same while a
// row has the same trouble, however large.
func CodeQuality(w io.Writer, r *gate.Result, file string) error {
	issues, place := []issue{}, location{file, lines{1}}
	add := func(f gate.Finding, severity string) {
		text := fmt.Sprintf("%s of %s in %s: %s", nameOf(f), buildOf(f), whereOf(r, f), sentence(r, f))
		issues = append(issues, issue{
			Description: text, Check: "xsmbench " + string(f.Cause), Fingerprint: fingerprint(f), Severity: severity, Location: place,
		})
	}
	for _, f := range r.With(gate.Incomplete) {
		add(f, "critical")
	}
	for _, f := range gate.Worst(r.With(gate.Regression)) {
		add(f, "major")
	}
	for _, f := range slices.Concat(r.With(gate.Unjudged), r.With(gate.Inconclusive)) {
		add(f, "minor")
	}
	for _, f := range gate.Worst(r.Excused()) {
		add(f, "info")
	}
	if r.Outcome == gate.Unjudged && r.Count(gate.Unjudged) == 0 {
		issues = append(issues, issue{
			Description: Headline(r), Check: "xsmbench nothing to judge", Fingerprint: hash("nothing"), Severity: "minor", Location: place,
		})
	}
	if r.Damage != "" {
		issues = append(issues, issue{
			Description: "damaged input: " + r.Damage, Check: "xsmbench input", Fingerprint: hash("input"), Severity: "critical", Location: place,
		})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(issues)
}

func fingerprint(f gate.Finding) string {
	return hash(f.Environment.String(), f.Benchmark, f.Build, f.Unit, string(f.Cause))
}

func hash(words ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", words))
	return hex.EncodeToString(sum[:16])
}
