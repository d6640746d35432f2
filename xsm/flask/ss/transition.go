package ss

import (
	"fmt"

	"xsmbench/xsm/flask/policydb"
)

// TransitionSID labels a new object of a class that a subject ssid makes,
// related to tsid (security_transition_sid): by a type transition rule, else
// as tsid, or as ssid for a domain. Nothing caches it.
func (s *Server) TransitionSID(ssid, tsid SID, class uint16) (SID, error) {
	return s.computeSID(ssid, tsid, class, policydb.Transition)
}

// MemberSID labels the member of a polyinstantiated object that is for ssid
// (security_member_sid): by a type_member rule.
func (s *Server) MemberSID(ssid, tsid SID, class uint16) (SID, error) {
	return s.computeSID(ssid, tsid, class, policydb.Member)
}

// ChangeSID labels an object tsid anew for ssid (security_change_sid): by a
// type_change rule.
func (s *Server) ChangeSID(ssid, tsid SID, class uint16) (SID, error) {
	return s.computeSID(ssid, tsid, class, policydb.Change)
}

func (s *Server) computeSID(ssid, tsid SID, class uint16, specified uint16) (SID, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.policy
	if p == nil {
		if class == s.cfg.DomainClass {
			return ssid, nil
		}
		return tsid, nil
	}
	if class == 0 || int(class) >= len(p.classes) {
		return 0, fmt.Errorf("%w %d", ErrClass, class)
	}
	sc, tc := p.context(ssid, s.cfg.Unlabeled), p.context(tsid, s.cfg.Unlabeled)
	c := p.newContext(sc, tc, p.classes[class].own.value, specified)
	if !p.db.Valid(&c) {
		err := fmt.Errorf("%w: %s, new %s of %s by %s", ErrContext, p.db.FormatContext(&c), s.cfg.Classes[class-1].Name, p.db.FormatContext(tc), p.db.FormatContext(sc))
		if s.cfg.UseInvalid == nil || !s.cfg.UseInvalid(err) {
			return 0, err
		}
	}
	return p.sids.contextToSID(&c)
}

// newContext makes a context by the policy's rules (security_compute_sid).
func (p *policy) newContext(sc, tc *policydb.Context, class, specified uint16) policydb.Context {
	c := policydb.Context{User: sc.User, Role: policydb.ObjectRole, Type: tc.Type}
	if specified == policydb.Member {
		c.User = tc.User
	}
	isDomain := class == p.domain
	if isDomain {
		c.Role, c.Type = sc.Role, sc.Type
	}
	k := policydb.Key{Source: uint16(sc.Type), Target: uint16(tc.Type), Class: class, Specified: specified}
	r := p.db.Rules.Search(k)
	if r == nil {
		r = p.conditions.Rules.Search(k)
	}
	if r != nil {
		c.Type = r.Datum
	}
	if specified == policydb.Transition {
		p.changeRole(&c, sc, tc, class)
	}
	if p.db.MLS {
		c.Range = p.newRange(sc, tc, class, specified)
	}
	return c
}

// changeRole gives an object the role of the first rule for its creator's
// role, the target's type and the object's class. A rule without a class is
// for domains.
func (p *policy) changeRole(c, sc, tc *policydb.Context, class uint16) {
	for _, t := range p.db.RoleTrans {
		of := uint16(t.Class)
		if of == 0 {
			of = p.domain
		}
		if t.Role == sc.Role && t.Type == tc.Type && of == class {
			c.Role = t.New
			return
		}
	}
}

// newRange gives a new object its levels (mls_compute_sid): by a range
// transition, else those of the subject, of which only a domain gets the high
// one.
func (p *policy) newRange(sc, tc *policydb.Context, class, specified uint16) policydb.LevelRange {
	if specified == policydb.Transition {
		for i := range p.db.RangeTrans {
			t := &p.db.RangeTrans[i]
			of := uint16(t.Class)
			if of == 0 {
				of = p.domain
			}
			if t.Source == sc.Type && t.Target == tc.Type && of == class {
				return t.Levels
			}
		}
	}
	if class == p.domain && specified != policydb.Member {
		return sc.Range
	}
	return policydb.LevelRange{Low: sc.Range.Low, High: sc.Range.Low}
}
