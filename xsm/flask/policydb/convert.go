package policydb

// Convert returns what a context of another policy is in this one: the user,
// role, type, levels and categories of the same names (convert_context). ok is
// false if it does not have them all. Whether it allows the context is for
// Valid to say.
func (db *DB) Convert(c *Context, from *DB) (out Context, ok bool) {
	out.User = db.Users.Value(from.Users.Name(c.User))
	out.Role = db.Roles.Value(from.Roles.Name(c.Role))
	out.Type = db.Types.Value(from.Types.Name(c.Type))
	ok = out.User != 0 && out.Role != 0 && out.Type != 0 && !db.Types.At(out.Type).Attribute
	if !ok || !db.MLS {
		return out, ok
	}
	low, okLow := db.convertLevel(&c.Range.Low, from)
	high, okHigh := db.convertLevel(&c.Range.High, from)
	out.Range = LevelRange{Low: low, High: high}
	return out, okLow && okHigh
}

func (db *DB) convertLevel(l *Level, from *DB) (out Level, ok bool) {
	out.Sensitivity = db.Levels.Value(from.Levels.Name(l.Sensitivity))
	if out.Sensitivity == 0 {
		return out, false
	}
	for bit := range l.Categories.All {
		v := db.Cats.Value(from.Cats.Name(bit + 1))
		if v == 0 {
			return out, false
		}
		out.Categories.Set(v - 1)
	}
	return out, true
}
