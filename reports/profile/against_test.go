package profile

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestOpposites(t *testing.T) {
	s := func(name string, calls float64) Stand { return Stand{Name: name, Calls: calls} }
	tests := []struct {
		name       string
		old, later []Stand
		want       []Opposite
	}{
		{"neither", nil, nil, nil},
		{"the same", []Stand{s("grant_copy", 1)}, []Stand{s("grant_copy", 1)}, []Opposite{{First: s("grant_copy", 1), Second: s("grant_copy", 1), Same: true}}},
		{"another name", []Stand{s("__do_xsm_op", 1)}, []Stand{s("do_xsm_op", 1)}, []Opposite{{First: s("__do_xsm_op", 1), Second: s("do_xsm_op", 1), Why: renamed}}},
		{"more often", []Stand{s("grant_mapref", 1)}, []Stand{s("grant_mapref", 2)}, []Opposite{{First: s("grant_mapref", 1), Second: s("grant_mapref", 2), Why: twice}}},
		{"one more", nil, []Stand{s("xen_version", 8)}, []Opposite{{Second: s("xen_version", 8), Why: noHook}}},
		{"one for two", []Stand{s("pausedomain", 1), s("unpausedomain", 1)}, []Stand{s("domctl", 2)}, []Opposite{
			{First: s("pausedomain", 1), Second: s("domctl", 2), Why: onePerEntry}, {First: s("unpausedomain", 1), Second: s("domctl", 0), Why: onePerEntry},
		}},
		{"the same before another name", []Stand{s("update_va_mapping", 9), s("mmu_normal_update", 2)}, []Stand{s("mmu_update", 9), s("update_va_mapping", 2)}, []Opposite{
			{First: s("update_va_mapping", 9), Second: s("update_va_mapping", 2), Why: otherKernel},
			{First: s("mmu_normal_update", 2), Second: s("mmu_update", 9), Why: whyOf("mmu_normal_update", "mmu_update")},
		}},
		{"no reason", []Stand{s("evtchn_send", 1)}, []Stand{s("evtchn_send", 3), s("kexec", 1)}, []Opposite{
			{First: s("evtchn_send", 1), Second: s("evtchn_send", 3)}, {Second: s("kexec", 1)},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, matcher{whyOf, counts}.opposites(tt.old, tt.later)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAgainst(t *testing.T) {
	first, second := crossed(), crossed()
	first.Target = "model"
	second.Benchmarks = second.Benchmarks[:2] // dom0's
	pairs := Against(first, second, "flask")
	want := []Pair{{"dom0", status, []Opposite{{
		First: Stand{"evtchn_status", 1, 107. / 1007}, Second: Stand{"evtchn_status", 1, 107. / 1007}, Same: true,
	}}}}
	if d := cmp.Diff(want, pairs, cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Error(d)
	}
	if left := Unexplained(pairs); len(left) > 0 {
		t.Error(left)
	}
	pairs[0].Hooks = append(pairs[0].Hooks, Opposite{First: Stand{"kexec", 1, math.NaN()}})
	if d := cmp.Diff([]string{status + ": kexec against –"}, Unexplained(pairs)); d != "" {
		t.Error(d)
	}
}
