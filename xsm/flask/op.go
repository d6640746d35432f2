package flask

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/avc"
	"xsmbench/xsm/flask/policydb"
	"xsmbench/xsm/flask/ss"
)

// Operations of FLASK's hypercall (public/xsm/flask_op.h), in XSMOpArgs.Cmd.
const (
	OpLoad            = 1
	OpGetEnforce      = 2
	OpSetEnforce      = 3
	OpContextToSID    = 4
	OpSIDToContext    = 5
	OpAccess          = 6
	OpCreate          = 7
	OpPolicyVers      = 10
	OpGetAVCThreshold = 16
	OpSetAVCThreshold = 17
	OpAVCHashStats    = 18
	OpAVCCacheStats   = 19

	opLast        = 20
	maxPolicySize = 0x4000000 // bytes
)

// doFlaskOp is the hypercall (do_flask_op). As in 3.2 arguments and results
// are text in one buffer: Buf holds Size bytes in, and room for as many out;
// Size is then the length of the result, what is left of the buffer being
// zeros. Sub-operations that the module does not have, reloading a policy
// among them, are answered with -ENOSYS.
func (m *Module) doFlaskOp(cur *xsm.VCPU, op *abi.XSMOpArgs) int64 {
	if op == nil {
		return int64(-abi.EFAULT)
	}
	if op.Cmd > opLast || op.Size > maxPolicySize || (len(op.Buf) == 0) != (op.Size == 0) {
		return int64(-abi.EINVAL)
	}
	if uint64(op.Size) > uint64(len(op.Buf)) {
		return int64(-abi.EFAULT)
	}
	n, rc := m.operate(cur, op.Cmd, op.Buf[:op.Size])
	if rc != 0 {
		return int64(rc)
	}
	op.Size = uint32(n)
	return 0
}

// operate carries out one operation on its buffer and returns the result's
// length.
func (m *Module) operate(cur *xsm.VCPU, cmd uint32, buf []byte) (int, abi.Errno) {
	text := string(buf)
	if cmd != OpLoad {
		text, _, _ = strings.Cut(text, "\x00")
	}
	switch cmd {
	case OpLoad:
		return m.opLoad(cur, buf)
	case OpGetEnforce:
		return reply(buf, "%d", bit(m.enforcing.Load()))
	case OpSetEnforce:
		return m.opSetEnforce(cur, text, len(buf))
	case OpContextToSID:
		return m.opContextToSID(cur, text, buf)
	case OpSIDToContext:
		return m.opSIDToContext(cur, text, buf)
	case OpAccess:
		return m.opAccess(cur, text, buf)
	case OpCreate:
		return m.opCreate(cur, text, buf)
	case OpPolicyVers:
		return reply(buf, "%d", policydb.VersionMax)
	case OpGetAVCThreshold:
		return reply(buf, "%d", m.cache.Threshold())
	case OpSetAVCThreshold:
		return m.opSetThreshold(cur, text, len(buf))
	case OpAVCHashStats:
		return reply(buf, "%v", m.cache.HashStats())
	case OpAVCCacheStats:
		return m.opCacheStats(buf)
	}
	return 0, -abi.ENOSYS
}

// hasSecurity asks for the current domain on the security server.
func (m *Module) hasSecurity(cur *xsm.VCPU, perm uint32) abi.Errno {
	return m.hasPerm(cur, domainSID(cur.Domain), sidSecurity, classSecurity, perm, nil)
}

// opLoad loads the first policy, if none was among the boot modules.
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
	v, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0, -abi.EINVAL
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

// query is what opAccess and opCreate ask about.
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

func (m *Module) opCreate(cur *xsm.VCPU, text string, buf []byte) (int, abi.Errno) {
	if rc := m.hasSecurity(cur, securityComputeCreate); rc != 0 {
		return 0, rc
	}
	q, rc := m.parseQuery(text, nil)
	if rc != 0 {
		return 0, rc
	}
	sid, err := m.server.TransitionSID(q.ssid, q.tsid, q.class)
	if err != nil {
		return 0, errno(err)
	}
	context, err := m.server.SIDToContext(sid)
	if err != nil {
		return 0, errno(err)
	}
	return reply(buf, "%s\x00", context)
}

func (m *Module) opSetThreshold(cur *xsm.VCPU, text string, n int) (int, abi.Errno) {
	v, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return 0, -abi.EINVAL
	}
	if uint32(v) != m.cache.Threshold() {
		if rc := m.hasSecurity(cur, securitySetsecparam); rc != 0 {
			return 0, rc
		}
		m.cache.SetThreshold(uint32(v))
	}
	return n, 0
}

// opCacheStats writes a line for every processor that the cache counts for
// and has seen.
func (m *Module) opCacheStats(buf []byte) (int, abi.Errno) {
	var b bytes.Buffer
	b.WriteString("lookups hits misses allocations reclaims frees\n")
	for cpu := range avc.MaxCPUs {
		s := m.cache.Stats(cpu)
		if s == (avc.Stats{}) {
			continue
		}
		fmt.Fprintf(&b, "%d %d %d %d %d %d\n", s.Lookups, s.Hits, s.Misses, s.Allocations, s.Reclaims, s.Frees)
	}
	if b.Len() > len(buf) {
		return 0, -abi.EINVAL
	}
	clear(buf[copy(buf, b.Bytes()):])
	return b.Len(), 0
}

// reply writes a result over the buffer.
func reply(buf []byte, format string, args ...any) (int, abi.Errno) {
	s := fmt.Sprintf(format, args...)
	if len(s) > len(buf) {
		return 0, -abi.ERANGE
	}
	clear(buf[copy(buf, s):])
	return len(s), 0
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
