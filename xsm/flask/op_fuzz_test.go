package flask

import (
	"slices"
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/policy"
	"xsmbench/xsm/flask/ss"
)

// FuzzOp makes the hypercall with any operation and buffer, of dom0 and of a
// domU: the answer is an error number, or a result that fits the buffer.
func FuzzOp(f *testing.F) {
	const dom0, domU = "system_u:system_r:dom0_t", "system_u:vm_r:domU_t"
	for cmd, in := range map[uint32]string{
		OpContextToSID: domU + "\x00", OpSIDToContext: "2", OpAccess: domU + " " + dom0 + " 2 0x2", OpCreate: dom0 + " " + domU + " 4",
		OpRelabel: dom0 + " " + domU + " 4", OpMember: dom0 + " " + domU + " 4", OpUser: dom0 + " customer_1", OpMLS: "",
		OpGetBool: "0", OpSetBool: "0 1", OpCommitBools: "1", OpDisable: "1", OpPolicyVers: "", OpGetAVCThreshold: "",
		OpSetEnforce: "0", OpSetAVCThreshold: "600", OpAVCHashStats: "", OpAVCCacheStats: "", OpGetEnforce: "", opLast + 1: "x",
	} {
		f.Add(cmd, []byte(in), uint32(len(in)), true)
		f.Add(cmd, []byte(in), uint32(4096), false)
	}
	h := newHost(f, true)
	callers := map[bool]string{true: "dom0", false: "domU"}
	f.Fuzz(func(t *testing.T, cmd uint32, in []byte, size uint32, privileged bool) {
		if cmd == OpLoad {
			return // see FuzzReload
		}
		op := &abi.XSMOpArgs{Cmd: cmd, Size: size, Buf: make([]byte, max(len(in), min(int(size), 4096)))}
		copy(op.Buf, in)
		rc := h.op.DoXSMOp(h.vcpu(callers[privileged]), op)
		switch {
		case rc > 0 || rc < -4095:
			t.Errorf("op %d: answer %d is no error number", cmd, rc)
		case rc == 0 && int(op.Size) > len(op.Buf):
			t.Errorf("op %d: a result of %d bytes in a buffer of %d", cmd, op.Size, len(op.Buf))
		}
	})
}

// FuzzReload has dom0 replace the policy by any. A refused one changes nothing.
// By one that is accepted everything can be decided and labelled, and the
// project's own can take its place again.
func FuzzReload(f *testing.F) {
	f.Add(policy.Binary)
	for at := 16; at < len(policy.Binary); at += len(policy.Binary) / 16 {
		pol := slices.Clone(policy.Binary)
		pol[at] ^= 1
		f.Add(pol)
	}
	f.Fuzz(func(t *testing.T, pol []byte) {
		h := bootHost(t, policy.Binary)
		domU := h.domU()
		err := h.m.loadPolicy(0, slices.Clone(pol))
		h.usePolicy(domU)
		if err == nil && h.m.server.MLS() {
			return // the project's has no levels
		}
		if again := h.m.loadPolicy(0, policy.Binary); again != nil {
			t.Fatalf("after %v: %v", err, again)
		}
		if rc := h.op.PauseDomain(domU, h.dom0.Domain); rc != -abi.EACCES {
			t.Errorf("after %v: domU pauses dom0: %v", err, rc)
		}
		if rc := h.op.Kexec(h.dom0); err != nil && rc != 0 {
			t.Errorf("after %v: kexec by dom0: %v", err, rc)
		}
	})
}

// usePolicy has the policy decide on all labels there are, make others of them,
// and label devices.
func (h *host) usePolicy(domU *xsm.VCPU) {
	s := h.m.server
	for ssid := range ss.SID(s.SIDs() + 2) {
		if _, err := s.SIDToContext(ssid); err != nil {
			h.t.Fatal(err)
		}
		for class := range uint16(len(classes)) {
			d, err := s.ComputeAV(ssid, domainSID(domU.Domain), class+1)
			if err != nil || d.Allowed&^d.Decided != 0 {
				h.t.Fatalf("%+v, %v", d, err)
			}
			s.TransitionSID(ssid, sidDom0, class+1)
		}
	}
	h.op.PauseDomain(domU, h.dom0.Domain)
	h.op.IRQPermission(h.dom0, domU.Domain, 4, 1)
	h.op.EvtchnInterdomain(h.dom0, h.dom0.Domain, h.evtchn(), domU.Domain, h.evtchn())
}
