package flask

import (
	"fmt"
	"strings"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/ss"
)

// Operations on booleans, which have the policy's order for numbers, from 0. A
// new value is set aside until all are committed. A number that no boolean has
// is -EFAULT, where 3.2 would write beyond its array.

// opGetBool says a boolean's value and the one set aside for it.
func (m *Module) opGetBool(text string, buf []byte) (int, abi.Errno) {
	m.load.Lock()
	defer m.load.Unlock()
	i, rc := number(text)
	if rc != 0 {
		return 0, rc
	}
	if i < 0 || i >= len(m.pending) {
		return 0, -abi.EFAULT
	}
	return reply(buf, "%d %d", bit(m.server.Booleans()[i].Value), bit(m.pending[i]))
}

// opSetBool sets a boolean's new value aside.
func (m *Module) opSetBool(cur *xsm.VCPU, text string, n int) (int, abi.Errno) {
	m.load.Lock()
	defer m.load.Unlock()
	if rc := m.hasSecurity(cur, securitySetbool); rc != 0 {
		return 0, rc
	}
	first, second, _ := strings.Cut(strings.TrimSpace(text), " ")
	i, rc := number(first)
	if rc != 0 {
		return 0, rc
	}
	v, rc := number(second)
	if rc != 0 {
		return 0, rc
	}
	if i < 0 || i >= len(m.pending) {
		return 0, -abi.EFAULT
	}
	m.pending[i] = v != 0
	return n, 0
}

// opCommitBools has the policy decide by the values that were set aside. With 0
// it changes nothing.
func (m *Module) opCommitBools(cur *xsm.VCPU, text string, n int) (int, abi.Errno) {
	m.load.Lock()
	defer m.load.Unlock()
	if rc := m.hasSecurity(cur, securitySetbool); rc != 0 {
		return 0, rc
	}
	v, rc := number(text)
	if rc != 0 || v == 0 {
		return n, rc
	}
	seqno, err := m.server.SetBooleans(m.pending)
	if err != nil {
		return 0, errno(err)
	}
	m.printf("security: committed booleans { %s }", listBooleans(m.server.Booleans()))
	m.cache.Reset(cur.CPU, seqno)
	return n, 0
}

func listBooleans(list []ss.Boolean) string {
	text := make([]string, len(list))
	for i, b := range list {
		text[i] = fmt.Sprintf("%s:%d", b.Name, bit(b.Value))
	}
	return strings.Join(text, ", ")
}
