package ss

import "fmt"

// UserSIDs returns the SIDs of the contexts of a user's to which a domain with
// the label from may change (security_get_user_sids): none without a policy.
func (s *Server) UserSIDs(from SID, user string) ([]SID, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.policy
	if p == nil {
		return nil, nil
	}
	fc := p.context(from, s.cfg.Unlabeled)
	contexts, ok := p.db.UserContexts(user, &fc.Range)
	if !ok {
		return nil, fmt.Errorf("%w: no user %q", ErrContext, user)
	}
	var sids []SID
	for i := range contexts {
		c := &contexts[i]
		if p.contextAV(fc, c, p.domain, p.transition).Allowed == 0 {
			continue
		}
		sid, err := p.sids.contextToSID(c)
		if err != nil {
			return nil, err
		}
		sids = append(sids, sid)
	}
	return sids, nil
}
