package flask

import (
	"slices"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/policy"
	"xsmbench/xsm/flask/ss"
)

// xsmOp makes the hypercall with a page for a buffer and checks its answer.
func xsmOp(t *testing.T, h *host, cur *xsm.VCPU, cmd uint32, in string, rc abi.Errno, out string) {
	t.Helper()
	op := &abi.XSMOpArgs{Cmd: cmd, Size: 4096, Buf: make([]byte, 4096)}
	copy(op.Buf, in)
	if have := h.op.DoXSMOp(cur, op); have != int64(rc) {
		t.Errorf("op %d %q: %v, want %v; %q", cmd, in, abi.Errno(have), rc, h.said())
		return
	}
	if rc != 0 {
		return
	}
	if have := strings.TrimRight(string(op.Buf[:op.Size]), "\x00"); out != "" && have != out {
		t.Errorf("op %d %q: %q, want %q", cmd, in, have, out)
	}
}

func TestOp(t *testing.T) {
	h := newHost(t, true)
	const dom0, domU = "system_u:system_r:dom0_t", "system_u:vm_r:domU_t"
	for _, c := range []struct {
		caller   string
		cmd      uint32
		in       string
		rc       abi.Errno
		out      string
		security bool // an unprivileged caller is denied
	}{
		{"dom0", OpGetEnforce, "", 0, "1", false},
		{"dom0", OpPolicyVers, "", 0, "31", false},
		{"dom0", OpGetAVCThreshold, "", 0, "512", false},
		{"dom0", OpContextToSID, domU + "\x00", 0, "3", true},
		{"dom0", OpContextToSID, "nobody:vm_r:domU_t", -abi.EINVAL, "", true},
		{"dom0", OpContextToSID, "customer_1:system_r:dom0_t", -abi.EINVAL, "", true},
		{"dom0", OpContextToSID, "system_u:vm_r:dom0_t", -abi.EINVAL, "", true},
		{"dom0", OpContextToSID, "domU_t", -abi.EINVAL, "", true},
		{"dom0", OpSIDToContext, "2", 0, dom0, true},
		{"dom0", OpSIDToContext, "4000", 0, "system_u:object_r:unlabeled_t", true},
		{"dom0", OpSIDToContext, "two", -abi.EINVAL, "", true},
		{"dom0", OpAccess, domU + " " + dom0 + " 2 2", 0, "0 ffffffff 0 ffffffff 1", true},
		{"dom0", OpAccess, domU + " " + dom0 + " 99 2", -abi.EINVAL, "", true},
		{"dom0", OpAccess, domU + " " + dom0 + " 2", -abi.EINVAL, "", true},
		{"dom0", OpCreate, dom0 + " " + domU + " 4", 0, "system_u:object_r:dom0_domU_evchn_t", true},
		{"dom0", OpCreate, dom0 + " " + domU + " 2", 0, dom0, true},
		{"dom0", OpCreate, dom0, -abi.EINVAL, "", true},
		{"dom0", OpSetAVCThreshold, "600", 0, "", true},
		{"dom0", OpGetAVCThreshold, "", 0, "600", false},
		{"dom0", OpSetAVCThreshold, "many", -abi.EINVAL, "", false},
		{"dom0", OpLoad, "", -abi.EINVAL, "", true},
		{"dom0", OpLoad, string(policy.Binary[:100]), -abi.EINVAL, "", true},
		{"dom0", OpAVCHashStats, "", 0, "", false},
		{"dom0", OpAVCCacheStats, "", 0, "", false},
		{"dom0", OpSetEnforce, "1", 0, "", false},
		{"dom0", OpSetEnforce, "maybe", -abi.EINVAL, "", false},
		{"dom0", OpRelabel, dom0 + " " + domU + " 4", 0, "system_u:object_r:domU_t", true},
		{"dom0", OpRelabel, dom0 + " " + domU + " 99", -abi.EINVAL, "", true},
		{"dom0", OpMember, dom0 + " " + domU + " 4", 0, "system_u:object_r:domU_t", true},
		{"dom0", OpMember, dom0 + ", " + domU + ", 4", -abi.EINVAL, "", true}, // 3.2 wants commas, and then finds none
		{"dom0", OpUser, dom0 + " customer_1", 0, "0", true},
		{"dom0", OpUser, dom0 + " nobody", -abi.EINVAL, "", true},
		{"dom0", OpUser, dom0, -abi.EINVAL, "", true},
		{"dom0", OpMLS, "", 0, "0", false},
		{"domU", OpMLS, "", 0, "0", false},
		{"dom0", OpGetBool, "0", -abi.EFAULT, "", false},
		{"dom0", OpGetBool, "-1", -abi.EFAULT, "", false},
		{"dom0", OpGetBool, "", -abi.EINVAL, "", false},
		{"dom0", OpSetBool, "0 1", -abi.EFAULT, "", true},
		{"dom0", OpSetBool, "-1 1", -abi.EFAULT, "", true},
		{"dom0", OpSetBool, "0", -abi.EINVAL, "", true},
		{"dom0", OpCommitBools, "1", 0, "", true},
		{"dom0", OpCommitBools, "0", 0, "", true},
		{"dom0", OpCommitBools, "all", -abi.EINVAL, "", true},
		{"dom0", OpDisable, "1", -abi.EINVAL, "", false},
		{"dom0", OpDisable, "0", 0, "", false},
		{"dom0", 0, "", -abi.ENOSYS, "", false},
		{"dom0", 21, "", -abi.ENOSYS, "", false},
	} {
		xsmOp(t, h, h.vcpu(c.caller), c.cmd, c.in, c.rc, c.out)
		if c.security {
			xsmOp(t, h, h.vcpu("unlabeled"), c.cmd, strings.Replace(c.in, "600", "700", 1), -abi.EACCES, "")
		}
	}
	xsmOp(t, h, h.vcpu("domU"), OpSetEnforce, "0", -abi.EACCES, "")
	if !h.m.enforcing.Load() {
		t.Error("domU switched enforcing off")
	}
	xsmOp(t, h, h.dom0, OpSetEnforce, "0", 0, "")
	if h.m.enforcing.Load() {
		t.Error("dom0 cannot switch enforcing off")
	}
}

