// Package ss is FLASK's security server: it answers, from a policy, what one
// security identifier (SID) may do to another and how a new object is
// labelled. It knows nothing of hooks and keeps no decisions; caching them is
// the AVC's business (package avc).
//
// A SID stands for a context. Once given out it keeps its meaning; the table
// only grows. Decisions are made under the read side of the policy's lock, so
// they see one policy throughout.
//
// The source is Xen's xen/xsm/flask/ss (services.c, sidtab.c) of 3.2: type
// enforcement, role allow rules, type and role transitions.
package ss

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"sync"

	"xsmbench/xsm/flask/policydb"
)

// SID identifies a context. Null is none's; the initial SIDs follow it.
type SID = uint32

// Errors that callers tell apart.
var (
	ErrNotLoaded   = errors.New("no policy is loaded")
	ErrUnsupported = errors.New("policy needs what this module does not enforce")
	ErrContext     = errors.New("invalid context")
	ErrSID         = errors.New("unknown SID")
	ErrClass       = errors.New("unknown class")
	ErrNoSID       = errors.New("no SID left")
)

// Decision is what a source may do to a target (struct av_decision): bit n-1
// stands for permission n of the class.
type Decision struct {
	Allowed    uint32
	Decided    uint32 // permissions that the decision is about
	AuditAllow uint32 // grants to audit
	AuditDeny  uint32 // denials to audit
	Seqno      uint32 // policy that decided: grows with each load
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
}

// Server decides.
type Server struct {
	cfg Config

	mu     sync.RWMutex // POLICY_RDLOCK, POLICY_WRLOCK
	policy *policy      // nil until one is loaded
	closed bool         // without a policy nothing is allowed, rather than everything
	seqno  uint32       // latest_granting
}

// policy is a database with the maps between its numbers and the hypervisor's.
type policy struct {
	db      *policydb.DB
	sids    *sidTable
	classes []classMap // by the hypervisor's class
	ocon    ocontexts
}

// classMap maps a class of the hypervisor's into the policy.
type classMap struct {
	value uint16
	// identity says that permissions have the same numbers on both sides,
	// as they have in a policy made for this hypervisor.
	identity bool
	perms    [32]uint8 // hypervisor's bit of the policy's bit, or noPermission
	known    uint32    // the hypervisor's bits
}

const noPermission = 0xff

// New makes a server without a policy: it allows everything.
func New(cfg Config) *Server { return &Server{cfg: cfg} }

// Loaded says whether a policy has been loaded.
func (s *Server) Loaded() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.policy != nil
}

