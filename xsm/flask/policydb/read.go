package policydb

import "fmt"

// parser reads one policy into db.
type parser struct {
	cursor
	db     *DB
	nSyms  int
	nOCons int
}

// Read reads a policy. Its error is an *Error.
func Read(buf []byte) (*DB, error) {
	p := &parser{cursor: cursor{buf: buf}, db: &DB{}}
	for _, section := range []func(){
		p.header, p.maps,
		p.commons, p.classes, p.roles, p.types, p.users, p.optionalSymbols, p.checkSymbols,
		p.rules, p.roleRules, p.filenameTransitions,
		p.objectContexts, p.genfs, p.rangeTransitions, p.typeAttributes, p.checkBounds, p.end,
	} {
		if section(); p.err != nil {
			return nil, p.err
		}
	}
	return p.db, nil
}

// header reads magic, target, version, configuration and the numbers of
// symbol tables and kinds of object contexts.
func (p *parser) header() {
	p.section = "header"
	if m := p.u32("magic"); p.err == nil && m != Magic {
		p.fail(0, fmt.Errorf("%w: magic is %#x, not %#x", ErrMagic, m, uint32(Magic)))
	}
	n := p.count("target's name", 1)
	at := p.off
	p.db.target = p.name(n, "target's name")
	if p.err == nil && p.db.target != targetXen && p.db.target != targetOld {
		p.fail(at, fmt.Errorf("%w: target is %q, not %q", ErrTarget, p.db.target, targetXen))
	}
	at = p.off
	v := p.u32("version")
	low, high := uint32(versionMinXen), uint32(VersionMax)
	if p.old() {
		low = VersionMin
	}
	if p.err == nil && (v < low || v > high) {
		p.fail(at, fmt.Errorf("%w: version %d of a policy for %q is not in %d to %d", ErrVersion, v, p.db.target, low, high))
	}
	p.db.Version = v
	config := p.u32("configuration")
	p.db.MLS = config&configMLS != 0
	p.db.rejectUnknown = config&configRejectUnknown != 0
	p.db.allowUnknown = config&configAllowUnknown != 0
	at = p.off
	p.nSyms, p.nOCons = int(p.u32("number of symbol tables")), int(p.u32("number of kinds of object contexts"))
	if p.err != nil {
		return
	}
	if p.nSyms != symbolTables(v) {
		p.invalid(at, "%d symbol tables, version %d has %d", p.nSyms, v, symbolTables(v))
	}
	if want := p.objectContextKinds(); p.nOCons != want {
		p.invalid(at+4, "%d kinds of object contexts, version %d for %q has %d", p.nOCons, v, p.db.target, want)
	}
}

// old says whether the policy was written before Xen was a target of its own.
func (p *parser) old() bool { return p.db.target == targetOld }

// symbolTables is the number of symbol tables of a version: booleans came
// after commons, classes, roles, types and users, then levels and categories.
func symbolTables(version uint32) int {
	switch {
	case version >= versionMLS:
		return 8
	case version >= versionBool:
		return 6
	}
	return 5
}

// objectContextKinds is their number: initial SIDs, physical interrupts, I/O
// ports, I/O memory, PCI devices, and nodes of the device tree. An old policy
// has initial SIDs and SELinux's kinds.
func (p *parser) objectContextKinds() int {
	switch {
	case p.old() && p.db.Version < versionIPv6:
		return 6
	case p.old() && p.db.Version < versionInfiniband:
		return 7
	case p.old():
		return 9
	case p.db.Version >= versionXenDeviceTree:
		return 6
	}
	return 5
}

func (p *parser) maps() {
	p.section = "capabilities"
	if p.db.MLS && p.db.Version < versionMLS {
		p.invalid(20, "version %d has no levels, yet the policy is marked as having them", p.db.Version)
	}
	if p.db.Version >= versionPolicyCaps {
		p.db.policyCaps = p.bitmap("capabilities", maxValue)
	}
	p.section = "permissive types"
	if p.db.Version >= versionPermissive {
		p.db.Permissive = p.bitmap("permissive types", maxValue+1)
	}
}

func (p *parser) optionalSymbols() {
	if p.db.Version >= versionBool {
		p.bools()
	}
	if p.db.Version >= versionMLS && p.err == nil {
		p.levels()
	}
	if p.db.Version >= versionMLS && p.err == nil {
		p.categories()
	}
}

