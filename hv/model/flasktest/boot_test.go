//go:build xsm && flask

package flasktest

import (
	"encoding/binary"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/hv/model"
	"xsmbench/xsm"
	"xsmbench/xsm/flask"
	"xsmbench/xsm/flask/policy"
)

// TestInUse checks that it is FLASK that answers: its hypercall does, its cache
// is looked into by hooks, and domains have its labels.
func TestInUse(t *testing.T) {
	w := newWorld(t, "", policy.Binary)
	w.dom0.do(t, func(v *model.VCPU) {
		if text, rc := flaskOp(v, flask.OpGetEnforce, ""); rc != 0 || text != "1" {
			t.Errorf("getenforce: %q, %s", text, number(rc))
		}
		before, _ := flaskOp(v, flask.OpAVCCacheStats, "")
		call(v, abi.EventChannelOp, abi.EVTCHNOPStatus, &abi.EvtchnStatus{Dom: abi.DomSelf})
		if after, _ := flaskOp(v, flask.OpAVCCacheStats, ""); after == before {
			t.Errorf("a hook leaves the cache's statistics as they were: %q", after)
		}
		for id, want := range map[abi.DomID]string{
			0: "system_u:system_r:dom0_t", w.domU.id: label("domU_t"), w.isolated.id: label("isolated_domU_t"),
			w.kept.id: label("nomigrate_t"), w.hvm: label("nomigrate_t"),
		} {
			op := &abi.Domctl{Cmd: abi.DomctlGetDomainInfo, DomID: id}
			if rc := domctl(v, op); rc != 0 {
				t.Errorf("getdomaininfo of domain %d: %s", id, number(rc))
			}
			if sid := sidOf(v, want); sid == 0 || op.Info.SSIDRef != sid {
				t.Errorf("domain %d has label %d, want %d, %s", id, op.Info.SSIDRef, sid, want)
			}
		}
	})
}

// TestPolicyModule boots with the policy, or what passes for one, among the
// boot modules in several places.
func TestPolicyModule(t *testing.T) {
	good := xsm.BootModule{Name: policy.FileName, Data: policy.Binary}
	initrd := xsm.BootModule{Name: "initrd", Data: []byte("files")}
	bad := func(data []byte) xsm.BootModule { return xsm.BootModule{Name: "policy", Data: data} }
	swapped := append([]byte(nil), policy.Binary...)
	binary.BigEndian.PutUint32(swapped, binary.LittleEndian.Uint32(swapped))
	for _, c := range []struct {
		name     string
		modules  []xsm.BootModule
		fails    string // in the error of the boot; "" for a boot
		says     string // once, on the console
		initrd   string // what dom0 gets
		unloaded bool   // everything is allowed
	}{
		{"policy first", []xsm.BootModule{good, initrd}, "", "Flask:  Loaded a policy", "files", false},
		{"policy last", []xsm.BootModule{initrd, good}, "", "Flask:  Loaded a policy", "files", false},
		{"policy only", []xsm.BootModule{good}, "", "Flask:  Loaded a policy", "", false},
		{"none", []xsm.BootModule{initrd}, "", "Flask:  No policy among the boot modules", "files", true},
		{"wrong magic", []xsm.BootModule{initrd, bad(swapped)}, "", "Flask:  No policy among the boot modules", "files", true},
		{"truncated", []xsm.BootModule{initrd, bad(policy.Binary[:3000])}, "create domain 0", "policy ends early", "", false},
		{"header only", []xsm.BootModule{initrd, bad(policy.Binary[:8])}, "create domain 0", "policy ends early", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest("dom0_t")
			_, s, err := boot(t, g, "", c.modules...)
			console := s.take()
			if strings.Count(console, c.says) != 1 {
				t.Errorf("console lacks one %q:\n%s", c.says, console)
			}
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), "\n") {
					t.Errorf("boot: %v, want …%s…", err, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			g.do(t, func(v *model.VCPU) {
				if string(g.si.Module) != c.initrd {
					t.Errorf("dom0's initrd is %q, want %q", g.si.Module, c.initrd)
				}
				// Without a policy, dom0 may make a domain that has no label.
				want := no(abi.ENOMEM)
				if c.unloaded {
					want = ok
				}
				if rc := domctl(v, &abi.Domctl{Cmd: abi.DomctlCreateDomain}); ret(rc) != want {
					t.Errorf("createdomain without a label: %s, want %v", number(rc), want)
				}
			})
		})
	}
}
