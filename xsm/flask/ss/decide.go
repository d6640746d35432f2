package ss

import (
	"fmt"
	"math/bits"

	"xsmbench/xsm/flask/policydb"
)

// ComputeAV decides what ssid may do to tsid (security_compute_av). Without a
// policy everything is allowed. A SID that is not known counts as unlabeled.
func (s *Server) ComputeAV(ssid, tsid SID, class uint16) (Decision, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.policy
	if p == nil && s.closed {
		return Decision{Decided: ^uint32(0), AuditDeny: ^uint32(0), Seqno: s.seqno}, nil
	}
	if p == nil {
		return Decision{Allowed: ^uint32(0), Decided: ^uint32(0), AuditDeny: ^uint32(0), Seqno: s.seqno}, nil
	}
	if class == 0 || int(class) >= len(p.classes) {
		return Decision{}, fmt.Errorf("%w %d", ErrClass, class)
	}
	sc, tc := p.context(ssid, s.cfg.Unlabeled), p.context(tsid, s.cfg.Unlabeled)
	m := &p.classes[class]
	d := m.own.decision(p.contextAV(sc, tc, m.own.value, m.own.mapped))
	for i := range m.others {
		o := m.others[i].decision(p.contextAV(sc, tc, m.others[i].value, m.others[i].mapped))
		d.Allowed |= o.Allowed
		d.AuditAllow |= o.AuditAllow
		d.AuditDeny &= o.AuditDeny
	}
	if s.cfg.Unknown == AllowUnknown {
		d.Allowed |= m.unknown
	}
	d.Decided, d.Seqno, d.Permissive = ^uint32(0), s.seqno, p.db.Permissive.Has(sc.Type)
	return d, nil
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
	if class == p.domain && v.Allowed&p.transition != 0 && sc.Role != tc.Role && !p.roleAllowed(sc.Role, tc.Role) {
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

func (p *policy) roleAllowed(from, to uint32) bool {
	for _, a := range p.db.RoleAllow {
		if a.Role == from && a.New == to {
			return true
		}
	}
	return false
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
