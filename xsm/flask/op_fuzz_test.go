package flask

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/avc"
	"xsmbench/xsm/flask/policy"
	"xsmbench/xsm/flask/ss"
)

// FuzzOp makes the hypercall with any operation and buffer, of dom0 and of a
// domU: the answer is an error number, or a result that fits the buffer. Whoever
// asks, the policy is the same afterwards; and a domU has switched nothing.
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
	initial := ss.SID(len(initialSIDs))
	want := h.answers(initial)
	f.Fuzz(func(t *testing.T, cmd uint32, in []byte, size uint32, privileged bool) {
		if cmd == OpLoad {
			return // see FuzzReload
		}
		h.t = t
		h.m.enforcing.Store(true) // whatever an earlier input has left
		h.m.cache.Reset(0, 0)
		before := h.switches()
		op := &abi.XSMOpArgs{Cmd: cmd, Size: size, Buf: make([]byte, max(len(in), min(int(size), 4096)))}
		copy(op.Buf, in)
		rc := h.op.DoXSMOp(h.vcpu(callers[privileged]), op)
		switch {
		case rc > 0 || rc < -4095:
			t.Errorf("op %d: answer %d is no error number", cmd, rc)
		case rc == 0 && int(op.Size) > len(op.Buf):
			t.Errorf("op %d: a result of %d bytes in a buffer of %d", cmd, op.Size, len(op.Buf))
		}
		if after := h.switches(); !privileged && after != before {
			t.Errorf("op %d of a domU: %s, it was %s", cmd, after, before)
		}
		if now := h.answers(initial); now != want {
			t.Errorf("op %d: the policy says something else", cmd)
		}
	})
}

// switches are what the hypercall can change but for the policy.
func (h *host) switches() string {
	return fmt.Sprintf("enforcing %v, %d SIDs, threshold %d", h.m.enforcing.Load(), h.m.server.SIDs(), h.m.cache.Threshold())
}

// answers are all that the policy says of the first n SIDs but for some, through the
// cache.
func (h *host) answers(n ss.SID, but ...ss.SID) string {
	var b strings.Builder
	for sid := range n + 1 {
		if !slices.Contains(but, sid) {
			c, err := h.m.server.SIDToContext(sid)
			fmt.Fprintln(&b, c, err)
		}
	}
	eachTuple(n, func(t avc.Tuple) {
		if !slices.Contains(but, t.Source) && !slices.Contains(but, t.Target) {
			fmt.Fprintf(&b, "%x ", h.cached(t).Allowed)
		}
	})
	return b.String()
}

// eachTuple calls f with every tuple of the first n SIDs, the null one included.
func eachTuple(n ss.SID, f func(avc.Tuple)) {
	for source := range n + 1 {
		for target := range n + 1 {
			for class := range uint16(len(classes)) {
				f(avc.Tuple{Source: source, Target: target, Class: class + 1})
			}
		}
	}
}

// cached is the answer that a hook gets.
func (h *host) cached(t avc.Tuple) ss.Decision {
	d, err := h.m.cache.Decide(0, h.m.cache.Find(0, t), t, 1)
	if err != nil {
		h.t.Fatal(err)
	}
	return *d
}

