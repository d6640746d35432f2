// Package ss is FLASK's security server: it answers, from a policy, what one
// security identifier (SID) may do to another and how a new object is
// labelled. It knows nothing of hooks and keeps no decisions; caching them is
// the AVC's business (package avc).
//
// A SID stands for a context. Once given out it keeps its meaning; the table
// only grows. A decision sees one policy throughout: it reads a state that does
// not change, and takes no lock. All else is done under the policy's lock.
//
// The source is Xen's xen/xsm/flask/ss (services.c, sidtab.c, mls.c,
// conditional.c): type enforcement with conditional rules, constraints, role
// allow rules and type bounds; transitions of type, role and levels. As in
// Xen, default_user and its kin are read and have no effect. Unlike in Xen,
// which takes no notice of the class that a role_transition names, it is for
// objects of that class.
package ss

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"xsmbench/xsm/flask/policydb"
)

// SID identifies a context. Null is none's; the initial SIDs follow it.
type SID = uint32

// Errors that callers tell apart.
var (
	ErrNotLoaded = errors.New("no policy is loaded")
	ErrMissing   = errors.New("the policy lacks what the hypervisor asks for")
	ErrContext   = policydb.ErrContext
	ErrSID       = errors.New("unknown SID")
	ErrClass     = errors.New("unknown class")
	ErrNoSID     = errors.New("no SID left")
	ErrBoolean   = errors.New("no such boolean")
)

// Decision is what a source may do to a target (struct av_decision): bit n-1
// stands for permission n of the class.
type Decision struct {
	Allowed    uint32
	Decided    uint32 // permissions that the decision is about
	AuditAllow uint32 // grants to audit
	AuditDeny  uint32 // denials to audit
	Seqno      uint32 // policy that decided: grows with each load
	Permissive bool   // of a type whose denials are audited only
}

// Class declares one of the hypervisor's classes of objects.
type Class struct {
	Name        string
	Permissions []string
}

// Config is what the hypervisor is compiled with.
type Config struct {
	// Classes are the hypervisor's, numbered from 1 in this order, their
	// permissions likewise. A policy may number its own differently.
	Classes []Class
	// InitialSIDs names the SIDs from 1 up; Unlabeled is the one that
	// stands in for a SID that is not known.
	InitialSIDs []string
	Unlabeled   SID
	// DomainClass is the number of the class of domains, Transition the
	// bit of its permission to change role. A domain keeps its creator's
	// role and type unless a rule says otherwise.
	DomainClass uint16
	Transition  uint32
	// UseInvalid is told of a new object's context that the policy does not
	// allow, and says whether the object gets it nevertheless. nil is never.
	UseInvalid func(error) bool

	// What a policy for another release of the hypervisor has instead.
	Vocabulary
	// Unknown says what becomes of a permission that has no counterpart.
	Unknown Unknown
}

// Server decides.
type Server struct {
	cfg Config

	mu sync.RWMutex // POLICY_RDLOCK, POLICY_WRLOCK
	state
	// current is a copy of state for decisions, which take no lock. It is
	// made under mu by whoever changes state: see publish.
	current atomic.Pointer[state]
}

// state is what a server decides from.
type state struct {
	policy *policy // nil until one is loaded
	closed bool    // without a policy nothing is allowed, rather than everything
	seqno  uint32  // latest_granting
}

// publish makes decisions that begin from now on use the state. The caller
// holds mu.
func (s *Server) publish() {
	now := s.state
	s.current.Store(&now)
}

// policy is a database with the maps between its numbers and the hypervisor's,
// and with what decisions are made from. But for sids it does not change.
type policy struct {
	db         *policydb.DB
	bools      []bool // by value-1
	conditions *policydb.Conditions
	matrix     *matrix
	roleAllow  []policydb.Bitmap // by role-1: the roles to change to, by value-1
	sids       *sidTable
	named      map[string]SID // the initial SIDs that the policy has, by name
	classes    []classMap     // by the hypervisor's class
	domain     uint16         // the class of domains, and
	transition uint32         // its permission to change role, in the policy
	ocon       ocontexts
}

