package policydb

// Symbols is one of a policy's symbol tables: names with values from 1 up.
// Values without a name (attributes before version 24) have a zero element.
type Symbols[T any] struct {
	byValue []T
	names   []string
	byName  map[string]uint32 // aliases too
}

// Len returns the largest value.
func (s *Symbols[T]) Len() int { return len(s.byValue) }

// Value returns the value of a name, 0 if it has none.
func (s *Symbols[T]) Value(name string) uint32 { return s.byName[name] }

// Name returns the name of a value, "" for one that has none.
func (s *Symbols[T]) Name(value uint32) string {
	if value == 0 || uint64(value) > uint64(len(s.names)) {
		return ""
	}
	return s.names[value-1]
}

// At returns the symbol with a value, the zero T for one that is not there.
func (s *Symbols[T]) At(value uint32) T {
	if value == 0 || uint64(value) > uint64(len(s.byValue)) {
		var zero T
		return zero
	}
	return s.byValue[value-1]
}

// defined says whether a value has a symbol.
func (s *Symbols[T]) defined(value uint32) bool { return s.Name(value) != "" }

// symbols reads a table whose elements take at least size bytes. one reads an
// element and returns its name and value, and whether it is but an alias of
// the element with that value.
func symbols[T any](p *parser, section string, size int, one func() (name string, value uint32, sym T, alias bool)) Symbols[T] {
	p.section = section
	off := p.off
	nprim := p.u32("number of values")
	n := p.count(section, size)
	s := Symbols[T]{byName: make(map[string]uint32, n)}
	if p.err != nil {
		return s
	}
	if most := p.mostValues(section, n); nprim > most {
		p.invalid(off, "%d values, more than %d", nprim, most)
		return s
	}
	s.byValue, s.names = make([]T, nprim), make([]string, nprim)
	for range n {
		at := p.off
		name, value, sym, alias := one()
		if p.err != nil {
			return s
		}
		if value == 0 || value > nprim {
			p.invalid(at, "%q has value %d of %d", name, value, nprim)
			return s
		}
		if _, dup := s.byName[name]; dup {
			p.invalid(at, "%q defined twice", name)
			return s
		}
		s.byName[name] = value
		if alias {
			continue
		}
		if s.names[value-1] != "" {
			p.invalid(at, "%q and %q share value %d", s.names[value-1], name, value)
			return s
		}
		s.names[value-1], s.byValue[value-1] = name, sym
	}
	return s
}

// mostValues is the largest number of values that a table of n elements may
// have. Attributes before version 24 have values but no elements; each takes a
// bitmap later on, or at least its share of the rules.
func (p *parser) mostValues(section string, n int) uint32 {
	if section == sectionTypes && p.db.Version < versionBoundary {
		n = len(p.buf)
	}
	return uint32(min(n, maxValue))
}

const sectionTypes = "types"

// commonDatum is a set of permissions that classes inherit.
type commonDatum struct {
	permissions Symbols[struct{}]
}

// classDatum is a class of objects. Permission n is bit n-1 of an access vector.
type classDatum struct {
	Permissions Symbols[struct{}] // the inherited ones included
	// Constraints restrict a permission, Validatetrans a change of context.
	Constraints   []Constraint
	Validatetrans []Constraint
}

// roleDatum is a role: the types that its users' domains may have.
type roleDatum struct {
	types     Bitmap // by value-1
	dominates Bitmap
	bounds    uint32
}

// typeDatum is a type or an attribute.
type typeDatum struct {
	Attribute bool
	Bounds    uint32
}

// userDatum is a user: the roles that it may take.
type userDatum struct {
	roles  Bitmap // by value-1
	levels LevelRange
	usual  Level
	bounds uint32
}

// boolDatum is a boolean and its default.
type boolDatum struct{ State bool }

// levelDatum is a sensitivity and the categories it may have.
type levelDatum struct{ set Level }

// categoryDatum is a category of levels.
type categoryDatum struct{}

func (p *parser) permissions(s *Symbols[struct{}], n int, nprim uint32, what string) {
	for range n {
		at := p.off
		nlen, value := p.count("permission's name", 1), p.u32("permission's value")
		name := p.name(nlen, "permission's name")
		if p.err != nil {
			return
		}
		if value == 0 || value > nprim || value > 32 || s.names[value-1] != "" {
			p.invalid(at, "permission %q of %s has value %d of %d", name, what, value, nprim)
			return
		}
		if _, dup := s.byName[name]; dup {
			p.invalid(at, "permission %q of %s defined twice", name, what)
			return
		}
		s.names[value-1], s.byName[name] = name, value
	}
}

// permissionTable makes room for permissions 1 to nprim.
func (p *parser) permissionTable(off int, nprim uint32) Symbols[struct{}] {
	if p.err == nil && nprim > 32 {
		p.invalid(off, "%d permissions, more than 32", nprim)
	}
	if p.err != nil {
		nprim = 0
	}
	return Symbols[struct{}]{byValue: make([]struct{}, nprim), names: make([]string, nprim), byName: make(map[string]uint32)}
}

