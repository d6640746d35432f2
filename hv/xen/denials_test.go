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
	const (
		atStart   = "(XEN) avc:  denied  { get_domain_state } for current=d0 target=d32754 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:domxen_t tclass=domain2\n"
		enforces  = "xsmbench: FLASK enforces from here on\r\n"
		state     = "get_domain_state current=d0 target=d32754 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:domxen_t tclass=domain2"
		sendState = "send current=d1 scontext=system_u:system_r:domU_t tcontext=system_u:system_r:dom0_t tclass=event"
	)
	tests := []struct {
		name, console string
		want          []string
		early         []string
	}{
		{"at xenstored's start", atStart + atStart + enforces + tried, nil, []string{state}},
		{"at its start, by a FLASK that enforces", atStart, []string{state}, nil},
		{"later", atStart + enforces + tried + atStart, []string{state}, []string{state}},
		{"another before", send + enforces, []string{sendState}, nil},
		{"of a benchmark that ended", tried + byDom0 + "xsmbench: the policy refused Kbench/x\r\n", nil, nil},
		{"before a benchmark that ended", tried + send + byDom0 + "xsmbench: the policy refused Kbench/x\r\n", []string{sendState}, nil},
		{"after a benchmark that ended", tried + byDom0 + "xsmbench: the policy refused Kbench/x\r\n" + send, []string{sendState}, nil},
		{"of a benchmark that ended, and then of xenstored", byDom0 + atStart + "xsmbench: the policy refused Kbench/x\r\n", []string{state}, nil},
		{"of no benchmark", tried + "xsmbench: the policy refused Kbench/x\r\n" + send, []string{sendState}, nil},
		{"nothing", "(XEN) Brought up 1 CPUs\n", nil, nil},
		{"the attempt", tried, nil, nil},
		{"the attempt again", tried + tried, []string{"status current=d1 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:unlabeled_t tclass=event"}, nil},
		{"dom0's", byDom0, []string{"status current=d0 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:unlabeled_t tclass=event"}, nil},
		{"another operation", tried + send, []string{"send current=d1 scontext=system_u:system_r:domU_t tcontext=system_u:system_r:dom0_t tclass=event"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, early := denials(tt.console)
			if d := cmp.Diff([][]string{tt.want, tt.early}, [][]string{list, early}); d != "" {
				t.Error(d)
			}
		})
	}
}