// Load reads a policy and, if it is sound and defines what the hypervisor
// needs, decides by it from then on. It returns the number of the policy for
// the AVC's notification. A second policy is refused: SIDs in use would have
// to be converted.
func (s *Server) Load(buf []byte) (seqno uint32, err error) {
	db, err := policydb.Read(buf)
	if err != nil {
		return 0, err
	}
	p, err := s.build(db)
	if err != nil {
		return 0, fmt.Errorf("load policy: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.policy != nil {
		return 0, fmt.Errorf("load policy: %w: another one is loaded", ErrUnsupported)
	}
	s.policy = p
	s.seqno++
	return s.seqno, nil
}

// Close makes a server without a policy allow nothing: for one whose policy is
// broken.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// build checks a policy against the hypervisor and makes its SID table.
func (s *Server) build(db *policydb.DB) (*policy, error) {
	if err := supported(db); err != nil {
		return nil, err
	}
	p := &policy{db: db, sids: newSIDTable(SID(len(s.cfg.InitialSIDs))), ocon: newOContexts(db)}
	p.classes = make([]classMap, len(s.cfg.Classes)+1)
	for i, c := range s.cfg.Classes {
		m, err := mapClass(db, c)
		if err != nil {
			return nil, err
		}
		p.classes[i+1] = m
	}
	for _, is := range db.InitialSIDs {
		if uint64(is.SID) > uint64(len(s.cfg.InitialSIDs)) {
			return nil, fmt.Errorf("initial SID %d: the hypervisor has %d", is.SID, len(s.cfg.InitialSIDs))
		}
		p.sids.insert(is.SID, is.Context)
	}
	for i, name := range s.cfg.InitialSIDs {
		if p.sids.search(SID(i+1)) == nil {
			return nil, fmt.Errorf("initial SID %s (%d) is not in the policy", name, i+1)
		}
	}
	return p, nil
}

// supported refuses a policy that restricts what this server would allow.
func supported(db *policydb.DB) error {
	if db.MLS {
		return fmt.Errorf("%w: multi-level security", ErrUnsupported)
	}
	if len(db.Conditionals) != 0 {
		return fmt.Errorf("%w: rules that depend on booleans (%d)", ErrUnsupported, len(db.Conditionals))
	}
	for v := uint32(1); int(v) <= db.Classes.Len(); v++ {
		if c := db.Classes.At(v); len(c.Constraints) != 0 {
			return fmt.Errorf("%w: constraints on class %s (%d)", ErrUnsupported, db.Classes.Name(v), len(c.Constraints))
		}
	}
	for v := uint32(1); int(v) <= db.Types.Len(); v++ {
		if t := db.Types.At(v); t != nil && t.Bounds != 0 {
			return fmt.Errorf("%w: bounds of type %s", ErrUnsupported, db.Types.Name(v))
		}
	}
	return nil
}

// mapClass finds a class of the hypervisor's and its permissions by name.
func mapClass(db *policydb.DB, c Class) (classMap, error) {
	v := db.Classes.Value(c.Name)
	if v == 0 {
		return classMap{}, fmt.Errorf("class %s is not in the policy", c.Name)
	}
	pc := db.Classes.At(v)
	m := classMap{value: uint16(v), identity: true}
	for i := range m.perms {
		m.perms[i] = noPermission
	}
	for i, name := range c.Permissions {
		pv := pc.Permissions.Value(name)
		if pv == 0 {
			return classMap{}, fmt.Errorf("permission %s of class %s is not in the policy", name, c.Name)
		}
		m.perms[pv-1] = uint8(i)
		m.known |= 1 << i
		m.identity = m.identity && int(pv) == i+1
	}
	return m, nil
}

// vector turns an access vector of the policy's into the hypervisor's. Bits
// beyond the hypervisor's permissions are the same on both sides.
func (m *classMap) vector(av uint32) uint32 {
	if m.identity {
		return av
	}
	var out uint32
	for av != 0 {
		i := bits.TrailingZeros32(av)
		av &= av - 1
		if b := m.perms[i]; b != noPermission {
			out |= 1 << b
		}
	}
	return out
}

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
	d := s.contextAV(p, p.context(ssid, s.cfg.Unlabeled), p.context(tsid, s.cfg.Unlabeled), class)
	d.Seqno = s.seqno
	return d, nil
}

// contextAV is type enforcement: every rule for an attribute of the source's
// type and one of the target's adds to the vector.
func (s *Server) contextAV(p *policy, sc, tc *policydb.Context, class uint16) Decision {
	m := &p.classes[class]
	d := Decision{AuditDeny: ^uint32(0)}
	k := policydb.Key{Class: m.value, Specified: policydb.AV}
	for si, sw := range p.db.TypeAttrs[sc.Type-1] {
		for ; sw != 0; sw &= sw - 1 {
			k.Source = uint16(si*64 + bits.TrailingZeros64(sw) + 1)
			for ti, tw := range p.db.TypeAttrs[tc.Type-1] {
				for ; tw != 0; tw &= tw - 1 {
					k.Target = uint16(ti*64 + bits.TrailingZeros64(tw) + 1)
					for r := p.db.Rules.Search(k); r != nil; r = p.db.Rules.Next(r, policydb.AV) {
						switch r.Specified {
						case policydb.Allowed:
							d.Allowed |= r.Datum
						case policydb.AuditAllow:
							d.AuditAllow |= r.Datum
						case policydb.AuditDeny:
							d.AuditDeny &= r.Datum
						}
					}
				}
			}
		}
	}
	d.Allowed, d.AuditAllow, d.AuditDeny = m.vector(d.Allowed), m.vector(d.AuditAllow), m.auditDeny(d.AuditDeny)
	d.Decided = ^uint32(0)
	if p.db.Permissive.Has(sc.Type) {
		d.Allowed = ^uint32(0)
	}
	if class == s.cfg.DomainClass && d.Allowed&s.cfg.Transition != 0 && sc.Role != tc.Role && !p.roleAllowed(sc.Role, tc.Role) {
		d.Allowed &^= s.cfg.Transition
	}
	return d
}

