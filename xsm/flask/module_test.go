package flask

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"xsmbench/xsm/flask/ss"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/policy"
)

// host is a machine as hooks see it: domains with labels, frames with owners.
type host struct {
	t  testing.TB
	m  *Module
	op *xsm.Operations

	mu      sync.Mutex
	console []string

	domains map[abi.DomID]*xsm.Domain
	frames  map[abi.MFN]*xsm.Page
	idle    *xsm.VCPU
	dom0    *xsm.VCPU
}

func (h *host) Page(m abi.MFN) *xsm.Page        { return h.frames[m] }
func (h *host) Domain(id abi.DomID) *xsm.Domain { return h.domains[id] }
func (h *host) cpu(id abi.DomID, cpu int) *xsm.VCPU {
	return &xsm.VCPU{Domain: h.domains[id], CPU: cpu}
}
func (h *host) vcpu(name string) *xsm.VCPU { return &xsm.VCPU{Domain: h.byName(name)} }
func (h *host) printk(line string)         { h.mu.Lock(); h.console = append(h.console, line); h.mu.Unlock() }
func (h *host) said() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.console
	h.console = nil
	return c
}
func (h *host) alloc(id abi.DomID, priv bool) *xsm.Domain {
	d := &xsm.Domain{ID: id, Privileged: priv, Frames: h, Domains: h}
	if rc := h.op.AllocSecurityDomain(h.idle, d); rc != 0 {
		h.t.Fatalf("alloc_security_domain: %v", rc)
	}
	h.domains[id] = d
	return d
}

// guests are the domains of the test host, in the order of their identifiers
// from 1; frame n of the host is domain n's.
var guests = []string{"domU", "isolated_domU", "prot_domU", "nomigrate", "hvm_domU", "dombuild", "xenstore", "nicdom", "blkdom"}

func (h *host) byName(name string) *xsm.Domain {
	switch name {
	case "dom0":
		return h.domains[0]
	case "xen":
		return h.idle.Domain
	case "unlabeled":
		return h.domains[100]
	case "domU2":
		return h.domains[101]
	case "isolated2":
		return h.domains[102]
	}
	for i, g := range guests {
		if g == name {
			return h.domains[abi.DomID(i+1)]
		}
	}
	h.t.Fatalf("no domain %q", name)
	return nil
}

// bootHost boots with a policy: idle domain, dom0.
func bootHost(t testing.TB, pol []byte) *host {
	h := &host{t: t, domains: make(map[abi.DomID]*xsm.Domain), frames: make(map[abi.MFN]*xsm.Page)}
	h.m = newModule(true, ss.RejectUnknown, h.printk)
	h.op = h.m.operations()
	if err := h.m.loadPolicy(0, pol); err != nil {
		t.Fatal(err)
	}
	h.idle = &xsm.VCPU{}
	h.idle.Domain = h.alloc(abi.DomIdle, true)
	d := h.alloc(0, true)
	if rc := h.op.DomainCreate(h.idle, d, 0); rc != 0 {
		t.Fatalf("create dom0: %v %q", rc, h.said())
	}
	h.dom0 = &xsm.VCPU{Domain: d}
	return h
}

// newHost boots, then dom0 makes a guest of every kind.
func newHost(t testing.TB, enforcing bool) *host {
	h := bootHost(t, policy.Binary)
	d := h.dom0.Domain
	h.frames[0] = &xsm.Page{Owner: h.alloc(abi.DomIO, false)}
	h.frames[50] = &xsm.Page{Owner: d}
	h.frames[51] = &xsm.Page{Owner: h.alloc(abi.DomXen, false)}
	h.frames[52] = &xsm.Page{}
	create := func(id abi.DomID, name, context string) {
		sid, err := h.m.server.ContextToSID(context)
		if err != nil {
			t.Fatal(err)
		}
		creator := h.dom0
		if name == "prot_domU" {
			creator = h.vcpu("dombuild")
		}
		g := h.alloc(id, false)
		if rc := h.op.DomainCreate(creator, g, sid); rc != 0 {
			t.Fatalf("create %s: %v %q", name, rc, h.said())
		}
		h.frames[abi.MFN(id)] = &xsm.Page{Owner: g}
	}
	create(6, "dombuild", "system_u:system_r:dombuild_t")
	for i, g := range guests {
		role := "vm_r"
		switch g {
		case "dombuild":
			continue
		case "xenstore", "nicdom", "blkdom":
			role = "system_r"
		}
		create(abi.DomID(i+1), g, "system_u:"+role+":"+g+"_t")
	}
	create(101, "domU2", "customer_1:vm_r:domU_t")
	create(102, "isolated2", "customer_2:vm_r:isolated_domU_t")
	h.alloc(100, false)
	h.m.enforcing.Store(enforcing)
	if s := h.said(); len(s) != 0 {
		t.Fatalf("boot audited %q", s)
	}
	return h
}

