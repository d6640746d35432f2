package policydb

import "slices"

// Context is a security context by value.
type Context struct {
	User, Role, Type uint32
	Range            levelRange // of a policy with MLS
}

// levelSet is a sensitivity with categories.
type levelSet struct {
	Sensitivity uint32
	Categories  Bitmap
}

// levelRange is the range of levels of a context.
type levelRange struct{ Low, High levelSet }

// Equal says whether two contexts are the same.
func (c *Context) Equal(o *Context) bool {
	return c.Type == o.Type && c.Role == o.Role && c.User == o.User && c.Range.equal(&o.Range)
}

func (r *levelRange) equal(o *levelRange) bool { return r.Low.equal(&o.Low) && r.High.equal(&o.High) }

func (l *levelSet) equal(o *levelSet) bool {
	return l.Sensitivity == o.Sensitivity && slices.Equal(l.Categories, o.Categories)
}

func (p *parser) level() levelSet {
	return levelSet{p.u32("sensitivity"), p.bitmap("categories", maxValue)}
}

// levelRange reads one level or two: the low and the high one.
func (p *parser) levelRange() levelRange {
	off := p.off
	items := p.u32("number of levels")
	if p.err == nil && items != 1 && items != 2 {
		p.invalid(off, "range of %d levels", items)
	}
	var r levelRange
	r.Low.Sensitivity = p.u32("low sensitivity")
	if items == 2 {
		r.High.Sensitivity = p.u32("high sensitivity")
	}
	r.Low.Categories = p.bitmap("low categories", maxValue)
	if items == 2 {
		r.High.Categories = p.bitmap("high categories", maxValue)
	} else {
		r.High = r.Low
	}
	return r
}

// contextSize is the least a context takes.
const contextSize = 12

// context reads a context and refuses one that the policy does not allow.
func (p *parser) context() Context {
	off := p.off
	c := Context{User: p.u32("context's user"), Role: p.u32("context's role"), Type: p.u32("context's type")}
	if p.db.Version >= versionMLS {
		c.Range = p.levelRange()
	}
	if p.err == nil && !p.db.Valid(&c) {
		p.invalid(off, "context with user %d, role %d, type %d is not valid", c.User, c.Role, c.Type)
	}
	return c
}

// Valid says whether a context is one that the policy allows: its type is one
// of its role's and its role is one of its user's, unless the role is that of
// objects (policydb_context_isvalid).
func (db *DB) Valid(c *Context) bool {
	u, r := db.Users.At(c.User), db.Roles.At(c.Role)
	t := db.Types.At(c.Type)
	if u == nil || r == nil || t == nil || t.Attribute {
		return false
	}
	return c.Role == ObjectRole || r.types.Has(c.Type-1) && u.roles.Has(c.Role-1)
}
