package flask

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xsmbench/xsm"
	"xsmbench/xsm/flask/ss"
)

// TestNeedless reads the hooks' source: the permissions that are named nowhere
// but where they are declared are those that no hook asks for.
func TestNeedless(t *testing.T) {
	used := make(map[string]bool)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "classes.go" {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				used[id.Name] = true
			}
			return true
		})
	}
	// The server is told which permission lets a domain change its role, and
	// limits it, but no hook asks for it.
	delete(used, "domainTransition")
	want := make(map[string]bool)
	for _, p := range Permissions() {
		class, perm, _ := strings.Cut(p, " ")
		name := class
		for part := range strings.SplitSeq(perm, "_") {
			name += strings.ToUpper(part[:1]) + part[1:]
		}
		if !used[name] {
			want[p] = true
		}
	}
	have := make(map[string]bool)
	for p, why := range Needless {
		if why == noHook {
			have[p] = true
		}
	}
	if !maps.Equal(want, have) {
		t.Errorf("no hook asks for %q, the table has %q", slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(have)))
	}
	for _, s := range StandIns {
		if Needless[s.Permission] != "" || !slices.Contains(Permissions(), s.Permission) {
			t.Errorf("%s needs no stand-in", s.Permission)
		}
	}
}

// release is a policy of the shape of those of a later Xen: initial SIDs in
// their order, classes with their permissions.
type release struct {
	sids    []string
	domain  string // further permissions of class domain
	classes string // further classes and permissions
	rules   string
}

// later are the vocabularies of 4.2, 4.6 and 4.17 as far as the test goes.
var later = map[string]release{
	"4.2":  {sids: []string{"xen", "dom0", "domio", "domxen", "unlabeled", "security", "ioport", "iomem", "irq", "device"}, domain: "setvcpuaffinity getvcpuaffinity scheduler"},
	"4.6":  {sids: []string{"xen", "dom0", "domio", "domxen", "unlabeled", "security", "ioport", "iomem", "irq", "device", "domU", "domDM"}, domain: "setaffinity getaffinity getscheduler", classes: "domain2"},
	"4.17": {sids: []string{"xenboot", "xen", "dom0", "domio", "domxen", "unlabeled", "security", "ioport", "iomem", "irq", "device", "domU", "domDM"}, domain: "setaffinity getaffinity getscheduler", classes: "domain2", rules: "allow xenboot_t dom0_t:domain create;"},
}

// source writes a policy: everything that the hooks ask for is allowed to
// dom0_t, under the release's names, with classes in an order of their own.
func (r release) source() string {
	perms := map[string][]string{"domain": strings.Fields(r.domain)}
	for _, p := range Permissions() {
		class, name, _ := strings.Cut(p, " ")
		stand := standIns()[p]
		if Needless[p] != "" && class != "domain" || class == "domain" && (strings.HasSuffix(name, "affinity") || name == "scheduler") || stand != nil && (r.classes != "" || class == "event") {
			continue
		}
		perms[class] = append(perms[class], name)
	}
	perms["resource"] = append(perms["resource"], "setup")
	if r.classes != "" {
		perms["domain2"] = []string{"setscheduler"}
		perms["xen"] = append(perms["xen"], "getscheduler")
		perms["xen2"] = []string{"pmu_use", "pmu_ctrl"}
		perms["hvm"] = append(perms["hvm"], "dm")
	}
	names := slices.Sorted(maps.Keys(perms))
	var b strings.Builder
	for _, c := range names {
		fmt.Fprintf(&b, "class %s\n", c)
	}
	for _, s := range r.sids {
		fmt.Fprintf(&b, "sid %s\n", s)
	}
	for _, c := range names {
		fmt.Fprintf(&b, "class %s { %s }\n", c, strings.Join(perms[c], " "))
	}
	for _, s := range r.sids {
		fmt.Fprintf(&b, "type %s_t;\n", s)
	}
	b.WriteString("type self_t;\n")
	if !slices.Contains(r.sids, "domU") {
		b.WriteString("type domU_t;\n")
	}
	for _, c := range names {
		for _, target := range []string{"dom0_t", "xen_t", "domU_t", "irq_t", "security_t", "self_t"} {
			fmt.Fprintf(&b, "allow dom0_t %s:%s { %s };\n", target, c, strings.Join(perms[c], " "))
		}
	}
	if r.classes == "" {
		b.WriteString("allow xen_t dom0_t:domain create;\n")
	}
	b.WriteString(r.rules + "\ntype_transition domU_t domU_t:domain self_t;\nallow domU_t self_t:mmu stat;\nrole system_r;\nrole system_r types { self_t domU_t")
	for _, s := range r.sids {
		fmt.Fprintf(&b, " %s_t", s)
	}
	b.WriteString(" };\nuser system_u roles system_r;\n")
	for _, s := range r.sids {
		fmt.Fprintf(&b, "sid %s system_u:system_r:%s_t\n", s, s)
	}
	return b.String()
}

