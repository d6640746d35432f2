package ci

import (
	"encoding/xml"
	"fmt"
	"io"

	"xsmbench/reports/gate"
)

// The structure that pipelines read as JUnit's. Its readers agree on little
// more than on these elements: GitLab shows a case by its classname and name,
// knows no two of one name, and shows the text of a failure, not its message.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Suites []*junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Cases []junitCase `xml:"testcase"`
	}
	junitCounts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Time     int `xml:"time,attr"` // s; what a row took is not known
	}
	junitCase struct {
		ClassName string      `xml:"classname,attr"`
		Name      string      `xml:"name,attr"`
		Time      int         `xml:"time,attr"`
		Failure   *junitCause `xml:"failure"`
		Error     *junitCause `xml:"error"`
		Skipped   *junitCause `xml:"skipped"`
		Out       string      `xml:"system-out,omitempty"`
	}
	junitCause struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a gate's decision as test results, a case for each row: failed
// if it is slower, an error if it is inconclusive, not judged or without a
// sample, skipped if it is waived or allowed. What nothing could be judged of has
// a case that is an error, too.
func JUnit(w io.Writer, r *gate.Result) error {
	all := junitSuites{Name: "xsmbench gate"}
	if r.Damage != "" {
		s := all.suite("input")
		s.add(junitCase{ClassName: "input", Name: "is readable", Error: &junitCause{r.Damage, "damaged", r.Damage}})
	}
	if r.Outcome == gate.Unjudged && r.Count(gate.Unjudged) == 0 {
		s := all.suite("gate")
		s.add(junitCase{ClassName: "gate", Name: "judges something", Error: &junitCause{Headline(r), "nothing to judge", Headline(r)}})
	}
	for _, f := range r.Findings {
		class := buildOf(f) + " in " + whereOf(r, f)
		all.suite(class).add(caseOf(r, f, class))
	}
	for _, s := range all.Suites {
		all.junitCounts.plus(s.junitCounts)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func caseOf(r *gate.Result, f gate.Finding, class string) junitCase {
	c := junitCase{ClassName: class, Name: nameOf(f)}
	if f.Unit != "" {
		c.Name += " " + f.Unit
	}
	text := sentence(r, f)
	cause := &junitCause{Message: text, Type: string(f.Cause), Text: text}
	switch {
	case f.Waiver != nil:
		text = fmt.Sprintf("waived until %s (%s): %s", f.Waiver.Until.Format(gate.Day), f.Waiver.Reason, text)
		c.Skipped = &junitCause{Message: text, Text: text}
	case f.Outcome() == gate.Regression:
		c.Failure = cause
	case f.Allowed, f.Outcome() == gate.Inconclusive && r.AllowInconclusive:
		c.Skipped = &junitCause{Message: text, Text: text}
	case f.Outcome() == gate.Pass:
		c.Out = text
	default:
		c.Error = cause
	}
	return c
}

// sentence says all of a finding but its name.
func sentence(r *gate.Result, f gate.Finding) string {
	if f.Row == nil {
		return why(r, f)
	}
	base, more := change(f)
	text := fmt.Sprintf("%s, %s %s, %s: %s; %s", f.Row.Unit, base, more, effectInterval(f), f.Cause, why(r, f))
	if hooks := Hooks(r, f); hooks != "" {
		text += "; hooks on its path: " + hooks
	}
	return text
}

// suite finds or adds a suite.
func (all *junitSuites) suite(name string) *junitSuite {
	for _, s := range all.Suites {
		if s.Name == name {
			return s
		}
	}
	s := &junitSuite{Name: name}
	all.Suites = append(all.Suites, s)
	return s
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	one := junitCounts{Tests: 1}
	switch {
	case c.Failure != nil:
		one.Failures = 1
	case c.Error != nil:
		one.Errors = 1
	case c.Skipped != nil:
		one.Skipped = 1
	}
	s.plus(one)
}

func (n *junitCounts) plus(m junitCounts) {
	n.Tests += m.Tests
	n.Failures += m.Failures
	n.Errors += m.Errors
	n.Skipped += m.Skipped
}
