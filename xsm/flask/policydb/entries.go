package policydb

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Entry is one thing that a policy says: of a rule, one of its permissions.
type Entry struct {
	// Head is what the entry is about, Word what is said of it: entries with
	// one head make one statement. Word is "" where the head says all.
	Head, Word string
}

// Section is what a policy says of one sort, in no particular order.
type Section struct {
	Name    string
	Entries []Entry
}

// Entries writes out by name all that the security server of a hypervisor decides
// by, so that policies can be compared whose numbers differ.
func (db *DB) Entries() []Section {
	return []Section{
		{"classes and permissions", db.classEntries()},
		{"initial SIDs", db.sidEntries()},
		{"levels", names(db.MLS, &db.Levels, "sensitivity")},
		{"categories", names(db.MLS, &db.Cats, "category")},
		{"users", db.userEntries()},
		{"roles", db.roleEntries()},
		{"types", db.typeEntries()},
		{"attributes", db.attributeEntries()},
		{"permissive types", db.permissiveEntries()},
		{"rules", db.ruleEntries()},
		{"conditional rules", db.conditionalEntries()},
		{"booleans", db.boolEntries()},
		{"constraints", db.constraintEntries()},
		{"role rules", db.roleRuleEntries()},
		{"range transitions", db.rangeEntries()},
		{"device contexts", db.deviceEntries()},
	}
}

// names are a table's, if the policy uses it.
func names[T any](used bool, s *Symbols[T], kind string) []Entry {
	var all []Entry
	for v := uint32(1); used && int(v) <= s.Len(); v++ {
		all = append(all, Entry{Head: kind + " " + s.Name(v)})
	}
	return all
}

func (db *DB) classEntries() []Entry {
	var all []Entry
	for v := uint32(1); int(v) <= db.Classes.Len(); v++ {
		for _, p := range db.permissionNames(v, ^uint32(0)) {
			all = append(all, Entry{"class " + db.Classes.Name(v), p})
		}
	}
	return all
}

// permissionNames are those of a class whose bits are set.
func (db *DB) permissionNames(class, set uint32) []string {
	var all []string
	c := db.Classes.At(class)
	for left := set; left != 0 && c != nil; left &= left - 1 {
		if name := c.Permissions.Name(uint32(bits.TrailingZeros32(left)) + 1); name != "" {
			all = append(all, name)
		}
	}
	return all
}

func (db *DB) sidEntries() []Entry {
	var all []Entry
	for _, s := range db.InitialSIDs {
		all = append(all, Entry{Head: fmt.Sprintf("sid %d %s", s.SID, db.FormatContext(&s.Context))})
	}
	return all
}

// FormatContext writes a context as text, user:role:type, with levels if the policy
// has them.
func (db *DB) FormatContext(c *Context) string {
	text := db.Users.Name(c.User) + ":" + db.Roles.Name(c.Role) + ":" + db.Types.Name(c.Type)
	if db.MLS {
		text += ":" + db.FormatRange(&c.Range)
	}
	return text
}

func (db *DB) userEntries() []Entry {
	var all []Entry
	for v := uint32(1); int(v) <= db.Users.Len(); v++ {
		u, head := db.Users.At(v), "user "+db.Users.Name(v)
		all = append(all, Entry{Head: head})
		for bit := range u.roles.All {
			all = append(all, Entry{head + " roles", db.Roles.Name(bit + 1)})
		}
		if db.MLS {
			all = append(all, Entry{Head: head + " range " + db.FormatRange(&u.levels)})
		}
	}
	return all
}

func (db *DB) roleEntries() []Entry {
	var all []Entry
	for v := uint32(1); int(v) <= db.Roles.Len(); v++ {
		r, head := db.Roles.At(v), "role "+db.Roles.Name(v)
		all = append(all, Entry{Head: head})
		for bit := range r.types.All {
			all = append(all, Entry{head + " types", db.typeName(bit + 1)})
		}
	}
	return all
}

// typeName is the name of a type or an attribute. Attributes have names from version
// 24 on; before, they are known by the types that have them.
func (db *DB) typeName(v uint32) string {
	if name := db.Types.Name(v); name != "" {
		return name
	}
	var members []string
	for t := range db.TypeAttrs {
		if uint32(t+1) != v && db.TypeAttrs[t].Has(v-1) {
			members = append(members, db.Types.Name(uint32(t+1)))
		}
	}
	return "{ " + strings.Join(members, " ") + " }"
}

// typeEntries are types, and what bounds them.
func (db *DB) typeEntries() []Entry {
	var all []Entry
	for v := uint32(1); int(v) <= db.Types.Len(); v++ {
		t := db.Types.At(v)
		if t == nil || t.Attribute {
			continue
		}
		all = append(all, Entry{Head: "type " + db.Types.Name(v)})
		if t.Bounds != 0 {
			all = append(all, Entry{Head: "typebounds " + db.Types.Name(t.Bounds) + " " + db.Types.Name(v)})
		}
	}
	return all
}

// attributeEntries are the types that have each attribute, where attributes have names.
func (db *DB) attributeEntries() []Entry {
	var all []Entry
	for t := range db.TypeAttrs {
		if of := db.Types.At(uint32(t + 1)); of == nil || of.Attribute {
			continue // it has itself
		}
		for bit := range db.TypeAttrs[t].All {
			if a := db.Types.At(bit + 1); a != nil && a.Attribute {
				all = append(all, Entry{"attribute " + db.Types.Name(bit+1) + " of", db.Types.Name(uint32(t + 1))})
			}
		}
	}
	return all
}