func (r release) compile(t *testing.T) []byte {
	t.Helper()
	return compile(t, []byte(r.source()), 30)
}

// TestLaterReleases boots with policies in the words of later releases, and has
// dom0 create a domain and do to it what they call otherwise.
func TestLaterReleases(t *testing.T) {
	for name, r := range later {
		bin := r.compile(t)
		label, err := Check(bin, xsm.PolicyOptions{})
		if want := "system_u:system_r:domU_t"; label != want || err != nil {
			t.Errorf("%s: domU is labelled %q, %v, want %q", name, label, err, want)
			continue
		}
		h := bootHost(t, bin)
		d := h.alloc(1, false)
		sid, err := h.m.server.ContextToSID(label)
		if err != nil {
			t.Fatal(err)
		}
		cur := h.dom0
		for hook, rc := range map[string]int{
			"domain_create":     int(h.op.DomainCreate(cur, d, sid)),
			"scheduler":         int(h.op.Scheduler(cur, d)),
			"vcpuaffinity":      int(h.op.VCPUAffinity(cur, 9, d)),
			"assign_vector":     int(h.op.AssignVector(cur, cur.Domain, 3)),
			"getmemlist":        int(h.op.GetMemList(cur, d)),
			"hvm_isa_irq_level": int(h.op.HVMSetISAIRQLevel(cur, d)),
			"domU on itself":    int(h.op.MemoryStatReservation(cur, d, d)),
			"schedop_shutdown":  int(h.op.SchedopShutdown(cur, cur.Domain, d)),
			"kexec":             int(h.op.Kexec(cur)),
			"evtchn_send, IPI":  int(h.op.EvtchnSend(cur, cur.Domain, h.evtchn())),
		} {
			if rc != 0 {
				t.Errorf("%s: %s: %d, console %q", name, hook, rc, h.said())
			}
		}
		if c := h.m.context(domainSID(h.idle.Domain)); c != "system_u:system_r:xen_t" {
			t.Errorf("%s: Xen is labelled %s once dom0 is there", name, c)
		}
	}
}

// TestUnknownPermissions: what a policy lacks is named, denied or allowed.
func TestUnknownPermissions(t *testing.T) {
	r := later["4.2"]
	r.domain = "setvcpuaffinity" // neither getvcpuaffinity nor scheduler
	bin := r.compile(t)
	const want = "the policy lacks what the hypervisor asks for: permissions domain { getvcpuaffinity scheduler }"
	if _, err := Check(bin, xsm.PolicyOptions{}); !errors.Is(err, ss.ErrMissing) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	for how, allowed := range map[string]bool{"deny": false, "allow": true} {
		unknown, err := ss.ParseUnknown(how)
		if err != nil {
			t.Fatal(err)
		}
		m := newModule(true, unknown, func(string) {})
		if err := m.loadPolicy(0, bin); err != nil {
			t.Fatal(err)
		}
		d, err := m.server.ComputeAV(sidDom0, sidXen, classDomain)
		if err != nil || d.Allowed&domainGetvcpuaffinity != 0 != allowed || d.Allowed&domainSetvcpuaffinity == 0 {
			t.Errorf("%s: allowed %#x, %v", how, d.Allowed, err)
		}
	}
}
