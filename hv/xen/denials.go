package xen

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv/xen/protocol"
)

// denied is FLASK's audit line on Xen's console (xsm/flask/avc.c, avc_audit).
var denied = regexp.MustCompile(`avc:\s+denied\s+\{ ([a-z_ ]+) \} for (.*)`)

// attempt is what a domU's agent tries and must be refused (Domain.Forbidden
// of package hypercall). Up to 4.16 the audit line has the domain's number alone.
var attempt = regexp.MustCompile(`^status (current=d|domid=)[1-9][0-9]* .*tclass=event`)

// ofXenstored is what the shipped policies from 4.21 on deny xenstored, in dom0: when it
// starts, and when a domain ends (surroundings.enforceLate).
var ofXenstored = regexp.MustCompile(`^get_domain_state .*scontext=\S*:dom0_t\s.*tclass=domain2`)

// denial is what a policy denied, and what became of it.
type denial struct {
	what string
	// told says that it explains no figure: it is told once, with what note says.
	told bool
	note string
}

// Notes on denials that explain no figure.
const (
	noteEarly      = "and done, since FLASK did not enforce yet"
	notePermissive = "and done, since FLASK is permissive"
	noteXenstored  = "as that of this Xen's source does where xenstored runs in dom0, which asks when a domain ends"
)

// denials lists what a policy denied, without the one attempt of the domU's agent, and
// without what ended a benchmark, which says so itself. A policy that denies what a
// benchmark does makes it measure something else than in the other builds. What was
// done all the same, and what the shipped policy is known to deny xenstored, is marked
// as told, and stands once.
func (s *start) denials(console string) []denial {
	var list []denial
	before, after, late := strings.Cut(withoutEnded(console), protocol.Enforces)
	if !late {
		before, after = "", before
	}
	permissive := !modeOf(s.img.Build).enforcing
	for _, what := range deniedIn(before) {
		list = add(list, denial{what, ofXenstored.MatchString(what), noteEarly})
	}
	for _, what := range deniedIn(after) {
		d := denial{what, permissive, notePermissive}
		if !permissive && s.around.enforceLate && s.policy == "" && ofXenstored.MatchString(what) {
			d.told, d.note = true, noteXenstored
		}
		list = add(list, d)
	}
	return list
}

// add adds a denial. One that is told stands once.
func add(list []denial, d denial) []denial {
	if d.told && slices.Contains(list, d) {
		return list
	}
	return append(list, d)
}

// withoutEnded takes out the last denial before each note that a benchmark was
// refused, other than what xenstored is denied when domains end, and
// the attempt.
func withoutEnded(console string) string {
	parts := strings.Split(console, protocol.Refused)
	for i, part := range parts[:len(parts)-1] {
		for _, at := range slices.Backward(denied.FindAllStringIndex(part, -1)) {
			if what := textOf(denied.FindStringSubmatch(part[at[0]:at[1]])); !ofXenstored.MatchString(what) && !attempt.MatchString(what) {
				parts[i] = part[:at[0]] + part[at[1]:]
				break
			}
		}
	}
	return strings.Join(parts, protocol.Refused)
}

// textOf is what a match says was denied.
func textOf(m []string) string { return m[1] + " " + strings.TrimSpace(m[2]) }

func deniedIn(console string) []string {
	var list []string
	expected := 1
	for _, m := range denied.FindAllStringSubmatch(console, -1) {
		what := textOf(m)
		if expected > 0 && attempt.MatchString(what) {
			expected--
			continue
		}
		list = append(list, what)
	}
	return list
}

// warnOfDenials says beside every sample of a machine what its policy denied.
func (m *machine) warnOfDenials(w *watched, samples []bench.Measurement) {
	text, _ := os.ReadFile(w.machine.Console)
	if m.snapshot != nil {
		booted, _ := os.ReadFile(m.snapshot.Path(consoleFile))
		text = append(booted, text...)
	}
	for _, d := range m.start.denials(string(text)) {
		if d.told {
			m.tellOnce(fmt.Sprintf("denied by the policy, %s: %s", d.note, d.what))
			continue
		}
		m.tell("denied by the policy: %s", d.what)
		for i := range samples {
			samples[i].Warnings = append(samples[i].Warnings, "the policy denied something in this boot: "+d.what)
		}
	}
}
