package xen

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDenials(t *testing.T) {
	const (
		tried  = "(XEN) avc:  denied  { status } for current=d1 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:unlabeled_t tclass=event\n"
		byDom0 = "(XEN) avc:  denied  { status } for current=d0 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:unlabeled_t tclass=event\n"
		send   = "(XEN) avc:  denied  { send } for current=d1 scontext=system_u:system_r:domU_t tcontext=system_u:system_r:dom0_t tclass=event\n"
	)
	tests := []struct {
		name, console string
		want          []string
	}{
		{"nothing", "(XEN) Brought up 1 CPUs\n", nil},
		{"the attempt", tried, nil},
		{"the attempt again", tried + tried, []string{"status current=d1 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:unlabeled_t tclass=event"}},
		{"dom0's", byDom0, []string{"status current=d0 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:unlabeled_t tclass=event"}},
		{"another operation", tried + send, []string{"send current=d1 scontext=system_u:system_r:domU_t tcontext=system_u:system_r:dom0_t tclass=event"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, denials(tt.console)); d != "" {
				t.Error(d)
			}
		})
	}
}
