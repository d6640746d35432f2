package flask

import (
	"testing"

	"xsmbench/abi"
)

// FuzzOp makes the hypercall with any operation and buffer, of dom0 and of a
// domU: the answer is an error number, or a result that fits the buffer.
func FuzzOp(f *testing.F) {
	const dom0, domU = "system_u:system_r:dom0_t", "system_u:vm_r:domU_t"
	for cmd, in := range map[uint32]string{
		OpContextToSID: domU + "\x00", OpSIDToContext: "2", OpAccess: domU + " " + dom0 + " 2 0x2", OpCreate: dom0 + " " + domU + " 4",
		OpSetEnforce: "0", OpSetAVCThreshold: "600", OpAVCHashStats: "", OpAVCCacheStats: "", OpGetEnforce: "", opLast + 1: "x",
	} {
		f.Add(cmd, []byte(in), uint32(len(in)), true)
		f.Add(cmd, []byte(in), uint32(4096), false)
	}
	h := newHost(f, true)
	callers := map[bool]string{true: "dom0", false: "domU"}
	f.Fuzz(func(t *testing.T, cmd uint32, in []byte, size uint32, privileged bool) {
		if cmd == OpLoad {
			return // policies have a target of their own
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
