package xen

import (
	"strings"
	"testing"

	"xsmbench/hv"
	"xsmbench/hv/xen/protocol"
)

func TestCheck(t *testing.T) {
	none := protocol.Facts{Module: protocol.ModuleNone}
	flask := protocol.Facts{Module: protocol.ModuleFlask, Enforcing: true}
	forbidden := func(f protocol.Facts, errno int) protocol.Facts { f.Forbidden = errno; return f }
	flaskBuild := hv.Build{Name: "flask"}
	with := func(mode string) hv.Build {
		return hv.Build{Name: "lax", Kind: "flask", Options: []string{"flask=" + mode}}
	}
	permissive := protocol.Facts{Module: protocol.ModuleFlask}
	tests := []struct {
		name   string
		build  hv.Build
		domain string
		facts  protocol.Facts
		err    string
	}{
		{"native dom0", hv.Build{Name: "native"}, "dom0", none, ""},
		{"native domU", hv.Build{Name: "native"}, "domU", forbidden(none, 1), ""},
		{"silo domU", hv.Build{Name: "silo"}, "domU", forbidden(none, 1), ""},
		{"domU is allowed", hv.Build{Name: "dummy"}, "domU", none, "domU was allowed what only dom0 may"},
		{"FLASK where none should be", hv.Build{Name: "dummy"}, "dom0", flask, "FLASK answers in the build dummy"},
		{"permissive FLASK where none should be", hv.Build{Name: "silo"}, "domU", protocol.Facts{Module: protocol.ModuleFlask, Forbidden: 1}, "FLASK answers in the build silo"},
		{"flask dom0", flaskBuild, "dom0", flask, ""},
		{"flask domU", flaskBuild, "domU", forbidden(flask, 13), ""},
		{"a build by another name", hv.Build{Name: "mine", Kind: "flask"}, "domU", forbidden(flask, 13), ""},
		{"no FLASK", flaskBuild, "dom0", none, "FLASK does not answer in the build flask"},
		{"FLASK by name only", hv.Build{Name: "flask", Kind: "dummy"}, "dom0", none, ""},
		{"permissive", flaskBuild, "domU", forbidden(protocol.Facts{Module: protocol.ModuleFlask}, 13), "does not enforce"},
		{"permissive dom0", flaskBuild, "dom0", protocol.Facts{Module: protocol.ModuleFlask}, "does not enforce"},
		{"the policy allows", flaskBuild, "domU", flask, "domU was allowed"},
		{"refused by another", flaskBuild, "domU", forbidden(flask, 1), "refused with error 1, not by the policy (13)"},
		{"asked to be permissive", with("permissive"), "domU", permissive, ""},
		{"permissive, but enforces", with("permissive"), "dom0", flask, "FLASK enforces its policy in the build lax, which has it permissive"},
		{"permissive, but refuses", with("permissive"), "domU", forbidden(permissive, 13), "refused with error 13 what is allowed where nothing is enforced"},
		{"permissive, but disabled", with("permissive"), "dom0", none, "FLASK does not answer in the build lax"},
		{"asked to be disabled", with("disabled"), "domU", forbidden(none, 1), ""},
		{"disabled, but there", with("disabled"), "dom0", flask, "FLASK answers in the build lax, which should have none"},
		{"disabled, and allows", with("disabled"), "domU", none, "domU was allowed what only dom0 may"},
		{"asked to wait for a policy", with("late"), "domU", flask, ""},
		{"late, but has one", with("late"), "domU", forbidden(flask, 13), "refused with error 13 what is allowed where nothing is enforced"},
		{"no mode", flaskBuild, "domU", protocol.Facts{Module: protocol.ModuleFlask, Refused: "function not implemented"}, "cannot ask the security module for its mode: function not implemented"},
		{"a PVH domU", flaskBuild, "domU", protocol.Facts{Guest: "PVH", Module: protocol.ModuleFlask, Enforcing: true, Forbidden: 13}, ""},
		{"another domU", flaskBuild, "domU", protocol.Facts{Guest: "HVM", Module: protocol.ModuleFlask, Enforcing: true, Forbidden: 13}, "domU takes itself for a domain of kind HVM, not PVH"},
		{"nothing is known", flaskBuild, "dom0", protocol.Facts{}, "does not answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &start{img: &hv.Image{Build: tt.build}, shape: shape{domU: "pvh"}}
			err := s.check(tt.domain, tt.facts)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}
