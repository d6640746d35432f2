package policydb

import (
	"errors"
	"fmt"
	"strings"
)

// ErrContext is the cause when a context is none of the policy's.
var ErrContext = errors.New("invalid context")

// Context is a security context by value.
type Context struct {
	User, Role, Type uint32
	Range            LevelRange // of a policy with MLS
}

// Equal says whether two contexts are the same.
func (c *Context) Equal(o *Context) bool {
	return c.Type == o.Type && c.Role == o.Role && c.User == o.User && c.Range.equal(&o.Range)
}

// ParseContext reads a context, user:role:type, with levels if the policy has them, and
// refuses one that the policy does not allow.
func (db *DB) ParseContext(text string) (Context, error) {
	want, n := "user:role:type", 3
	if db.MLS {
		want, n = "user:role:type:level", 4
	}
	fields := strings.SplitN(text, ":", n)
	if len(fields) != n || !db.MLS && strings.Contains(fields[2], ":") {
		return Context{}, fmt.Errorf("%w %q: want %s", ErrContext, text, want)
	}
	c := Context{User: db.Users.Value(fields[0]), Role: db.Roles.Value(fields[1]), Type: db.Types.Value(fields[2])}
	switch t := db.Types.At(c.Type); {
	case c.User == 0:
		return c, fmt.Errorf("%w %q: no user %q", ErrContext, text, fields[0])
	case c.Role == 0:
		return c, fmt.Errorf("%w %q: no role %q", ErrContext, text, fields[1])
	case t == nil || t.Attribute:
		return c, fmt.Errorf("%w %q: no type %q", ErrContext, text, fields[2])
	}
	if db.MLS {
		var err error
		if c.Range, err = db.ParseRange(fields[3]); err != nil {
			return c, fmt.Errorf("%w %q: %w", ErrContext, text, err)
		}
	}
	if !db.Valid(&c) {
		return c, fmt.Errorf("%w %q: not allowed by the policy", ErrContext, text)
	}
	return c, nil
}

// contextSize is the least a context takes.
const contextSize = 12

// context reads a context and refuses one that the policy does not allow.
// Without MLS its levels mean nothing and are dropped.
func (p *parser) context() Context {
	off := p.off
	c := Context{User: p.u32("context's user"), Role: p.u32("context's role"), Type: p.u32("context's type")}
	if p.db.Version >= versionMLS {
		r := p.levelRange()
		if p.db.MLS {
			c.Range = r
		}
	}
	if p.err == nil && !p.db.Valid(&c) {
		p.invalid(off, "context with user %d, role %d, type %d is not valid", c.User, c.Role, c.Type)
	}
	return c
}

// Valid says whether a context is one that the policy allows: its type is one
// of its role's and its role is one of its user's, unless the role is that of
// objects; and with MLS its levels are the policy's and, again but for
// objects, within its user's (policydb_context_isvalid).
func (db *DB) Valid(c *Context) bool {
	u, r := db.Users.At(c.User), db.Roles.At(c.Role)
	t := db.Types.At(c.Type)
	if u == nil || r == nil || t == nil || t.Attribute {
		return false
	}
	if db.MLS && !db.validRange(&c.Range) {
		return false
	}
	if c.Role == ObjectRole {
		return true
	}
	return r.types.Has(c.Type-1) && u.roles.Has(c.Role-1) && (!db.MLS || u.levels.contains(&c.Range))
}