// New makes a server without a policy: it allows everything.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg}
	s.publish()
	return s
}

// Initialised says whether a policy has been loaded, or refused, rather than
// everything be allowed (ss_initialized).
func (s *Server) Initialised() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.policy != nil || s.closed
}

// MLS says whether the policy that is loaded has levels.
func (s *Server) MLS() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.policy != nil && s.policy.db.MLS
}

// Loaded says what came of loading a policy.
type Loaded struct {
	Seqno       uint32   // the policy's number, for the AVC's notification
	Invalidated []string // contexts that the policy does not have: their SIDs count as unlabeled
}

// Load reads a policy and, if it is sound and defines what the hypervisor
// needs, decides by it from then on (security_load_policy). SIDs of a policy
// that it replaces keep their meaning.
func (s *Server) Load(buf []byte) (Loaded, error) {
	db, err := policydb.Read(buf)
	if err != nil {
		return Loaded{}, err
	}
	p, err := s.build(db)
	if err != nil {
		return Loaded{}, fmt.Errorf("load policy: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var l Loaded
	if s.policy != nil {
		if l.Invalidated, err = s.replace(s.policy, p); err != nil {
			return Loaded{}, fmt.Errorf("load policy: %w", err)
		}
	}
	s.policy = p
	s.seqno++
	s.publish()
	l.Seqno = s.seqno
	return l, nil
}

// Close makes a server without a policy allow nothing: for one whose policy is
// broken.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.publish()
}

// build checks a policy against the hypervisor and makes its SID table.
func (s *Server) build(db *policydb.DB) (*policy, error) {
	p := &policy{db: db, bools: db.DefaultBools(), conditions: db.ReadConditions(), ocon: newOContexts(db)}
	var missing Missing
	p.classes = s.cfg.mapClasses(db, &missing)
	s.cfg.nameSIDs(p, &missing)
	if err := missing.err(); err != nil {
		return nil, err
	}
	d := &p.classes[s.cfg.DomainClass]
	p.domain, p.transition = d.own.value, d.own.policyBits(s.cfg.Transition)
	for i := range p.classes {
		m := &p.classes[i]
		m.compile(p)
		if s.cfg.Unknown == AllowUnknown {
			m.granted = m.unknown
		}
	}
	p.roleAllow = make([]policydb.Bitmap, db.Roles.Len())
	for _, a := range db.RoleAllow {
		p.roleAllow[a.Role-1].Set(a.New - 1)
	}
	p.matrix = newMatrix(p, usualBounds)
	return p, nil
}

// Substitutes says which of the policy's permissions stand for others of the
// hypervisor's, and which have no counterpart, as lines for people.
func (s *Server) Substitutes() (standIns, unknown []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.policy == nil {
		return nil, nil
	}
	for i := range s.policy.classes {
		standIns = append(standIns, s.policy.classes[i].standIns...)
		unknown = append(unknown, s.policy.classes[i].unknownNames...)
	}
	return standIns, unknown
}

// InitialSID returns the SID that the policy has for a name, ok false if it has
// none or none is loaded.
func (s *Server) InitialSID(name string) (sid SID, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.policy == nil {
		return 0, false
	}
	sid, ok = s.policy.named[name]
	return sid, ok
}

// Defines says whether the policy that is loaded has a class, or a permission
// written "class permission", under that very name.
func (s *Server) Defines(word string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.policy == nil {
		return false
	}
	class, perm, isPerm := strings.Cut(word, " ")
	v := s.policy.db.Classes.Value(class)
	return v != 0 && (!isPerm || s.policy.db.Classes.At(v).Permissions.Value(perm) != 0)
}

// SIDs returns the number of SIDs in use.
func (s *Server) SIDs() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.policy == nil {
		return 0
	}
	return s.policy.sids.len()
}