func (db *DB) permissiveEntries() []Entry {
	var all []Entry
	for bit := range db.Permissive.All { // a type's bit is its value
		all = append(all, Entry{Head: "permissive " + db.typeName(bit)})
	}
	return all
}

// ruleWords name what a rule specifies.
var ruleWords = map[uint16]string{
	Allowed: "allow", AuditAllow: "auditallow", AuditDeny: "dontaudit",
	Transition: "type_transition", Member: "type_member", Change: "type_change",
}

func (db *DB) ruleEntries() []Entry {
	var all []Entry
	for r := range db.Rules.All {
		all = append(all, db.entriesOf(r, "")...)
	}
	return all
}

// entriesOf are a rule's, each with its permission, or with the type that it gives.
func (db *DB) entriesOf(r *rule, under string) []Entry {
	class := uint32(r.Class)
	head := fmt.Sprintf("%s%s %s %s:%s", under, ruleWords[r.Specified], db.typeName(uint32(r.Source)), db.typeName(uint32(r.Target)), db.Classes.Name(class))
	switch {
	case r.Specified&TypeRule != 0:
		return []Entry{{Head: head + " " + db.typeName(r.Datum)}}
	case r.Specified == AuditDeny:
		return words(head, db.permissionNames(class, ^r.Datum))
	}
	return words(head, db.permissionNames(class, r.Datum))
}

func words(head string, list []string) []Entry {
	var all []Entry
	for _, w := range list {
		all = append(all, Entry{head, w})
	}
	return all
}

func (db *DB) conditionalEntries() []Entry {
	var all []Entry
	for _, c := range db.Conditionals {
		condition := db.formatCondition(c.expr)
		for i := range c.True {
			all = append(all, db.entriesOf(&c.True[i].rule, "if ("+condition+") ")...)
		}
		for i := range c.False {
			all = append(all, db.entriesOf(&c.False[i].rule, "if not ("+condition+") ")...)
		}
	}
	return all
}

func (db *DB) boolEntries() []Entry {
	var all []Entry
	for v := uint32(1); int(v) <= db.Bools.Len(); v++ {
		all = append(all, Entry{Head: fmt.Sprintf("bool %s %v", db.Bools.Name(v), db.Bools.At(v).State)})
	}
	return all
}

func (db *DB) constraintEntries() []Entry {
	var all []Entry
	for v := uint32(1); int(v) <= db.Classes.Len(); v++ {
		class := db.Classes.At(v)
		for i := range class.Constraints {
			c := &class.Constraints[i]
			head := fmt.Sprintf("constrain %s { %s } (%s)", db.Classes.Name(v), strings.Join(db.permissionNames(v, c.Permissions), " "), db.formatConstraint(c))
			all = append(all, Entry{Head: head})
		}
		for i := range class.Validatetrans {
			all = append(all, Entry{Head: fmt.Sprintf("validatetrans %s (%s)", db.Classes.Name(v), db.formatConstraint(&class.Validatetrans[i]))})
		}
	}
	return all
}

func (db *DB) roleRuleEntries() []Entry {
	var all []Entry
	for _, t := range db.RoleTrans {
		head := fmt.Sprintf("role_transition %s %s", db.Roles.Name(t.Role), db.typeName(t.Type))
		if t.Class != 0 {
			head += ":" + db.Classes.Name(t.Class)
		}
		all = append(all, Entry{Head: head + " " + db.Roles.Name(t.New)})
	}
	for _, a := range db.RoleAllow {
		all = append(all, Entry{Head: fmt.Sprintf("allow %s %s", db.Roles.Name(a.Role), db.Roles.Name(a.New))})
	}
	return all
}

func (db *DB) rangeEntries() []Entry {
	var all []Entry
	for _, t := range db.RangeTrans {
		head := fmt.Sprintf("range_transition %s %s", db.typeName(t.Source), db.typeName(t.Target))
		if t.Class != 0 {
			head += ":" + db.Classes.Name(t.Class)
		}
		all = append(all, Entry{Head: head + " " + db.FormatRange(&t.Levels)})
	}
	return all
}

func (db *DB) deviceEntries() []Entry {
	var all []Entry
	for _, kind := range []struct {
		word string
		list []Range
	}{{"pirqcon", db.PIRQs}, {"ioportcon", db.IOPorts}, {"iomemcon", db.IOMems}, {"pcidevicecon", db.PCIDevices}} {
		for _, r := range kind.list {
			where := fmt.Sprintf("%#x", r.Low)
			if r.High != r.Low {
				where += fmt.Sprintf("-%#x", r.High)
			}
			all = append(all, Entry{Head: kind.word + " " + where + " " + db.FormatContext(&r.Context)})
		}
	}
	for _, n := range db.DeviceTree {
		all = append(all, Entry{Head: "devicetreecon " + n.path + " " + db.FormatContext(&n.context)})
	}
	return all
}

// Statements joins entries with one head into one text each, sorted.
func Statements(entries []Entry) []string {
	byHead := map[string][]string{}
	for _, e := range entries {
		byHead[e.Head] = append(byHead[e.Head], e.Word)
	}
	var all []string
	for head, words := range byHead {
		words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
		slices.Sort(words)
		if len(words) > 0 {
			head += " { " + strings.Join(words, " ") + " }"
		}
		all = append(all, head)
	}
	slices.Sort(all)
	return all
}
