package ss

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"xsmbench/xsm/flask/policydb"
)

var errSwitchMLS = errors.New("one with levels cannot replace one without, nor the other way round")

// replace gives the policy that is to be next the SIDs of the one before it:
// each stands for the context of the same names, initial SIDs included, as in
// Xen. It returns the contexts that the next policy does not have, whose SIDs
// mean unlabeled from then on. The caller holds mu, so that nobody gives out a
// SID meanwhile.
func (s *Server) replace(old, next *policy) (invalidated []string, err error) {
	if old.db.MLS != next.db.MLS {
		return nil, errSwitchMLS
	}
	own := next.sids
	next.sids = newSIDTable(next.db, old.sids.next-1)
	for sid, c := range old.sids.all {
		converted, ok := s.convert(old, next, c)
		switch {
		case ok:
		case sid == s.cfg.Unlabeled: // which must be there
			converted = *own.search(sid)
		default:
			invalidated = append(invalidated, old.db.FormatContext(c))
			continue
		}
		next.sids.insert(sid, converted)
	}
	return invalidated, next.keepNames(old, own, SID(len(s.cfg.InitialSIDs)))
}

// convert makes a context of the old policy one of the next. In permissive
// mode it may be one that the next policy does not allow.
func (s *Server) convert(old, next *policy, c *policydb.Context) (policydb.Context, bool) {
	converted, ok := next.db.Convert(c, old.db)
	if !ok || next.db.Valid(&converted) {
		return converted, ok
	}
	return converted, s.cfg.UseInvalid != nil && s.cfg.UseInvalid(fmt.Errorf("%w: %s", ErrContext, old.db.FormatContext(c)))
}

// keepNames gives initial SIDs the numbers that they have had. Those that only
// the next policy has, with contexts in own, get the hypervisor's or new ones.
func (p *policy) keepNames(old *policy, own *sidTable, hypervisors SID) error {
	named := maps.Clone(old.named)
	for _, name := range slices.Sorted(maps.Keys(p.named)) {
		if _, ok := named[name]; ok {
			continue
		}
		sid := p.named[name]
		c := own.search(sid)
		if sid <= hypervisors {
			p.sids.insert(sid, *c)
		} else {
			var err error
			if sid, err = p.sids.contextToSID(c); err != nil {
				return err
			}
		}
		named[name] = sid
	}
	p.named = named
	return nil
}
