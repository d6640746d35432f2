package policydb

// UserContexts are the contexts that a user's domains may have: each of its
// roles with each of the role's types, and the levels that suit a domain with
// the levels from (mls_setup_user_range). ok is false if there is no such user.
func (db *DB) UserContexts(name string, from *LevelRange) (list []Context, ok bool) {
	v := db.Users.Value(name)
	if v == 0 {
		return nil, false
	}
	u := db.Users.At(v)
	var levels LevelRange
	if db.MLS {
		if levels, ok = u.levelsFrom(from); !ok {
			return nil, true
		}
	}
	for role := range u.roles.All {
		r := db.Roles.At(role + 1)
		if r == nil {
			continue
		}
		for typ := range r.types.All {
			if t := db.Types.At(typ + 1); t != nil && !t.Attribute {
				list = append(list, Context{User: v, Role: role + 1, Type: typ + 1, Range: levels})
			}
		}
	}
	return list, true
}

// levelsFrom are a user's levels for a domain with other ones: the user's usual
// level, if the domain's range has it, else the nearest that both have; cleared
// for no more than either is.
func (u *userDatum) levelsFrom(from *LevelRange) (r LevelRange, ok bool) {
	switch {
	case between(&u.usual, &from.Low, &from.High):
		r.Low = u.usual
	case between(&from.Low, &u.usual, &u.levels.High):
		r.Low = from.Low
	case between(&from.High, &u.levels.Low, &u.usual):
		r.Low = u.levels.Low
	default:
		return r, false
	}
	switch {
	case u.levels.High.dominates(&from.High):
		r.High = from.High
	case from.High.dominates(&u.levels.High):
		r.High = u.levels.High
	default:
		return r, false
	}
	return r, true
}

// between says whether l dominates low and high dominates l.
func between(l, low, high *Level) bool { return l.dominates(low) && high.dominates(l) }
