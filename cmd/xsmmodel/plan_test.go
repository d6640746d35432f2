package main

import (
	"strings"
	"testing"

	"xsmbench/bench"
)

// FuzzReadPlan reads any text as a plan: what it takes can be measured.
func FuzzReadPlan(f *testing.F) {
	f.Add(`{"domains": ["dom0", "domU"], "benchmarks": ["Lmbench/lat_proc/op=fork"], "workload": "idle"}`)
	f.Add(`{"Domains": ["dom1"]}`)
	f.Add(`{"Benchmarks": ["x"]} {`)
	f.Add(`{"Options": {"Windows": -1}}`)
	f.Fuzz(func(t *testing.T, text string) {
		plan, err := readPlan("-", strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "read plan standard input: ") {
				t.Errorf("the error does not name its source: %v", err)
			}
			return
		}
		for _, d := range plan.Domains {
			if d != dom0Name && d != domUName {
				t.Errorf("domain %q was taken", d)
			}
		}
		for _, b := range plan.Benchmarks {
			if _, ok := bench.Find(b); !ok {
				t.Errorf("benchmark %q was taken", b)
			}
		}
	})
}
