package xen

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/xen/qemu"
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
	const triedState = "status current=d1 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:unlabeled_t tclass=event"
	bad := func(what string) denial { return denial{what: what} }
	early, known, done := denial{state, true, noteEarly}, denial{state, true, noteXenstored}, denial{sendState, true, notePermissive}
	flask := hv.Build{Name: "flask"}
	lax := hv.Build{Name: "lax", Kind: "flask", Options: []string{"flask=permissive"}}
	tests := []struct {
		name, console string
		build         hv.Build
		late          bool // as the tree's policy wants it
		policy        string
		want          []denial
	}{
		{"at xenstored's start", atStart + atStart + enforces + tried, flask, true, "", []denial{early}},
		{"at its start, by a policy that allows it later", atStart, flask, false, "", []denial{bad(state)}},
		{"at the end of domains", atStart + enforces + tried + atStart + atStart, flask, true, "", []denial{early, known}},
		{"at the end of domains, by another policy", enforces + atStart + atStart, flask, true, "my.pol", []denial{bad(state), bad(state)}},
		{"at the end of domains, and another", enforces + atStart + send, flask, true, "", []denial{known, bad(sendState)}},
		{"another before", send + enforces, flask, true, "", []denial{bad(sendState)}},
		{"permissive", tried + send + send, lax, false, "", []denial{done}},
		{"permissive, of xenstored", atStart + atStart, lax, true, "", []denial{{state, true, notePermissive}}},
		{"of a benchmark that ended", tried + byDom0 + "xsmbench: the policy refused Kbench/x\r\n", flask, false, "", nil},
		{"before a benchmark that ended", tried + send + byDom0 + "xsmbench: the policy refused Kbench/x\r\n", flask, false, "", []denial{bad(sendState)}},
		{"after a benchmark that ended", tried + byDom0 + "xsmbench: the policy refused Kbench/x\r\n" + send, flask, false, "", []denial{bad(sendState)}},
		{"of a benchmark that ended, and then of xenstored", byDom0 + atStart + "xsmbench: the policy refused Kbench/x\r\n", flask, false, "", []denial{bad(state)}},
		{"of no benchmark", tried + "xsmbench: the policy refused Kbench/x\r\n" + send, flask, false, "", []denial{bad(sendState)}},
		{"nothing", "(XEN) Brought up 1 CPUs\n", flask, false, "", nil},
		{"the attempt", tried, flask, false, "", nil},
		{"the attempt on 4.16", strings.ReplaceAll(tried, "current=d1", "domid=1"), flask, false, "", nil},
		{"dom0's on 4.16", strings.ReplaceAll(byDom0, "current=d0", "domid=0"), flask, false, "", []denial{bad("status domid=0 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:unlabeled_t tclass=event")}},
		{"the attempt again", tried + tried, flask, false, "", []denial{bad(triedState)}},
		{"dom0's", byDom0, flask, false, "", []denial{bad("status current=d0 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:unlabeled_t tclass=event")}},
		{"another operation", tried + send, flask, false, "", []denial{bad(sendState)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &start{img: &hv.Image{Build: tt.build}, around: &surroundings{enforceLate: tt.late}, policy: tt.policy}
			got := s.denials(tt.console)
			for i := range got {
				if !got[i].told {
					got[i].note = ""
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestDenialToldOnce: what the shipped policy denies xenstored stands once in the log of a
// boot, however many resumes and domains it has, beside no sample, and once in the report's settings.
func TestDenialToldOnce(t *testing.T) {
	const line = "(XEN) avc:  denied  { get_domain_state } for current=d0 target=d32754 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:domxen_t tclass=domain2\n"
	around := &surroundings{enforceLate: true}
	build := hv.Build{Name: "flask"}
	var log bytes.Buffer
	m := &machine{start: &start{img: &hv.Image{Build: build}, around: around}, spec: hv.BootSpec{Console: &log}}
	for range 3 {
		console := filepath.Join(t.TempDir(), "console")
		if err := os.WriteFile(console, []byte(line+line+"xsmbench: FLASK enforces from here on\r\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		samples := []bench.Measurement{{Domain: "dom0"}, {Domain: "domU"}}
		m.warnOfDenials(&watched{machine: qemu.Machine{Console: console}}, samples)
		for _, s := range samples {
			if len(s.Warnings) != 0 {
				t.Errorf("%s: %q", s.Domain, s.Warnings)
			}
		}
	}
	if n := strings.Count(log.String(), "get_domain_state"); n != 1 {
		t.Errorf("told %d times:\n%s", n, log.String())
	}
	if text := around.modeText(build); strings.Count(text, "get_domain_state") != 1 {
		t.Errorf("the setting is %q", text)
	}
}
