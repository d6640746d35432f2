package bench_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
)

func TestProfileAdd(t *testing.T) {
	path := func(function string, calls, instructions int64) bench.Path {
		return bench.Path{Handler: "do_sysctl", Function: function, Calls: calls, Instructions: instructions}
	}
	tests := []struct {
		name  string
		p, q  []bench.Path
		times int64
		want  []bench.Path
	}{
		{"nothing", nil, nil, 1, []bench.Path{}},
		{"another function", []bench.Path{path("b", 1, 10)}, []bench.Path{path("a", 2, 20)}, 1, []bench.Path{path("a", 2, 20), path("b", 1, 10)}},
		{"the same", []bench.Path{path("a", 1, 10)}, []bench.Path{path("a", 2, 20)}, 3, []bench.Path{path("a", 7, 70)}},
		{"subtracted to nothing", []bench.Path{path("a", 1, 10)}, []bench.Path{path("a", 1, 10)}, -1, []bench.Path{}},
		{"subtracted below nothing", []bench.Path{path("a", 1, 10)}, []bench.Path{path("a", 1, 14)}, -1, []bench.Path{path("a", 0, -4)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := bench.Profile{Windows: 1, Ops: 1, Paths: tt.p}
			p.Add(bench.Profile{Paths: tt.q}, tt.times)
			if d := cmp.Diff(tt.want, p.Paths); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestProfileAttributed(t *testing.T) {
	p := bench.Profile{Windows: 2, Ops: 4, Paths: []bench.Path{
		{Function: "lstar_enter", Calls: 2, Instructions: 464},
		{Hook: "evtchn_send", Function: "evtchn_send", Part: bench.PartSite, Calls: 8, Instructions: 64},
		{Hook: "evtchn_send", Function: "avc_has_perm", Part: bench.PartBody, Calls: 24, Instructions: 800},
		{Hook: "evtchn_send", Function: "__x86_return_thunk", Part: bench.PartThunk, Calls: 16, Instructions: 16},
	}}
	if xsm, hooks := p.Attributed(); xsm != 110 || hooks != 1 {
		t.Errorf("%v instructions, %v hooks; want 110, 1", xsm, hooks)
	}
}
