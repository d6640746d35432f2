package policydb

// maxBounds is the longest chain of bounds (POLICYDB_BOUNDS_MAXDEPTH).
const maxBounds = 4

// checkBounds refuses bounds that go in circles or too deep, that name what is
// not there, and users and roles that have more than what bounds them
// (policydb_bounds_sanity_check).
func (p *parser) checkBounds() {
	p.section = "bounds"
	db := p.db
	for v := uint32(1); int(v) <= db.Users.Len(); v++ {
		p.chain("user", db.Users.Name(v), v, func(v uint32) (uint32, bool) {
			u := db.Users.At(v)
			return u.bounds, u.bounds == 0 || db.Users.defined(u.bounds) && db.Users.At(u.bounds).roles.Contains(u.roles)
		})
	}
	for v := uint32(1); int(v) <= db.Roles.Len(); v++ {
		p.chain("role", db.Roles.Name(v), v, func(v uint32) (uint32, bool) {
			r := db.Roles.At(v)
			return r.bounds, r.bounds == 0 || db.Roles.defined(r.bounds) && db.Roles.At(r.bounds).types.Contains(r.types)
		})
	}
	for v := uint32(1); int(v) <= db.Types.Len(); v++ {
		if db.Types.At(v) == nil {
			continue
		}
		p.chain("type", db.Types.Name(v), v, func(v uint32) (uint32, bool) {
			b := db.Types.At(v).Bounds
			return b, b == 0 || db.Types.defined(b) && !db.Types.At(b).Attribute
		})
	}
}

// chain follows the bounds of one symbol. next returns what bounds a value, 0
// for nothing, and whether it may.
func (p *parser) chain(kind, name string, v uint32, next func(uint32) (uint32, bool)) {
	for depth := 1; p.err == nil; depth++ {
		bounds, ok := next(v)
		switch {
		case !ok:
			p.invalid(p.off, "%s %q is bounded by value %d, which cannot bound it", kind, name, bounds)
		case bounds == 0:
			return
		case depth == maxBounds:
			p.invalid(p.off, "bounds of %s %q go in a circle or deeper than %d", kind, name, maxBounds)
		}
		v = bounds
	}
}
