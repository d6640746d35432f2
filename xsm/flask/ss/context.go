package ss

import (
	"fmt"

	"xsmbench/xsm/flask/policydb"
)

// SIDToContext returns a SID's context as text, user:role:type. Without a
// policy only the initial SIDs have one: their names.
func (s *Server) SIDToContext(sid SID) (string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.policy == nil {
		if sid == 0 || uint64(sid) > uint64(len(s.cfg.InitialSIDs)) {
			return "", fmt.Errorf("%w %d: %w", ErrSID, sid, ErrNotLoaded)
		}
		return s.cfg.InitialSIDs[sid-1], nil
	}
	return s.policy.db.FormatContext(s.policy.context(sid, s.cfg.Unlabeled)), nil
}

// ContextToSID returns the SID of a context, a new one if need be.
func (s *Server) ContextToSID(text string) (SID, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.policy == nil {
		for i, name := range s.cfg.InitialSIDs {
			if name == text {
				return SID(i + 1), nil
			}
		}
		return 0, fmt.Errorf("%w %q: %w", ErrContext, text, ErrNotLoaded)
	}
	c, err := s.policy.db.ParseContext(text)
	if err != nil {
		return 0, err
	}
	return s.policy.sids.contextToSID(&c)
}

// node returns a SID's entry, that of unlabeled if the SID is not known.
func (p *policy) node(sid, unlabeled SID) *sidNode {
	if n := p.sids.node(sid); n != nil {
		return n
	}
	return p.sids.node(unlabeled)
}

// context returns a SID's context, that of unlabeled if the SID is not known.
func (p *policy) context(sid, unlabeled SID) *policydb.Context {
	return &p.node(sid, unlabeled).context
}