// auditDeny maps a vector whose unknown bits stay set.
func (m *classMap) auditDeny(av uint32) uint32 {
	if m.identity {
		return av
	}
	return m.vector(av) | ^m.known
}

func (p *policy) roleAllowed(from, to uint32) bool {
	for _, a := range p.db.RoleAllow {
		if a.Role == from && a.New == to {
			return true
		}
	}
	return false
}

// TransitionSID labels a new object of a class that a subject ssid makes,
// related to tsid (security_transition_sid): by a type transition rule, else
// as tsid, or as ssid for a domain. Nothing caches it.
func (s *Server) TransitionSID(ssid, tsid SID, class uint16) (SID, error) {
	return s.computeSID(ssid, tsid, class, policydb.Transition)
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
	c := policydb.Context{User: sc.User, Role: policydb.ObjectRole, Type: tc.Type}
	if class == s.cfg.DomainClass {
		c.Role, c.Type = sc.Role, sc.Type
	}
	k := policydb.Key{Source: uint16(sc.Type), Target: uint16(tc.Type), Class: p.classes[class].value, Specified: specified}
	if r := p.db.Rules.Search(k); r != nil {
		c.Type = r.Datum
	}
	if class == s.cfg.DomainClass {
		for _, t := range p.db.RoleTrans {
			if t.Role == sc.Role && t.Type == tc.Type && (t.Class == 0 || t.Class == uint32(k.Class)) {
				c.Role = t.New
				break
			}
		}
	}
	if !p.db.Valid(&c) {
		return 0, fmt.Errorf("%w: %s, new %s of %s by %s", ErrContext, p.format(&c), s.cfg.Classes[class-1].Name, p.format(tc), p.format(sc))
	}
	return p.sids.contextToSID(&c)
}

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
	return s.policy.format(s.policy.context(sid, s.cfg.Unlabeled)), nil
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
	c, err := s.policy.parse(text)
	if err != nil {
		return 0, err
	}
	return s.policy.sids.contextToSID(&c)
}

// parse reads a context and refuses one that the policy does not allow.
func (p *policy) parse(text string) (policydb.Context, error) {
	fields := strings.Split(text, ":")
	if len(fields) != 3 {
		return policydb.Context{}, fmt.Errorf("%w %q: want user:role:type", ErrContext, text)
	}
	c := policydb.Context{User: p.db.Users.Value(fields[0]), Role: p.db.Roles.Value(fields[1]), Type: p.db.Types.Value(fields[2])}
	switch {
	case c.User == 0:
		return c, fmt.Errorf("%w %q: no user %q", ErrContext, text, fields[0])
	case c.Role == 0:
		return c, fmt.Errorf("%w %q: no role %q", ErrContext, text, fields[1])
	case c.Type == 0 || p.db.Types.At(c.Type).Attribute:
		return c, fmt.Errorf("%w %q: no type %q", ErrContext, text, fields[2])
	case !p.db.Valid(&c):
		return c, fmt.Errorf("%w %q: not allowed by the policy", ErrContext, text)
	}
	return c, nil
}

// format writes a context.
func (p *policy) format(c *policydb.Context) string {
	return p.db.Users.Name(c.User) + ":" + p.db.Roles.Name(c.Role) + ":" + p.db.Types.Name(c.Type)
}

// context returns a SID's context, that of unlabeled if the SID is not known.
func (p *policy) context(sid, unlabeled SID) *policydb.Context {
	if c := p.sids.search(sid); c != nil {
		return c
	}
	return p.sids.search(unlabeled)
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
