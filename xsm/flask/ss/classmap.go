package ss

import (
	"math/bits"

	"xsmbench/xsm/flask/policydb"
)

// classMap maps a class of the hypervisor's into the policy.
type classMap struct {
	own          part     // the policy's class of the same name
	others       []part   // its classes that have permissions which stand for some of this one's
	unknown      uint32   // the hypervisor's permissions without counterpart
	unknownNames []string // "class permission"
	standIns     []string // "class permission stands for class permission"

	checks  []policydb.Check // constraints, with the hypervisor's permissions
	granted uint32           // the unknown permissions, if they are allowed
	// toOtherRoles are the hypervisor's permissions that a role allow rule is
	// asked about where the two roles differ.
	toOtherRoles uint32
}

// parts calls f for the parts of all classes of the policy's.
func (m *classMap) parts(f func(*part) bool) {
	if !f(&m.own) {
		return
	}
	for i := range m.others {
		if !f(&m.others[i]) {
			return
		}
	}
}

// compile makes checks and toOtherRoles. Each of the hypervisor's permissions
// stands for one of the policy's, so taking one away takes away the other.
func (m *classMap) compile(p *policy) {
	for o := range m.parts {
		if o.value == 0 {
			continue
		}
		constraints := p.db.Classes.At(uint32(o.value)).Constraints
		for i := range constraints {
			if taken := o.vector(constraints[i].Permissions); taken != 0 {
				m.checks = append(m.checks, constraints[i].Check(p.db, taken))
			}
		}
		if o.value == p.domain {
			m.toOtherRoles |= o.vector(p.transition)
		}
	}
}

// part maps permissions of one class of the policy's to the hypervisor's.
type part struct {
	value  uint16     // of the policy's class, 0 if it has none
	bits   [32]uint32 // hypervisor's bits by the policy's bit
	mapped uint32     // the policy's bits that have some
	// byBytes has bits added up, for each byte of an access vector and each
	// of its values.
	byBytes *[4][256]uint32
}

// in returns the part for a class of the policy's.
func (m *classMap) in(class uint16) *part {
	if class == m.own.value {
		return &m.own
	}
	for i := range m.others {
		if m.others[i].value == class {
			return &m.others[i]
		}
	}
	m.others = append(m.others, part{value: class})
	return &m.others[len(m.others)-1]
}

// add makes a permission of the policy's stand for a bit of the hypervisor's.
func (p *part) add(perm, bit uint32) {
	p.bits[perm-1] |= bit
	p.mapped |= 1 << (perm - 1)
}

// addUp makes byBytes when all has been added.
func (p *part) addUp() {
	p.byBytes = new([4][256]uint32)
	for i := range p.byBytes {
		for value := 1; value < 256; value++ {
			lowest := bits.TrailingZeros8(uint8(value))
			p.byBytes[i][value] = p.byBytes[i][value&(value-1)] | p.bits[8*i+lowest]
		}
	}
}

// decision turns the policy's vectors into the hypervisor's. A denial of what
// is not mapped here is audited.
func (p *part) decision(v policydb.Vectors) Decision {
	return Decision{Allowed: p.vector(v.Allowed), AuditAllow: p.vector(v.AuditAllow), AuditDeny: ^p.vector(^v.AuditDeny)}
}

// vector turns an access vector of the policy's into the hypervisor's.
func (p *part) vector(av uint32) uint32 {
	return p.byBytes[0][av&255] | p.byBytes[1][av>>8&255] | p.byBytes[2][av>>16&255] | p.byBytes[3][av>>24]
}

// policyBits are the policy's bits for one of the hypervisor's.
func (p *part) policyBits(bit uint32) uint32 {
	var out uint32
	for i, b := range p.bits {
		if b&bit != 0 {
			out |= 1 << i
		}
	}
	return out
}
