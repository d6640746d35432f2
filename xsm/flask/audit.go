package flask

import (
	"errors"
	"fmt"
	"strings"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/avc"
	"xsmbench/xsm/flask/ss"
)

// resource says in an audit which device was asked for (AVC_AUDIT_DATA_DEV).
type resource struct{ number uint64 }

// audit prints what was denied, or granted by a rule that wants it audited
// (avc_audit). Nothing limits how often.
func (m *Module) audit(cur *xsm.VCPU, t avc.Tuple, perms uint32, d *ss.Decision, rc abi.Errno, at *resource) {
	verb, audited := "denied", perms&^d.Allowed
	switch {
	case audited != 0:
		audited &= d.AuditDeny
		if audited == 0 {
			return
		}
		audited = perms &^ d.Allowed
	case rc != 0: // asked for nothing
		audited = perms
	default:
		verb, audited = "granted", perms
		if perms&d.AuditAllow == 0 {
			return
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "avc:  %s  { ", verb)
	b.WriteString(permissionNames(t.Class, audited))
	fmt.Fprintf(&b, "} for domid=%d", cur.Domain.ID)
	if at != nil {
		fmt.Fprintf(&b, " device=%#x", at.number)
	}
	fmt.Fprintf(&b, " scontext=%s tcontext=%s tclass=%s", m.context(t.Source), m.context(t.Target), classes[t.Class-1].Name)
	m.printk(b.String())
}

// context writes a SID for people.
func (m *Module) context(sid ss.SID) string {
	c, err := m.server.SIDToContext(sid)
	if err != nil {
		return fmt.Sprintf("ssid=%d", sid)
	}
	return c
}

// permissionNames lists a vector's permissions, each followed by a space, and
// as a number the bits that have no name.
func permissionNames(class uint16, av uint32) string {
	var b strings.Builder
	for i, name := range classes[class-1].Permissions {
		if av>>i&1 != 0 {
			b.WriteString(name + " ")
			av &^= 1 << i
		}
	}
	if av != 0 {
		fmt.Fprintf(&b, "%#x ", av)
	}
	return b.String()
}

// errno is the error number for an error of the security server.
func errno(err error) abi.Errno {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ss.ErrNoSID):
		return -abi.ENOMEM
	case errors.Is(err, ss.ErrBoolean):
		return -abi.EFAULT
	}
	return -abi.EINVAL
}