func (h *host) evtchn() *xsm.Evtchn {
	c := &xsm.Evtchn{}
	if rc := h.op.AllocSecurityEvtchn(h.dom0, c); rc != 0 {
		h.t.Fatal(rc)
	}
	return c
}

// channel connects a to b and returns a's end.
func (h *host) channel(a, b string) *xsm.Evtchn {
	c1, c2 := h.evtchn(), h.evtchn()
	if rc := h.op.EvtchnUnbound(h.vcpu(b), h.byName(b), c2, h.byName(a).ID); rc != 0 {
		h.t.Fatalf("%s: alloc unbound for %s: %v %q", b, a, rc, h.said())
	}
	if rc := h.op.EvtchnInterdomain(h.vcpu(a), h.byName(a), c1, h.byName(b), c2); rc != 0 {
		h.t.Fatalf("%s: bind interdomain to %s: %v %q", a, b, rc, h.said())
	}
	return c1
}

// TestBoot checks the labels that the boot and the transitions give.
func TestBoot(t *testing.T) {
	h := newHost(t, true)
	for name, want := range map[string]string{
		"xen": "system_u:system_r:xen_t", "dom0": "system_u:system_r:dom0_t",
		"domU": "system_u:vm_r:domU_t", "domU2": "customer_1:vm_r:domU_t",
		"unlabeled": "system_u:object_r:unlabeled_t",
	} {
		if have := h.m.context(domainSID(h.byName(name))); have != want {
			t.Errorf("%s is %s, want %s", name, have, want)
		}
	}
	var info abi.DomainInfo
	if h.op.SecurityDomainInfo(h.dom0, h.byName("domU"), &info); info.SSIDRef != sidDomU {
		t.Errorf("ssidref of domU is %d, want %d", info.SSIDRef, sidDomU)
	}
	c := h.channel("dom0", "domU")
	if have, want := h.m.context(evtchnSID(c)), "system_u:object_r:dom0_domU_evchn_t"; have != want {
		t.Errorf("dom0's end is %s, want %s", have, want)
	}
	h.op.EvtchnClosePost(h.dom0, c)
	if evtchnSID(c) != sidUnlabeled {
		t.Error("a closed channel keeps its label")
	}
	h.op.FreeSecurityEvtchn(h.dom0, c)
	h.op.FreeSecurityDomain(h.dom0, h.byName("domU2"))
	if c.SSID != nil || h.byName("domU2").SSID != nil {
		t.Error("labels left after free")
	}
}

// TestCreate checks that what a creator has set aside is used once.
func TestCreate(t *testing.T) {
	h := newHost(t, true)
	d := h.alloc(30, false)
	if rc := h.op.DomainCreate(h.idle, d, sidDom0); rc != 0 {
		t.Errorf("xen creates dom0_t: %v", rc)
	}
	if rc := h.op.DomainCreate(h.idle, h.alloc(31, false), sidDomU); rc != -abi.EACCES {
		t.Errorf("xen creates domU_t: %v, want -EACCES", rc)
	}
	d = h.alloc(32, false)
	if rc := h.op.DomainCreate(h.dom0, d, 0); rc != -abi.EACCES || domainSID(d) != sidUnlabeled {
		t.Errorf("dom0 creates an unlabeled domain: %v", rc)
	}
	h.dom0.Domain.SSID.(*domainSecurity).createSID = sidDomU
	if rc := h.op.DomainCreate(h.dom0, d, 0); rc != 0 || domainSID(d) != sidDomU {
		t.Errorf("dom0 creates what it has set aside: %v, label %d", rc, domainSID(d))
	}
	if rc := h.op.DomainCreate(h.dom0, h.alloc(33, false), 0); rc != -abi.EACCES {
		t.Errorf("dom0 creates a second domain with it: %v", rc)
	}
	h.op.CompleteInit(h.dom0, d)
	if domainSID(d) != sidDom0 {
		t.Error("complete_init does not label")
	}
}