// FuzzReload has dom0 replace the policy by any. A refused one changes nothing.
// One that is accepted decides as it does after a boot with it, also what the cache knew
// by the one before; everything can be labelled; and the project's own can take its
// place again, which then says what it said. A SID whose context the other one lacked is
// gone meanwhile, and stays so, as in Xen.
func FuzzReload(f *testing.F) {
	f.Add(policy.Binary)
	for _, name := range []string{"domio_t", "dom0_t", "system_r"} { // without contexts that domains and devices have
		f.Add(bytes.Replace(policy.Binary, []byte(name), bytes.Repeat([]byte("x"), len(name)), 1))
	}
	for at := 16; at < len(policy.Binary); at += len(policy.Binary) / 16 {
		pol := slices.Clone(policy.Binary)
		pol[at] ^= 1
		f.Add(pol)
	}
	f.Fuzz(func(t *testing.T, pol []byte) {
		h := bootHost(t, policy.Binary)
		domU := h.domU()
		n := ss.SID(h.m.server.SIDs())
		own, gone := h.answers(n), []ss.SID(nil)
		rc := h.op.DoXSMOp(h.dom0, &abi.XSMOpArgs{Cmd: OpLoad, Size: uint32(len(pol)), Buf: slices.Clone(pol)})
		if rc != 0 {
			if h.answers(n) != own {
				t.Errorf("a policy that was refused (%v) has changed what is decided", abi.Errno(rc))
			}
		} else {
			h.decidesAs(pol, n)
			gone = h.goneIn(pol, n)
		}
		h.usePolicy(domU)
		if h.m.server.MLS() {
			t.Fatal("a policy with levels has replaced one without")
		}
		if again := h.m.loadPolicy(0, policy.Binary); again != nil {
			t.Fatalf("after %v: %v", abi.Errno(rc), again)
		}
		if h.answers(n, gone...) != bootHost(t, policy.Binary).answers(n, gone...) {
			t.Errorf("after %v: the project's policy says something else", abi.Errno(rc))
		}
		for _, sid := range gone {
			if have, want := h.m.context(sid), h.m.context(0); have != want {
				t.Errorf("SID %d was gone, and is %q now, not %q", sid, have, want)
			}
		}
		if rc := h.op.PauseDomain(domU, h.dom0.Domain); rc != -abi.EACCES {
			t.Errorf("domU pauses dom0: %v", rc)
		}
		if rc := h.op.Kexec(h.dom0); rc != 0 && !slices.Contains(gone, domainSID(h.dom0.Domain)) {
			t.Errorf("kexec by dom0: %v", rc)
		}
	})
}

// decidesAs compares what hooks are told about the first n SIDs with what they are
// told after a boot with the policy, where the same contexts have other SIDs.
func (h *host) decidesAs(pol []byte, n ss.SID) {
	fresh := &host{t: h.t, m: newModule(true, ss.RejectUnknown, func(string) {})}
	if err := fresh.m.loadPolicy(0, pol); err != nil {
		h.t.Fatalf("loads, but not at boot: %v", err)
	}
	same := make(map[ss.SID]ss.SID)
	for sid := range n + 1 {
		context := h.m.context(sid)
		// Another number of colons is no field's end but a name's.
		if there, err := fresh.m.server.ContextToSID(context); err == nil && strings.Count(context, ":") == 2 {
			same[sid] = there
		}
	}
	eachTuple(n, func(t avc.Tuple) {
		source, target := same[t.Source], same[t.Target]
		if source == 0 || target == 0 {
			return
		}
		have, want := h.cached(t), fresh.cached(avc.Tuple{Source: source, Target: target, Class: t.Class})
		have.Seqno = want.Seqno
		if have != want {
			h.t.Errorf("%s on %s, class %s: %+v, want %+v", h.m.context(t.Source), h.m.context(t.Target), classes[t.Class-1].Name, have, want)
		}
	})
}

// goneIn are those of the first n SIDs that a policy took from the project's, since it
// does not have their contexts.
func (h *host) goneIn(pol []byte, n ss.SID) (gone []ss.SID) {
	before, other := bootHost(h.t, policy.Binary), newModule(true, ss.RejectUnknown, func(string) {})
	if err := other.loadPolicy(0, pol); err != nil {
		h.t.Fatal(err)
	}
	for sid := range n + 1 {
		context := before.m.context(sid)
		if h.m.context(sid) == context {
			continue
		}
		if _, err := other.server.ContextToSID(context); err == nil {
			h.t.Errorf("SID %d, %q, is gone, though the policy has the context", sid, context)
		}
		gone = append(gone, sid)
	}
	return gone
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
