package ss

import (
	"fmt"
	"math/bits"

	"xsmbench/xsm/flask/policydb"
)

// ComputeAV decides what ssid may do to tsid (security_compute_av). Without a
// policy everything is allowed. A SID that is not known counts as unlabeled.
func (s *Server) ComputeAV(ssid, tsid SID, class uint16) (Decision, error) {
	now := s.current.Load()
	p := now.policy
	if p == nil {
		d := Decision{Allowed: ^uint32(0), Decided: ^uint32(0), AuditDeny: ^uint32(0), Seqno: now.seqno}
		if now.closed {
			d.Allowed = 0
		}
		return d, nil
	}
	if class == 0 || int(class) >= len(p.classes) {
		return Decision{}, fmt.Errorf("%w %d", ErrClass, class)
	}
	sn, tn := p.node(ssid, s.cfg.Unlabeled), p.node(tsid, s.cfg.Unlabeled)
	m := &p.classes[class]
	d := Decision{Decided: ^uint32(0), Seqno: now.seqno, Permissive: sn.permissive}
	r := p.matrix.find(sn.party.Type, class, tn.party.Type)
	if r == nil || sn.bounded || tn.bounded {
		d.Allowed, d.AuditAllow, d.AuditDeny = p.classAV(&sn.context, &tn.context, m)
	} else {
		d.Allowed, d.AuditAllow, d.AuditDeny = p.constrain(r.allowed, sn, tn, m), r.auditAllow, r.auditDeny
	}
	d.Allowed |= m.granted
	return d, nil
}

// constrain takes away what constraints and roles do not allow.
func (p *policy) constrain(allowed uint32, source, target *sidNode, m *classMap) uint32 {
	for i := range m.checks {
		if c := &m.checks[i]; c.Permissions&allowed != 0 && !c.Holds(&source.party, &target.party) {
			allowed &^= c.Permissions
		}
	}
	if allowed&m.toOtherRoles != 0 && !p.mayChangeRole(source.party.Role, target.party.Role) {
		allowed &^= m.toOtherRoles
	}
	return allowed
}

// mayChangeRole says whether the roles are the same or a role allow rule lets
// one become the other.
func (p *policy) mayChangeRole(from, to uint32) bool {
	return from == to || p.roleAllow[from-1].Has(to-1)
}

// classAV decides without tables, as Xen does, for a class of the hypervisor's:
// where a type is bounded, and where the tables would be too large. Permissions
// are the hypervisor's.
func (p *policy) classAV(sc, tc *policydb.Context, m *classMap) (allowed, auditAllow, auditDeny uint32) {
	auditDeny = ^uint32(0)
	for o := range m.parts {
		d := o.decision(p.contextAV(sc, tc, o.value, o.mapped))
		allowed |= d.Allowed
		auditAllow |= d.AuditAllow
		auditDeny &= d.AuditDeny
	}
	return allowed, auditAllow, auditDeny
}

// contextAV decides for two contexts and a class of the policy's, 0 for one
// that it does not have, on those of its permissions that matter
// (context_struct_compute_av).
func (p *policy) contextAV(sc, tc *policydb.Context, class uint16, matter uint32) policydb.Vectors {
	v := p.typeEnforcement(sc, tc, class)
	v.Allowed &= matter
	if class == 0 {
		return v
	}
	constraints := p.db.Classes.At(uint32(class)).Constraints
	for i := range constraints {
		if c := &constraints[i]; c.Permissions&v.Allowed != 0 && !c.Holds(p.db, sc, tc, nil) {
			v.Allowed &^= c.Permissions
		}
	}
	if class == p.domain && v.Allowed&p.transition != 0 && !p.mayChangeRole(sc.Role, tc.Role) {
		v.Allowed &^= p.transition
	}
	p.bound(sc, tc, class, &v)
	return v
}

// typeEnforcement adds up what the rules for every attribute of the source's
// type and every one of the target's say, the conditional ones that hold among
// them.
func (p *policy) typeEnforcement(sc, tc *policydb.Context, class uint16) policydb.Vectors {
	v := policydb.Vectors{AuditDeny: ^uint32(0)}
	targets := p.db.TypeAttrs[tc.Type-1]
	conditional := p.conditions.Rules.Len() != 0
	for _, sw := range p.db.TypeAttrs[sc.Type-1] {
		for ; sw.Bits != 0; sw.Bits &= sw.Bits - 1 {
			source := uint16(sw.Start + uint32(bits.TrailingZeros64(sw.Bits)) + 1)
			p.db.Rules.Add(&v, source, targets, class)
			if conditional {
				p.conditions.Rules.Add(&v, source, targets, class)
			}
		}
	}
	return v
}

// bound takes away what the types that bound the two may not do themselves
// (type_attribute_bounds_av). As in Xen one bound that leaves everything
// allowed settles the matter, even if the other does not.
func (p *policy) bound(sc, tc *policydb.Context, class uint16, v *policydb.Vectors) {
	source, target := p.db.Types.At(sc.Type).Bounds, p.db.Types.At(tc.Type).Bounds
	if source == 0 && target == 0 {
		return
	}
	lowS, lowT := *sc, *tc
	var pairs [][2]*policydb.Context
	if source != 0 {
		lowS.Type = source
		pairs = append(pairs, [2]*policydb.Context{&lowS, tc})
	}
	if target != 0 {
		lowT.Type = target
		pairs = append(pairs, [2]*policydb.Context{sc, &lowT})
	}
	if source != 0 && target != 0 {
		pairs = append(pairs, [2]*policydb.Context{&lowS, &lowT})
	}
	masked := uint32(0)
	for _, pair := range pairs {
		masked = v.Allowed &^ p.contextAV(pair[0], pair[1], class, v.Allowed).Allowed
		if masked == 0 {
			return
		}
	}
	v.Allowed &^= masked
}

// ValidateTransition says whether subject may change an object's context from
// old to new (security_validate_transition): the policy's validatetrans
// expressions must hold. The error wraps ErrContext.
func (s *Server) ValidateTransition(old, new, subject SID, class uint16) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.policy
	if p == nil {
		return nil
	}
	if class == 0 || int(class) >= len(p.classes) || p.classes[class].own.value == 0 {
		return fmt.Errorf("%w %d", ErrClass, class)
	}
	oc, nc, sc := p.context(old, s.cfg.Unlabeled), p.context(new, s.cfg.Unlabeled), p.context(subject, s.cfg.Unlabeled)
	list := p.db.Classes.At(uint32(p.classes[class].own.value)).Validatetrans
	for i := range list {
		if !list[i].Holds(p.db, oc, nc, sc) {
			return fmt.Errorf("%w: change from %s to %s by %s is denied for class %s", ErrContext, p.db.FormatContext(oc), p.db.FormatContext(nc), p.db.FormatContext(sc), s.cfg.Classes[class-1].Name)
		}
	}
	return nil
}