// TestLabelless checks that objects that came before the module are treated as
// unlabeled.
func TestLabelless(t *testing.T) {
	h := newHost(t, true)
	d := &xsm.Domain{ID: 77, Frames: h, Domains: h}
	cur := &xsm.VCPU{Domain: d}
	if rc := h.op.PauseDomain(cur, h.byName("domU")); rc != -abi.EACCES {
		t.Errorf("pause by a domain without label: %v", rc)
	}
	if rc := h.op.DomainCreate(cur, d, sidDomU); rc != -abi.EACCES {
		t.Errorf("create by a domain without label: %v", rc)
	}
	if rc := h.op.EvtchnSend(h.vcpu("domU"), h.byName("domU"), &xsm.Evtchn{}); rc != 0 {
		t.Errorf("send on a channel without label: %v", rc)
	}
	h.op.FreeSecurityEvtchn(h.dom0, nil)
}

// TestNoPolicy checks that everything is allowed until a policy is there.
func TestNoPolicy(t *testing.T) {
	h := &host{t: t, domains: make(map[abi.DomID]*xsm.Domain)}
	h.m = newModule(true, ss.RejectUnknown, h.printk)
	h.op = h.m.operations()
	d := h.alloc(5, false)
	cur := &xsm.VCPU{Domain: d}
	if rc := h.op.Kexec(cur); rc != 0 {
		t.Errorf("kexec without policy: %v", rc)
	}
	if rc := h.op.EvtchnUnbound(cur, d, h.evtchn(), abi.DomSelf); rc != 0 {
		t.Errorf("alloc_unbound without policy: %v", rc)
	}
	if err := h.m.loadPolicy(0, policy.Binary); err != nil {
		t.Fatal(err)
	}
	if rc := h.op.Kexec(cur); rc != -abi.EACCES {
		t.Errorf("kexec by an unlabeled domain after the load: %v", rc)
	}
}

// TestPermissive checks that permissive mode allows and audits a tuple once.
func TestPermissive(t *testing.T) {
	h := newHost(t, false)
	domU, dom0 := h.vcpu("domU"), h.byName("dom0")
	for range 3 {
		if rc := h.op.PauseDomain(domU, dom0); rc != 0 {
			t.Fatalf("pause in permissive mode: %v", rc)
		}
	}
	if s := h.said(); len(s) != 1 {
		t.Errorf("audited %d times, want once: %q", len(s), s)
	}
	if rc := h.op.UnpauseDomain(domU, dom0); rc != 0 {
		t.Fatal(rc)
	}
	if s := h.said(); len(s) != 1 || !strings.Contains(s[0], "{ unpause }") {
		t.Errorf("another permission audited as %q", s)
	}
	xsmOp(t, h, h.dom0, OpSetEnforce, "1", 0, "")
	if rc := h.op.PauseDomain(domU, dom0); rc != -abi.EACCES {
		t.Errorf("pause once enforcing: %v", rc)
	}
}

// TestAudit checks the line that a denial prints.
func TestAudit(t *testing.T) {
	h := newHost(t, true)
	h.op.PauseDomain(h.vcpu("domU"), h.byName("dom0"))
	h.op.MMUNormalUpdate(h.vcpu("domU"), h.byName("domU"), abi.MkPte(50, abi.PtePresent|abi.PteRW))
	h.op.AssignVector(h.vcpu("domU"), h.byName("domU"), 11)
	h.op.IRQPermission(h.vcpu("dom0"), h.byName("domU"), 4, 1)
	want := []string{
		"avc:  denied  { pause } for domid=1 scontext=system_u:vm_r:domU_t tcontext=system_u:system_r:dom0_t tclass=domain",
		"avc:  denied  { map_read map_write } for domid=1 scontext=system_u:vm_r:domU_t tcontext=system_u:system_r:dom0_t tclass=mmu",
		"avc:  denied  { vector } for domid=1 scontext=system_u:vm_r:domU_t tcontext=system_u:object_r:nic_irq_t tclass=event",
		"avc:  denied  { use } for domid=0 device=0x4 scontext=system_u:vm_r:domU_t tcontext=system_u:object_r:serial_irq_t tclass=resource",
	}
	have := h.said()
	if fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("audited\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}
