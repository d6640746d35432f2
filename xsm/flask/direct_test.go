//go:build xsm && xsmdirect

package flask

import (
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/ss"
)

// TestDirect: hooks call the module while it is registered, and get the dummy's
// answer before and after.
func TestDirect(t *testing.T) {
	t.Cleanup(func() { call(nil) })
	cur := &xsm.VCPU{Domain: &xsm.Domain{ID: 7}}
	ask := func() int64 { return xsm.DoXSMOp(cur, nil) }
	const byDummy, byFlask = -int64(abi.ENOSYS), -int64(abi.EFAULT)
	call(nil)
	if rc := ask(); rc != byDummy {
		t.Errorf("before: %d, want %d", rc, byDummy)
	}
	call(newModule(true, ss.RejectUnknown, func(string) {}))
	if rc := ask(); rc != byFlask {
		t.Errorf("registered: %d, want %d", rc, byFlask)
	}
	call(nil)
	if rc := ask(); rc != byDummy {
		t.Errorf("after: %d, want %d", rc, byDummy)
	}
}
