package xen

import (
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
// of package hypercall).
var attempt = regexp.MustCompile(`^status current=d[1-9][0-9]* .*tclass=event`)

// atStart is what the shipped policies from 4.21 on deny xenstored, in dom0, when
// it starts (surroundings.enforceLate).
var atStart = regexp.MustCompile(`^get_domain_state .*scontext=\S*:dom0_t\s.*tclass=domain2`)

// denials lists what a policy denied, without the one attempt of the domU's
// agent, without what ended a benchmark, which says so itself, and without what
// xenstored did before FLASK enforced, which is told apart. A policy that denies
// what a benchmark does makes it measure something else than in the other builds.
func denials(console string) (list, early []string) {
	console = withoutEnded(console)
	before, after, late := strings.Cut(console, protocol.Enforces)
	if !late {
		return deniedIn(console), nil
	}
	for _, what := range deniedIn(before) {
		if !atStart.MatchString(what) {
			list = append(list, what)
		} else if !slices.Contains(early, what) {
			early = append(early, what)
		}
	}
	return append(list, deniedIn(after)...), early
}

// withoutEnded takes out the last denial before each note that a benchmark was
// refused, other than what xenstored is denied when domains end, and
// the attempt.
func withoutEnded(console string) string {
	parts := strings.Split(console, protocol.Refused)
	for i, part := range parts[:len(parts)-1] {
		for _, at := range slices.Backward(denied.FindAllStringIndex(part, -1)) {
			if what := textOf(denied.FindStringSubmatch(part[at[0]:at[1]])); !atStart.MatchString(what) && !attempt.MatchString(what) {
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
	list, early := denials(string(text))
	m.early.Do(func() { // both domains resume the same boot
		for _, d := range early {
			m.tell("denied by the policy, and done, since FLASK did not enforce yet: %s", d)
		}
	})
	for _, d := range list {
		m.tell("denied by the policy: %s", d)
		for i := range samples {
			samples[i].Warnings = append(samples[i].Warnings, "the policy denied something in this boot: "+d)
		}
	}
}
