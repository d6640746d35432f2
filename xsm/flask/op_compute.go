package flask

import (
	"fmt"
	"strconv"
	"strings"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/ss"
)

// Operations that ask the security server, which answers them anew each time.

func (m *Module) opContextToSID(cur *xsm.VCPU, text string, buf []byte) (int, abi.Errno) {
	if rc := m.hasSecurity(cur, securityCheckContext); rc != 0 {
		return 0, rc
	}
	sid, err := m.server.ContextToSID(text)
	if err != nil {
		return 0, errno(err)
	}
	return reply(buf, "%d", sid)
}

func (m *Module) opSIDToContext(cur *xsm.VCPU, text string, buf []byte) (int, abi.Errno) {
	if rc := m.hasSecurity(cur, securityCheckContext); rc != 0 {
		return 0, rc
	}
	sid, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return 0, -abi.EINVAL
	}
	context, err := m.server.SIDToContext(ss.SID(sid))
	if err != nil {
		return 0, errno(err)
	}
	return reply(buf, "%s\x00", context)
}

// query is what opAccess and opLabel ask about.
type query struct {
	ssid, tsid ss.SID
	class      uint16
}

// parseQuery reads "scontext tcontext class" and, into perms if it is not nil,
// a vector in hexadecimal.
func (m *Module) parseQuery(text string, perms *uint32) (q query, rc abi.Errno) {
	f := strings.Fields(text)
	want := 3
	if perms != nil {
		want = 4
	}
	if len(f) < want {
		return q, -abi.EINVAL
	}
	class, err := strconv.ParseUint(f[2], 10, 16)
	if err != nil {
		return q, -abi.EINVAL
	}
	if perms != nil {
		v, err := strconv.ParseUint(strings.TrimPrefix(f[3], "0x"), 16, 32)
		if err != nil {
			return q, -abi.EINVAL
		}
		*perms = uint32(v)
	}
	q.class = uint16(class)
	if q.ssid, err = m.server.ContextToSID(f[0]); err != nil {
		return q, errno(err)
	}
	if q.tsid, err = m.server.ContextToSID(f[1]); err != nil {
		return q, errno(err)
	}
	return q, 0
}

func (m *Module) opAccess(cur *xsm.VCPU, text string, buf []byte) (int, abi.Errno) {
	if rc := m.hasSecurity(cur, securityComputeAv); rc != 0 {
		return 0, rc
	}
	var perms uint32
	q, rc := m.parseQuery(text, &perms)
	if rc != 0 {
		return 0, rc
	}
	d, err := m.server.ComputeAV(q.ssid, q.tsid, q.class)
	if err != nil {
		return 0, errno(err)
	}
	return reply(buf, "%x %x %x %x %d", d.Allowed, d.Decided, d.AuditAllow, d.AuditDeny, d.Seqno)
}

// opLabel asks for the label that one of the server's rules makes.
func (m *Module) opLabel(cur *xsm.VCPU, text string, buf []byte, perm uint32, make func(ssid, tsid ss.SID, class uint16) (ss.SID, error)) (int, abi.Errno) {
	if rc := m.hasSecurity(cur, perm); rc != 0 {
		return 0, rc
	}
	q, rc := m.parseQuery(text, nil)
	if rc != 0 {
		return 0, rc
	}
	sid, err := make(q.ssid, q.tsid, q.class)
	if err != nil {
		return 0, errno(err)
	}
	context, err := m.server.SIDToContext(sid)
	if err != nil {
		return 0, errno(err)
	}
	return reply(buf, "%s\x00", context)
}

// opUser reads "scontext user" and lists the contexts of the user's that a
// domain with that context may change to: their number and they, each with a
// zero byte after it.
func (m *Module) opUser(cur *xsm.VCPU, text string, buf []byte) (int, abi.Errno) {
	if rc := m.hasSecurity(cur, securityComputeUser); rc != 0 {
		return 0, rc
	}
	f := strings.Fields(text)
	if len(f) < 2 {
		return 0, -abi.EINVAL
	}
	from, err := m.server.ContextToSID(f[0])
	if err != nil {
		return 0, errno(err)
	}
	sids, err := m.server.UserSIDs(from, f[1])
	if err != nil {
		return 0, errno(err)
	}
	list := fmt.Sprintf("%d\x00", len(sids))
	for _, sid := range sids {
		context, err := m.server.SIDToContext(sid)
		if err != nil {
			return 0, errno(err)
		}
		list += context + "\x00"
	}
	return reply(buf, "%s", list)
}