// checkSymbols checks what symbols say of symbols of later tables.
func (p *parser) checkSymbols() {
	p.section = "symbols"
	db := p.db
	if db.Roles.Name(ObjectRole) != objectR {
		p.invalid(p.off, "role %d is %q, not %q", ObjectRole, db.Roles.Name(ObjectRole), objectR)
	}
	for v := 1; v <= db.Roles.Len(); v++ {
		r := db.Roles.At(uint32(v))
		if r == nil {
			p.invalid(p.off, "role %d has no name", v)
			return
		}
		if m := r.types.Max(); m >= db.Types.Len() {
			p.invalid(p.off, "role %q has type %d of %d", db.Roles.Name(uint32(v)), m+1, db.Types.Len())
			return
		}
	}
	for _, u := range []struct {
		kind    string
		n       int
		defined func(uint32) bool
	}{{"user", db.Users.Len(), db.Users.defined}, {"boolean", db.Bools.Len(), db.Bools.defined}} {
		for v := 1; v <= u.n; v++ {
			if !u.defined(uint32(v)) {
				p.invalid(p.off, "%s %d has no name", u.kind, v)
				return
			}
		}
	}
	for v := 1; v <= db.Classes.Len(); v++ {
		if db.Classes.At(uint32(v)) == nil {
			p.invalid(p.off, "class %d has no name", v)
			return
		}
	}
	for v := range db.Permissive.All {
		if !db.Types.defined(v) {
			p.invalid(p.off, "permissive type %d of %d", v, db.Types.Len())
			return
		}
	}
}

func (p *parser) rules() {
	p.section = "rules"
	p.db.Rules = p.avtab("rules")
	if p.db.Version >= versionBool && p.err == nil {
		p.conditionals()
	}
}

func (p *parser) roleRules() {
	p.section = "role transitions"
	size := 12
	if p.db.Version >= versionRoleTrans {
		size = 16
	}
	for range p.count("role transitions", size) {
		at := p.off
		t := roleTransition{Role: p.u32("role"), Type: p.u32("type"), New: p.u32("new role")}
		if p.db.Version >= versionRoleTrans {
			t.Class = p.u32("class")
		}
		if p.err == nil && (!p.db.Roles.defined(t.Role) || !p.db.Types.defined(t.Type) || !p.db.Roles.defined(t.New) || t.Class != 0 && !p.db.Classes.defined(t.Class)) {
			p.invalid(at, "transition of role %d on type %d, class %d, to role %d", t.Role, t.Type, t.Class, t.New)
		}
		p.db.RoleTrans = append(p.db.RoleTrans, t)
	}
	p.section = "role allows"
	for range p.count("role allows", 8) {
		at := p.off
		a := roleAllow{p.u32("role"), p.u32("new role")}
		if p.err == nil && (!p.db.Roles.defined(a.Role) || !p.db.Roles.defined(a.New)) {
			p.invalid(at, "allow from role %d to role %d", a.Role, a.New)
		}
		p.db.RoleAllow = append(p.db.RoleAllow, a)
	}
}

// filenameTransitions and genfs refuse what Xen has no files for, as it does.
func (p *parser) filenameTransitions() {
	if p.db.Version >= versionFilenameTrans {
		p.none("file name transitions")
	}
}

func (p *parser) genfs() { p.none("file systems") }

// none reads the number of elements of a section that must be empty.
func (p *parser) none(section string) {
	p.section = section
	at := p.off
	if n := p.u32("number of " + section); n != 0 {
		p.invalid(at, "%d %s: Xen has no files, and refuses them", n, section)
	}
}

// typeAttributes reads the attributes of every type. Before version 20 the
// rules were expanded to types, so a type has itself only.
func (p *parser) typeAttributes() {
	p.section = "type_attr_map"
	p.db.TypeAttrs = make([]Bitmap, p.db.Types.Len())
	for i := range p.db.TypeAttrs {
		if p.db.Version >= versionAVTab {
			p.db.TypeAttrs[i] = p.bitmap("type's attributes", p.db.Types.Len())
		}
		if p.err != nil {
			return
		}
		p.db.TypeAttrs[i].Set(uint32(i))
	}
}

func (p *parser) end() {
	p.section = "end"
	if n := len(p.buf) - p.off; n != 0 {
		p.invalid(p.off, "%d bytes after the policy", n)
	}
}
