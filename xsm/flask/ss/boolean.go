package ss

import (
	"fmt"
	"slices"
)

// Boolean is one of a policy's, and its value.
type Boolean struct {
	Name  string
	Value bool
}

// Booleans returns those of the policy that is loaded, in the policy's order,
// in which they are numbered from 0 (security_get_bools).
func (s *Server) Booleans() []Boolean {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.policy == nil {
		return nil
	}
	list := make([]Boolean, len(s.policy.bools))
	for i, v := range s.policy.bools {
		list[i] = Boolean{s.policy.db.Bools.Name(uint32(i + 1)), v}
	}
	return list
}

// SetBooleans gives the policy's booleans values, all at once, and returns the
// number for the AVC's notification (security_set_bools): decisions under the
// conditions of before are old ones. The error wraps ErrBoolean if there are
// not as many.
func (s *Server) SetBooleans(values []bool) (seqno uint32, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.policy == nil || len(values) != len(s.policy.bools) {
		return 0, fmt.Errorf("%w: %d values", ErrBoolean, len(values))
	}
	p := *s.policy // decisions are still made from the one before
	p.bools = slices.Clone(values)
	p.conditions = p.conditions.Set(p.db, p.bools)
	p.matrix = newMatrix(&p, usualBounds)
	s.policy = &p
	s.seqno++
	s.publish()
	return s.seqno, nil
}