func (p *parser) commons() {
	p.db.commons = symbols(p, "commons", 16, func() (string, uint32, *commonDatum, bool) {
		nlen, value := p.count("common's name", 1), p.u32("common's value")
		at := p.off
		nprim := p.u32("number of permissions")
		n := p.count("permissions", 8)
		name := p.name(nlen, "common's name")
		c := &commonDatum{permissions: p.permissionTable(at, nprim)}
		p.permissions(&c.permissions, n, nprim, name)
		return name, value, c, false
	})
}

func (p *parser) classes() {
	p.db.Classes = symbols(p, "classes", 24, func() (string, uint32, *classDatum, bool) {
		nlen, clen := p.count("class's name", 1), p.count("common's name", 1)
		value := p.u32("class's value")
		at := p.off
		nprim := p.u32("number of permissions")
		n := p.count("permissions", 8)
		ncons := p.count("constraints", 8)
		name := p.name(nlen, "class's name")
		c := &classDatum{Permissions: p.permissionTable(at, nprim)}
		if clen > 0 {
			p.inherit(&c.Permissions, p.name(clen, "common's name"), name, nprim)
		}
		p.permissions(&c.Permissions, n, nprim, name)
		c.Constraints = p.constraints(ncons, false)
		if p.db.Version >= versionMLS {
			c.Validatetrans = p.constraints(p.count("validatetrans", 8), true)
		}
		if p.db.Version >= versionObjectDefaults {
			p.take(3*4, "default_user, default_role, default_range")
		}
		if p.db.Version >= versionDefaultType {
			p.take(4, "default_type")
		}
		return name, value, c, false
	})
}

// inherit gives a class the permissions of its common.
func (p *parser) inherit(s *Symbols[struct{}], common, class string, nprim uint32) {
	if p.err != nil {
		return
	}
	c := p.db.commons.At(p.db.commons.Value(common))
	if c == nil || c.permissions.Len() > int(nprim) {
		p.invalid(p.off, "class %q inherits from %q, which is not there", class, common)
		return
	}
	copy(s.names, c.permissions.names)
	for name, value := range c.permissions.byName {
		s.byName[name] = value
	}
}

// bounds reads what bounds a role, type or user, from version 24.
func (p *parser) bounds() uint32 {
	if p.db.Version < versionBoundary {
		return 0
	}
	return p.u32("bounds")
}

func (p *parser) roles() {
	p.db.Roles = symbols(p, "roles", 8, func() (string, uint32, *roleDatum, bool) {
		nlen, value := p.count("role's name", 1), p.u32("role's value")
		r := &roleDatum{bounds: p.bounds()}
		name := p.name(nlen, "role's name")
		r.dominates = p.bitmap("role's dominated roles", maxValue)
		r.types = p.bitmap("role's types", maxValue)
		if name == objectR {
			r = &roleDatum{} // any type may have it; Xen has one of its own
		}
		return name, value, r, false
	})
}

// roleDominates says whether one role dominates another.
func (db *DB) roleDominates(r1, r2 uint32) bool { return db.Roles.At(r1).dominates.Has(r2 - 1) }

func (p *parser) types() {
	p.db.Types = symbols(p, sectionTypes, 12, func() (string, uint32, *typeDatum, bool) {
		nlen, value, properties := p.count("type's name", 1), p.u32("type's value"), p.u32("type's properties")
		t := &typeDatum{Bounds: p.bounds()}
		primary := properties != 0
		if p.db.Version >= versionBoundary {
			t.Attribute = properties&typePropertyAttribute != 0
			primary = properties&typePropertyPrimary != 0 || t.Attribute
		}
		return p.name(nlen, "type's name"), value, t, !primary
	})
}

func (p *parser) users() {
	p.db.Users = symbols(p, "users", 8, func() (string, uint32, *userDatum, bool) {
		nlen, value := p.count("user's name", 1), p.u32("user's value")
		u := &userDatum{bounds: p.bounds()}
		name := p.name(nlen, "user's name")
		u.roles = p.bitmap("user's roles", p.db.Roles.Len())
		if p.db.Version >= versionMLS {
			u.levels = p.levelRange()
			u.usual = p.level()
		}
		return name, value, u, false
	})
}

func (p *parser) bools() {
	p.db.Bools = symbols(p, "booleans", 12, func() (string, uint32, *boolDatum, bool) {
		value, state := p.u32("boolean's value"), p.u32("boolean's state")
		nlen := p.count("boolean's name", 1)
		if p.err == nil && state > 1 {
			p.invalid(p.off-8, "boolean's state is %d", state)
		}
		return p.name(nlen, "boolean's name"), value, &boolDatum{State: state != 0}, false
	})
}

func (p *parser) levels() {
	p.db.Levels = symbols(p, "levels", 8, func() (string, uint32, *levelDatum, bool) {
		nlen, alias := p.count("level's name", 1), p.u32("level's alias flag")
		name := p.name(nlen, "level's name")
		l := &levelDatum{set: p.level()}
		return name, l.set.Sensitivity, l, alias != 0
	})
}

func (p *parser) categories() {
	p.db.Cats = symbols(p, "categories", 12, func() (string, uint32, *categoryDatum, bool) {
		nlen, value, alias := p.count("category's name", 1), p.u32("category's value"), p.u32("category's alias flag")
		return p.name(nlen, "category's name"), value, &categoryDatum{}, alias != 0
	})
}