func TestOpBuffer(t *testing.T) {
	h := newHost(t, true)
	for _, c := range []struct {
		op   *abi.XSMOpArgs
		want abi.Errno
	}{
		{nil, -abi.EFAULT},
		{&abi.XSMOpArgs{Cmd: OpGetEnforce, Size: 4}, -abi.EINVAL},
		{&abi.XSMOpArgs{Cmd: OpGetEnforce, Buf: make([]byte, 4)}, -abi.EINVAL},
		{&abi.XSMOpArgs{Cmd: OpGetEnforce, Size: 8, Buf: make([]byte, 4)}, -abi.EFAULT},
		{&abi.XSMOpArgs{Cmd: OpGetEnforce, Size: maxPolicySize + 1, Buf: make([]byte, 4)}, -abi.EINVAL},
		{&abi.XSMOpArgs{Cmd: OpSIDToContext, Size: 1, Buf: []byte("2")}, -abi.ERANGE},
		{&abi.XSMOpArgs{Cmd: OpAVCCacheStats, Size: 8, Buf: make([]byte, 8)}, -abi.EINVAL},
		{&abi.XSMOpArgs{Cmd: OpGetEnforce, Size: 1, Buf: make([]byte, 1)}, 0},
	} {
		if have := h.op.DoXSMOp(h.dom0, c.op); have != int64(c.want) {
			t.Errorf("%+v: %v, want %v", c.op, abi.Errno(have), c.want)
		}
	}
}

// TestOpLoad loads the first policy by hypercall, and another one.
func TestOpLoad(t *testing.T) {
	h := &host{t: t, domains: make(map[abi.DomID]*xsm.Domain)}
	h.m = newModule(true, ss.RejectUnknown, h.printk)
	h.op = h.m.operations()
	idle := &xsm.VCPU{Domain: h.alloc(abi.DomIdle, true)}
	h.dom0 = &xsm.VCPU{Domain: h.alloc(0, true)}
	if rc := h.op.DomainCreate(idle, h.dom0.Domain, 0); rc != 0 {
		t.Fatal(rc)
	}
	xsmOp(t, h, h.dom0, OpCommitBools, "1", -abi.EFAULT, "")
	for range 2 {
		h.reload(policy.Binary)
		if rc := h.op.Kexec(h.dom0); rc != 0 {
			t.Errorf("kexec by dom0: %v", rc)
		}
	}
}

// reload has dom0 load a policy by hypercall.
func (h *host) reload(pol []byte) {
	h.t.Helper()
	op := &abi.XSMOpArgs{Cmd: OpLoad, Size: uint32(len(pol)), Buf: pol}
	if rc := h.op.DoXSMOp(h.dom0, op); rc != 0 {
		h.t.Fatalf("load: %v %q", abi.Errno(rc), h.said())
	}
}

