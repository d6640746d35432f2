package ss

import (
	"fmt"
	"slices"
	"strings"

	"xsmbench/xsm/flask/policydb"
)

// Vocabulary says what policies for other releases of the hypervisor call
// what this one asks for. Permissions are written "class permission".
type Vocabulary struct {
	// StandIns has, for a permission, those that stand for it where a policy
	// does not have it, in order of preference.
	StandIns map[string][]string
	// Needless are permissions that a policy need not have: where it does
	// not, they are denied.
	Needless map[string]bool
	// Layouts are the orders in which releases number their initial SIDs,
	// beside InitialSIDs. A name that is not among InitialSIDs is of a SID
	// that only the policy's release knows.
	Layouts [][]string
	// Optional are initial SIDs that a policy need not have.
	Optional map[string]bool
}

// Unknown says what becomes of permissions that a policy does not have and for
// which nothing stands (handle_unknown of SELinux).
type Unknown int

// Kinds of Unknown.
const (
	RejectUnknown Unknown = iota // the policy is refused
	DenyUnknown                  // they are denied
	AllowUnknown                 // they are allowed
)

// ParseUnknown reads "reject", "deny" or "allow".
func ParseUnknown(text string) (Unknown, error) {
	switch text {
	case "reject":
		return RejectUnknown, nil
	case "deny":
		return DenyUnknown, nil
	case "allow":
		return AllowUnknown, nil
	}
	return 0, fmt.Errorf("unknown permissions: %q is none of reject, deny, allow", text)
}

// Missing lists what a policy lacks.
type Missing struct {
	Permissions []string // "class permission"
	SIDs        []string
}

// err is nil if nothing is missing.
func (m *Missing) err() error {
	var lacks []string
	for _, c := range byClass(m.Permissions) {
		lacks = append(lacks, "permissions "+c)
	}
	if len(m.SIDs) > 0 {
		lacks = append(lacks, "initial SIDs "+strings.Join(m.SIDs, " "))
	}
	if len(lacks) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrMissing, strings.Join(lacks, "; "))
}

// byClass writes permissions class by class: class { permissions }.
func byClass(permissions []string) []string {
	var out []string
	for i := 0; i < len(permissions); {
		class, _, _ := strings.Cut(permissions[i], " ")
		text := class + " {"
		for ; i < len(permissions); i++ {
			c, name, _ := strings.Cut(permissions[i], " ")
			if c != class {
				break
			}
			text += " " + name
		}
		out = append(out, text+" }")
	}
	return out
}

// mapClasses finds the hypervisor's classes and permissions in a policy.
func (cfg *Config) mapClasses(db *policydb.DB, missing *Missing) []classMap {
	maps := make([]classMap, len(cfg.Classes)+1)
	for i, c := range cfg.Classes {
		maps[i+1] = cfg.mapClass(db, c)
		if m := &maps[i+1]; cfg.Unknown == RejectUnknown {
			missing.Permissions = append(missing.Permissions, m.unknownNames...)
		}
	}
	return maps
}

// mapClass finds one class by name, and its permissions by name or by what
// stands for them.
func (cfg *Config) mapClass(db *policydb.DB, c Class) classMap {
	var m classMap
	m.own.value = uint16(db.Classes.Value(c.Name))
	for i, name := range c.Permissions {
		bit, full := uint32(1)<<i, c.Name+" "+name
		class, perm := cfg.find(db, full)
		switch {
		case perm != 0:
			m.in(class).add(perm, bit)
			if now := db.Classes.Name(uint32(class)) + " " + db.Classes.At(uint32(class)).Permissions.Name(perm); now != full {
				m.standIns = append(m.standIns, now+" stands for "+full)
			}
		case !cfg.Needless[full]:
			m.unknown |= bit
			m.unknownNames = append(m.unknownNames, full)
		}
	}
	m.own.addUp()
	for i := range m.others {
		m.others[i].addUp()
	}
	return m
}

// find returns the class and the permission in a policy that a permission of
// the hypervisor's is, 0 for none.
func (cfg *Config) find(db *policydb.DB, full string) (class uint16, perm uint32) {
	for _, candidate := range slices.Concat([]string{full}, cfg.StandIns[full]) {
		c, name, _ := strings.Cut(candidate, " ")
		v := db.Classes.Value(c)
		if v == 0 {
			continue
		}
		if perm := db.Classes.At(v).Permissions.Value(name); perm != 0 {
			return uint16(v), perm
		}
	}
	return 0, 0
}

// nameSIDs gives the policy's initial SIDs the hypervisor's numbers. The
// format has numbers only, so the release whose order it is must be found out.
func (cfg *Config) nameSIDs(p *policy, missing *Missing) {
	names := cfg.layout(p.db)
	numbers := make(map[string]SID)
	for i, n := range cfg.InitialSIDs {
		numbers[n] = SID(i + 1)
	}
	next := SID(len(cfg.InitialSIDs))
	p.named = make(map[string]SID)
	contexts := make(map[SID]policydb.Context)
	for _, is := range p.db.InitialSIDs {
		name := fmt.Sprintf("number %d", is.SID)
		if uint64(is.SID) <= uint64(len(names)) {
			name = names[is.SID-1]
		}
		sid, ok := numbers[name]
		if !ok {
			next++
			sid = next
		}
		p.named[name], contexts[sid] = sid, is.Context
	}
	p.sids = newSIDTable(p.db, next)
	for sid, c := range contexts {
		p.sids.insert(sid, c)
	}
	for _, n := range cfg.InitialSIDs {
		if _, ok := p.named[n]; !ok && !cfg.Optional[n] {
			missing.SIDs = append(missing.SIDs, n)
		}
	}
}

// layout returns the names of a policy's initial SIDs in its own order: of the
// orders that releases have had, the one under which most SIDs have a type of
// their name; of several such, the one that has as many SIDs as the policy.
func (cfg *Config) layout(db *policydb.DB) []string {
	best, bestScore := cfg.InitialSIDs, -1
	for _, names := range slices.Concat([][]string{cfg.InitialSIDs}, cfg.Layouts) {
		score := 0
		for _, is := range db.InitialSIDs {
			if uint64(is.SID) <= uint64(len(names)) && names[is.SID-1]+"_t" == db.Types.Name(is.Context.Type) {
				score += 2
			}
		}
		if len(names) == len(db.InitialSIDs) {
			score++
		}
		if score > bestScore {
			best, bestScore = names, score
		}
	}
	return best
}
