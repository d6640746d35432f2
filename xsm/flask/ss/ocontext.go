package ss

import (
	"sync/atomic"

	"xsmbench/xsm/flask/policydb"
)

// ocontexts are the resources that the policy labels, in its order.
type ocontexts struct{ pirq, ioport, iomem []ocontext }

// ocontext labels a range; its SID is looked up when first asked for.
type ocontext struct {
	policydb.Range
	sid atomic.Uint32
}

func newOContexts(db *policydb.DB) ocontexts {
	list := func(rs []policydb.Range) []ocontext {
		l := make([]ocontext, len(rs))
		for i, r := range rs {
			l[i].Range = r
		}
		return l
	}
	return ocontexts{pirq: list(db.PIRQs), ioport: list(db.IOPorts), iomem: list(db.IOMems)}
}

// PIRQSID returns the label of a physical interrupt, def for one that the
// policy does not name.
func (s *Server) PIRQSID(pirq uint32, def SID) (SID, error) {
	return s.resourceSID(func(o *ocontexts) []ocontext { return o.pirq }, uint64(pirq), def)
}

// IOPortSID returns the label of an I/O port, def as above.
func (s *Server) IOPortSID(port uint32, def SID) (SID, error) {
	return s.resourceSID(func(o *ocontexts) []ocontext { return o.ioport }, uint64(port), def)
}

// IOMemSID returns the label of a frame of I/O memory, def as above.
func (s *Server) IOMemSID(mfn uint64, def SID) (SID, error) {
	return s.resourceSID(func(o *ocontexts) []ocontext { return o.iomem }, mfn, def)
}

// resourceSID looks through a kind's ranges one by one, as Xen does.
func (s *Server) resourceSID(kind func(*ocontexts) []ocontext, n uint64, def SID) (SID, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.policy == nil {
		return def, nil
	}
	list := kind(&s.policy.ocon)
	for i := range list {
		o := &list[i]
		if n < o.Low || n > o.High {
			continue
		}
		if sid := o.sid.Load(); sid != 0 {
			return sid, nil
		}
		sid, err := s.policy.sids.contextToSID(&o.Context)
		if err == nil {
			o.sid.Store(sid)
		}
		return sid, err
	}
	return def, nil
}