// TestOpUser lists the contexts that a user's rules and the source's let a
// domain change to.
func TestOpUser(t *testing.T) {
	h := bootHost(t, variant(t, `allow dom0_t { domU_t isolated_domU_t }:domain transition; allow system_r vm_r;`))
	op := &abi.XSMOpArgs{Cmd: OpUser, Size: 4096, Buf: make([]byte, 4096)}
	copy(op.Buf, "system_u:system_r:dom0_t customer_1")
	if rc := h.op.DoXSMOp(h.dom0, op); rc != 0 {
		t.Fatal(abi.Errno(rc))
	}
	list := strings.Split(string(op.Buf[:op.Size]), "\x00")
	slices.Sort(list)
	if have, want := strings.Join(list, " "), " 2 customer_1:vm_r:domU_t customer_1:vm_r:isolated_domU_t"; have != want {
		t.Errorf("customer_1's are %q, want %q", have, want)
	}
	copy(op.Buf, "system_u:system_r:dom0_t customer_1")
	op.Size = uint32(len("system_u:system_r:dom0_t customer_1"))
	if rc := h.op.DoXSMOp(h.dom0, op); rc != int64(-abi.ERANGE) {
		t.Errorf("without room: %v", abi.Errno(rc))
	}
}

// TestOpDisable gives the hooks back as long as there is no policy, once.
func TestOpDisable(t *testing.T) {
	disable := func(m *Module) abi.Errno {
		_, rc := m.opDisable("1", 4)
		return rc
	}
	unregistered := 0
	m := newModule(true, ss.RejectUnknown, func(string) {})
	if rc := disable(m); rc != -abi.EINVAL {
		t.Errorf("a module that is not in use: %v", rc)
	}
	m.unregister = func() abi.Errno {
		if unregistered++; unregistered > 1 {
			return -abi.EINVAL
		}
		return 0
	}
	if rc := disable(m); rc != 0 || unregistered != 1 {
		t.Errorf("disable: %v, unregistered %d times", rc, unregistered)
	}
	if rc := disable(m); rc != -abi.EINVAL {
		t.Errorf("disable again: %v", rc)
	}
	m.unregister = func() abi.Errno { t.Error("disabled"); return 0 }
	m.server.Close()
	if rc := disable(m); rc != -abi.EINVAL {
		t.Errorf("disable after a policy was refused: %v", rc)
	}
}

// TestOpBooleans sets a boolean aside and commits it: hooks are answered by the
// new value from then on, and a reload brings the policy's back.
func TestOpBooleans(t *testing.T) {
	pol := variant(t, `bool resuming true; if (resuming) { allow domU_t dom0_t:domain resume; }`)
	h := bootHost(t, pol)
	domU := h.domU()
	resumes := func(want abi.Errno) {
		t.Helper()
		if rc := h.op.ResumeDomain(domU, h.dom0.Domain); rc != want {
			t.Errorf("resume of dom0: %v, want %v", rc, want)
		}
	}
	resumes(0)
	xsmOp(t, h, h.dom0, OpGetBool, "0", 0, "1 1")
	xsmOp(t, h, h.dom0, OpGetBool, "1", -abi.EFAULT, "")
	xsmOp(t, h, h.dom0, OpSetBool, "0 0", 0, "")
	xsmOp(t, h, domU, OpSetBool, "0 1", -abi.EACCES, "")
	xsmOp(t, h, domU, OpCommitBools, "1", -abi.EACCES, "")
	xsmOp(t, h, domU, OpGetBool, "0", 0, "1 0")
	resumes(0) // set aside, no more
	xsmOp(t, h, h.dom0, OpCommitBools, "0", 0, "")
	resumes(0)
	h.said()
	xsmOp(t, h, h.dom0, OpCommitBools, "1", 0, "")
	if s := h.said(); !slices.Equal(s, []string{"security: committed booleans { resuming:0 }"}) {
		t.Errorf("said %q", s)
	}
	resumes(-abi.EACCES)
	xsmOp(t, h, h.dom0, OpGetBool, "0", 0, "0 0")
	xsmOp(t, h, h.dom0, OpSetBool, "0 7", 0, "")
	xsmOp(t, h, h.dom0, OpGetBool, "0", 0, "0 1")
	h.reload(pol)
	resumes(0)
	xsmOp(t, h, h.dom0, OpGetBool, "0", 0, "1 1")
}

// domU makes one more domU.
func (h *host) domU() *xsm.VCPU {
	h.t.Helper()
	d := h.alloc(abi.DomID(len(h.domains)+200), false)
	if rc := h.op.DomainCreate(h.dom0, d, sidDomU); rc != 0 {
		h.t.Fatalf("create domU: %v %q", rc, h.said())
	}
	return &xsm.VCPU{Domain: d}
}
