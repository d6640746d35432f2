package flask

import (
	"fmt"
	"strconv"
	"strings"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/policydb"
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
	OpRelabel         = 8
	OpUser            = 9
	OpPolicyVers      = 10
	OpGetBool         = 11
	OpSetBool         = 12
	OpCommitBools     = 13
	OpMLS             = 14
	OpDisable         = 15
	OpGetAVCThreshold = 16
	OpSetAVCThreshold = 17
	OpAVCHashStats    = 18
	OpAVCCacheStats   = 19
	OpMember          = 20

	opLast        = OpMember
	maxPolicySize = 0x4000000 // bytes
)

// doFlaskOp is the hypercall (do_flask_op). As in 3.2 arguments and results
// are text in one buffer: Buf holds Size bytes in, and room for as many out;
// Size is then the length of the result, what is left of the buffer being
// zeros.
func (m *Module) doFlaskOp(cur *xsm.VCPU, op *abi.XSMOpArgs) int64 {
	if op == nil {
		return int64(-abi.EFAULT)
	}
	if op.Cmd > opLast {
		return int64(-abi.ENOSYS)
	}
	if op.Size > maxPolicySize || (len(op.Buf) == 0) != (op.Size == 0) {
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
		return m.opLabel(cur, text, buf, securityComputeCreate, m.server.TransitionSID)
	case OpRelabel:
		return m.opLabel(cur, text, buf, securityComputeRelabel, m.server.ChangeSID)
	case OpMember:
		return m.opLabel(cur, text, buf, securityComputeMember, m.server.MemberSID)
	case OpUser:
		return m.opUser(cur, text, buf)
	case OpPolicyVers:
		return reply(buf, "%d", policydb.VersionMax)
	case OpGetBool:
		return m.opGetBool(text, buf)
	case OpSetBool:
		return m.opSetBool(cur, text, len(buf))
	case OpCommitBools:
		return m.opCommitBools(cur, text, len(buf))
	case OpMLS:
		return reply(buf, "%d", bit(m.server.MLS()))
	case OpDisable:
		return m.opDisable(text, len(buf))
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

// number reads the one that an operation's text is.
func number(text string) (int, abi.Errno) {
	v, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0, -abi.EINVAL
	}
	return v, 0
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
