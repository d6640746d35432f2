package xen

import (
	"os"
	"regexp"
	"strings"

	"xsmbench/bench"
)

// denied is FLASK's audit line on Xen's console (xsm/flask/avc.c, avc_audit).
var denied = regexp.MustCompile(`avc:\s+denied\s+\{ ([a-z_ ]+) \} for (.*)`)

// attempt is what a domU's agent tries and must be refused (Domain.Forbidden
// of package hypercall).
var attempt = regexp.MustCompile(`^status current=d[1-9][0-9]* .*tclass=event`)

// denials lists what a policy denied, without the one attempt of the domU's
// agent. A policy that denies what a benchmark does makes it measure something
// else than in the other builds.
func denials(console string) []string {
	var list []string
	expected := 1
	for _, m := range denied.FindAllStringSubmatch(console, -1) {
		what := m[1] + " " + strings.TrimSpace(m[2])
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
	for _, d := range denials(string(text)) {
		m.tell("denied by the policy: %s", d)
		for i := range samples {
			samples[i].Warnings = append(samples[i].Warnings, "the policy denied something in this boot: "+d)
		}
	}
}
