package flask

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// Operations on the policy and the mode.

// opLoad loads a policy: the first, if none was among the boot modules, or
// another.
func (m *Module) opLoad(cur *xsm.VCPU, buf []byte) (int, abi.Errno) {
	if rc := m.hasSecurity(cur, securityLoadPolicy); rc != 0 {
		return 0, rc
	}
	if err := m.loadPolicy(cur.CPU, buf); err != nil {
		m.printf("Flask:  %v", err)
		return 0, errno(err)
	}
	return len(buf), 0
}

// opSetEnforce switches between enforcing and permissive. What permissive mode
// has granted is forgotten.
func (m *Module) opSetEnforce(cur *xsm.VCPU, text string, n int) (int, abi.Errno) {
	v, rc := number(text)
	if rc != 0 {
		return 0, rc
	}
	if on := v != 0; on != m.enforcing.Load() {
		if rc := m.hasSecurity(cur, securitySetenforce); rc != 0 {
			return 0, rc
		}
		m.enforcing.Store(on)
		if on {
			m.cache.Reset(cur.CPU, 0)
		}
	}
	return n, 0
}

// opDisable gives all hooks back to the dummy (flask_disable), once and only as
// long as no policy has been loaded. Nobody is asked, as in 3.2: without a
// policy everything is allowed. A policy that was refused at boot is one here.
func (m *Module) opDisable(text string, n int) (int, abi.Errno) {
	v, rc := number(text)
	if rc != 0 || v == 0 {
		return n, rc
	}
	m.load.Lock()
	defer m.load.Unlock()
	if m.server.Initialised() || m.unregister == nil || m.unregister() != 0 {
		return 0, -abi.EINVAL
	}
	m.printf("Flask:  Disabled at runtime.")
	return n, 0
}
