package flask

import (
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/policy"
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
		{"dom0", OpPolicyVers, "", 0, "30", false},
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
		{"dom0", 8, "", -abi.ENOSYS, "", false},
		{"dom0", 13, "", -abi.ENOSYS, "", false},
		{"dom0", 0, "", -abi.ENOSYS, "", false},
		{"dom0", 21, "", -abi.EINVAL, "", false},
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

// TestOpLoad loads the first policy by hypercall, and no second one.
func TestOpLoad(t *testing.T) {
	h := &host{t: t, domains: make(map[abi.DomID]*xsm.Domain)}
	h.m = newModule(true, h.printk)
	h.op = h.m.operations()
	idle := &xsm.VCPU{Domain: h.alloc(abi.DomIdle, true)}
	dom0 := &xsm.VCPU{Domain: h.alloc(0, true)}
	if rc := h.op.DomainCreate(idle, dom0.Domain, 0); rc != 0 {
		t.Fatal(rc)
	}
	load := func() int64 {
		return h.op.DoXSMOp(dom0, &abi.XSMOpArgs{Cmd: OpLoad, Size: uint32(len(policy.Binary)), Buf: policy.Binary})
	}
	if rc := load(); rc != 0 {
		t.Fatalf("load: %v %q", abi.Errno(rc), h.said())
	}
	if rc := h.op.Kexec(dom0); rc != 0 {
		t.Errorf("kexec by dom0: %v", rc)
	}
	if rc := load(); rc != int64(-abi.ENOSYS) {
		t.Errorf("second load: %v, want -ENOSYS", abi.Errno(rc))
	}
}
