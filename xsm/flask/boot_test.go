package flask

import (
	"fmt"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/policy"
)

// TestInitcall boots the framework with the module in each way that the
// command line and the boot modules choose. In builds without the framework
// registration finds no dummy to take the place of, which is a case of its own.
func TestInitcall(t *testing.T) {
	for _, c := range []struct {
		cmdline string
		policy  []byte
		rc      abi.Errno
		said    string // in what it prints
		kexec   abi.Errno
	}{
		{"", policy.Binary, 0, "enforcing mode", -abi.EACCES},
		{"flask_enforcing=1", policy.Binary, 0, "enforcing mode", -abi.EACCES},
		{"flask_enforcing=0", policy.Binary, 0, "permissive mode", 0},
		{"flask_enabled=0", policy.Binary, 0, "Disabled at boot", 0},
		{"", nil, 0, "everything is allowed", 0},
		{"", policy.Binary[:1000], -abi.EINVAL, "policy ends early", -abi.EACCES},
	} {
		var console strings.Builder
		b := &xsm.Boot{CmdLine: c.cmdline, Policy: c.policy, Printk: func(f string, a ...any) { fmt.Fprintf(&console, f+"\n", a...) }}
		if !xsm.Enabled {
			if rc := boot(b); c.cmdline != "flask_enabled=0" && rc != -abi.EAGAIN {
				t.Errorf("%q without the framework: %v", c.cmdline, rc)
			}
			continue
		}
		if rc := xsm.Init(&xsm.Boot{CmdLine: "flask_enabled=0"}); rc != 0 { // the dummy again
			t.Fatal(rc)
		}
		if rc := boot(b); rc != c.rc {
			t.Errorf("%q: %v, want %v", c.cmdline, rc, c.rc)
		}
		if !strings.Contains(console.String(), c.said) {
			t.Errorf("%q printed %q, want %q in it", c.cmdline, console.String(), c.said)
		}
		d := &xsm.Domain{ID: 1}
		cur := &xsm.VCPU{Domain: d}
		if rc := xsm.AllocSecurityDomain(cur, d); rc != 0 {
			t.Fatal(rc)
		}
		if rc := xsm.Kexec(cur); rc != c.kexec {
			t.Errorf("%q: kexec by an unlabeled domain: %v, want %v", c.cmdline, rc, c.kexec)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		policy []byte
		o      xsm.PolicyOptions
		label  string // "" for an error
		text   string
	}{
		{policy.Binary, xsm.PolicyOptions{}, "system_u:vm_r:domU_t", ""},
		{policy.Binary, xsm.PolicyOptions{Unknown: "deny", Label: "customer_1:vm_r:domU_t"}, "customer_1:vm_r:domU_t", ""},
		{policy.Binary, xsm.PolicyOptions{Label: "system_u:vm_r:domX_t"}, "", `no type "domX_t"`},
		{policy.Binary, xsm.PolicyOptions{Unknown: "perhaps"}, "", `"perhaps" is none of reject, deny, allow`},
		{[]byte("no policy"), xsm.PolicyOptions{}, "", "not a policy"},
	} {
		label, err := Check(c.policy, c.o)
		if c.label != "" && (label != c.label || err != nil) || c.label == "" && (err == nil || !strings.Contains(err.Error(), c.text)) {
			t.Errorf("%+v: %q, %v", c.o, label, err)
		}
	}
}
