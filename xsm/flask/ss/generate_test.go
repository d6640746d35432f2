package ss_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"xsmbench/xsm/flask/ss"
)

// generated is a random policy and what is asked of it.
type generated struct {
	source  string
	mls     bool
	version int
	classes []ss.Class // the policy's, in its order
	sids    []string

	types, users, roles, levels []string
	attributes, cats            []string
	r                           *rand.Rand
	b                           strings.Builder
	given                       map[[3]string]bool // type rules, which must be unique
}

// generate writes a policy that uses all of the language that Xen knows, as
// far as chance wills. default_user and its kin are left out, for libsepol does
// as they say and Xen does not; so are bounds that take something away, which
// checkpolicy refuses.
func generate(seed uint64) *generated {
	r := rand.New(rand.NewPCG(seed, 0x666c61736b))
	g := &generated{r: r, mls: seed%2 == 0, version: []int{24, 30}[seed/2%2], given: make(map[[3]string]bool)}
	g.types, g.attributes = names("ty", 6+r.IntN(20)), names("a", 1+r.IntN(5))
	g.roles, g.users = names("ro", 1+r.IntN(4)), names("us", 1+r.IntN(3))
	g.levels, g.cats = names("s", 1+r.IntN(4)), names("c", 1+r.IntN(70))
	g.sids = []string{"xen", "unlabeled", "guest"}
	g.declareClasses()
	if g.mls {
		g.declareLevels()
		g.constrain("mlsconstrain", g.levelTerm)
	}
	g.declareTypes()
	g.allowRules(20+r.IntN(60), 10)
	g.typeRules(10 + r.IntN(20))
	g.conditionals()
	g.declareRoles()
	g.declareUsers()
	g.constrain("constrain", g.term)
	g.labels()
	g.source = g.b.String()
	return g
}

func names(prefix string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return list
}

func (g *generated) printf(format string, args ...any) { fmt.Fprintf(&g.b, format+"\n", args...) }
func (g *generated) one(list []string) string          { return list[g.r.IntN(len(list))] }
func (g *generated) chance(percent int) bool           { return g.r.IntN(100) < percent }

// some returns up to n different elements, at least one, as a set of the
// language's.
func (g *generated) some(list []string, n int) string {
	picked := slices.Clone(list)
	g.r.Shuffle(len(picked), func(i, j int) { picked[i], picked[j] = picked[j], picked[i] })
	return "{ " + strings.Join(picked[:1+g.r.IntN(min(n, len(picked)))], " ") + " }"
}

func (g *generated) declareClasses() {
	inherited := names("common", 1+g.r.IntN(3))
	g.classes = []ss.Class{
		{Name: "event", Permissions: slices.Concat(inherited, names("p", 1+g.r.IntN(8)))},
		{Name: "domain", Permissions: slices.Concat([]string{"create", "transition"}, names("p", g.r.IntN(6)))},
		{Name: "mmu", Permissions: slices.Clone(inherited)},
		{Name: "wide", Permissions: names("p", 32)},
	}
	g.r.Shuffle(len(g.classes), func(i, j int) { g.classes[i], g.classes[j] = g.classes[j], g.classes[i] })
	for _, c := range g.classes {
		g.printf("class %s", c.Name)
	}
	for _, s := range g.sids {
		g.printf("sid %s", s)
	}
	g.printf("common shared { %s }", strings.Join(inherited, " "))
	for _, c := range g.classes {
		switch c.Name {
		case "event":
			g.printf("class event inherits shared { %s }", strings.Join(c.Permissions[len(inherited):], " "))
		case "mmu":
			g.printf("class mmu inherits shared")
		default:
			g.printf("class %s { %s }", c.Name, strings.Join(c.Permissions, " "))
		}
	}
}

func (g *generated) declareLevels() {
	for _, l := range g.levels {
		if g.chance(30) {
			g.printf("sensitivity %s alias alias_%s;", l, l)
		} else {
			g.printf("sensitivity %s;", l)
		}
	}
	g.printf("dominance { %s }", strings.Join(g.levels, " "))
	for _, c := range g.cats {
		g.printf("category %s;", c)
	}
	for i, l := range g.levels {
		// The first and the last have all, so that every range may be.
		switch {
		case i == 0 || i == len(g.levels)-1 || g.chance(50):
			g.printf("level %s:%s;", l, g.allCats())
		default:
			g.printf("level %s:%s;", l, g.cats[0])
		}
	}
}

// allCats writes the set of all categories.
func (g *generated) allCats() string {
	if len(g.cats) == 1 {
		return g.cats[0]
	}
	return g.cats[0] + "." + g.cats[len(g.cats)-1]
}

// level writes a random level at or above a sensitivity.
func (g *generated) level(least int) (string, int) {
	n := least + g.r.IntN(len(g.levels)-least)
	text := g.levels[n]
	for i, sep := 0, ":"; i < g.r.IntN(4); i, sep = i+1, "," {
		from := g.r.IntN(len(g.cats))
		to := from + g.r.IntN(len(g.cats)-from)
		text += sep + g.cats[from]
		if to > from {
			text += "." + g.cats[to]
		}
	}
	return text, n
}

// levelRange writes a random range; it may be an invalid one.
func (g *generated) levelRange() string {
	low, n := g.level(0)
	if g.chance(40) {
		return low
	}
	high, _ := g.level(n)
	return low + "-" + high
}

func (g *generated) declareTypes() {
	for _, a := range g.attributes {
		g.printf("attribute %s;", a)
	}
	for _, t := range g.types {
		alias, of := "", ""
		if g.chance(20) {
			alias = " alias alias_" + t
		}
		for _, a := range g.attributes {
			if g.chance(30) {
				of += ", " + a
			}
		}
		g.printf("type %s%s%s;", t, alias, of)
		if g.chance(10) {
			g.printf("permissive %s;", t)
		}
	}
	g.printf("type bounding_t;\ntype bounded_t;\ntypebounds bounding_t bounded_t;")
}

// whom writes a random set of types.
func (g *generated) whom() string {
	all := slices.Concat(g.types, g.attributes)
	switch g.r.IntN(6) {
	case 0:
		return g.some(all, 4)
	case 1:
		return "{ " + g.one(g.attributes) + " -" + g.one(g.types) + " }"
	case 2, 3:
		return g.one(g.attributes)
	}
	return g.one(g.types)
}

func (g *generated) allowRules(n, audits int) {
	for i := range n {
		kind := "allow"
		if i < audits {
			kind = g.one([]string{"auditallow", "dontaudit"})
		}
		c := g.classes[g.r.IntN(len(g.classes))]
		target := g.whom()
		if g.chance(15) {
			target = "self"
		}
		perms := g.some(c.Permissions, len(c.Permissions))
		if g.chance(10) {
			perms = "*"
		}
		g.printf("%s %s %s:%s %s;", kind, g.whom(), target, c.Name, perms)
	}
}

// typeRule writes a type rule, unless there is one for the same types, class
// and kind.
func (g *generated) typeRule(where string) {
	kind := g.one([]string{"type_transition", "type_transition", "type_transition", "type_member", "type_change"})
	s, t, c := g.one(g.types), g.one(g.types), g.classes[g.r.IntN(len(g.classes))].Name
	key := [3]string{kind, s + " " + t, c}
	if g.given[key] {
		return
	}
	g.given[key] = true
	g.printf("%s%s %s %s:%s %s;", where, kind, s, t, c, g.one(g.types))
}

func (g *generated) typeRules(n int) {
	for range n {
		g.typeRule("")
	}
	if !g.mls {
		return
	}
	seen := make(map[string]bool)
	for range 5 {
		s, t, c := g.one(g.types), g.one(g.types), g.classes[g.r.IntN(len(g.classes))].Name
		if key := s + t + c; !seen[key] {
			seen[key] = true
			to := g.levels[0]
			if n := g.r.IntN(len(g.levels)); n > 0 {
				to += " - " + g.levels[n] + ":" + g.cats[0]
			}
			g.printf("range_transition %s %s:%s %s;", s, t, c, to)
		}
	}
}

func (g *generated) conditionals() {
	bools := names("b", 1+g.r.IntN(4))
	for _, b := range bools {
		g.printf("bool %s %s;", b, g.one([]string{"true", "false"}))
	}
	var expression func(depth int) string
	expression = func(depth int) string {
		switch n := g.r.IntN(4); {
		case depth == 0 || n == 0:
			return g.one(bools)
		case n == 1:
			return "!(" + expression(depth-1) + ")"
		}
		return "(" + expression(depth-1) + " " + g.one([]string{"&&", "||", "^", "==", "!="}) + " " + expression(depth-1) + ")"
	}
	for range 1 + g.r.IntN(4) {
		g.printf("if (%s) {", expression(3))
		g.allowRules(4, 1)
		g.typeRule("\t")
		if g.chance(60) {
			g.printf("} else {")
			g.allowRules(3, 1)
			g.typeRule("\t")
		}
		g.printf("}")
	}
}

func (g *generated) declareRoles() {
	for _, r := range g.roles {
		g.printf("role %s;\nrole %s types %s;", r, r, g.some(slices.Concat(g.types, g.attributes), 8))
	}
	if len(g.roles) > 2 && g.chance(50) {
		g.printf("dominance { role %s { role %s; } }", g.roles[0], g.roles[1])
	}
	for range g.r.IntN(4) {
		g.printf("allow %s %s;", g.one(g.roles), g.one(g.roles))
	}
	seen := make(map[string]bool)
	for range g.r.IntN(4) {
		r, t := g.one(g.roles), g.one(g.types)
		if !seen[r+t] {
			seen[r+t] = true
			g.printf("role_transition %s %s:%s %s;", r, t, g.classes[g.r.IntN(len(g.classes))].Name, g.one(g.roles))
		}
	}
}

func (g *generated) declareUsers() {
	for _, u := range g.users {
		level := ""
		if g.mls {
			top := g.levels[g.r.IntN(len(g.levels))]
			level = fmt.Sprintf(" level %s range %s - %s", g.levels[0], g.levels[0], top)
			if top == g.levels[0] || top == g.levels[len(g.levels)-1] {
				level += ":" + g.allCats()
			}
		}
		g.printf("user %s roles %s%s;", u, g.some(g.roles, 4), level)
	}
}

// constrain writes constraints with random expressions of terms.
func (g *generated) constrain(kind string, term func(third bool) string) {
	var expression func(depth int, third bool) string
	expression = func(depth int, third bool) string {
		switch n := g.r.IntN(4); {
		case depth == 0 || n == 0:
			return term(third)
		case n == 1:
			return "not (" + expression(depth-1, third) + ")"
		}
		return "(" + expression(depth-1, third) + " " + g.one([]string{"and", "or"}) + " " + expression(depth-1, third) + ")"
	}
	for range 1 + g.r.IntN(4) {
		c := g.classes[g.r.IntN(len(g.classes))]
		g.printf("%s %s %s (%s);", kind, c.Name, g.some(c.Permissions, len(c.Permissions)), expression(3, false))
	}
	validate := "validatetrans"
	if kind == "mlsconstrain" {
		validate = "mlsvalidatetrans"
	}
	g.printf("%s %s (%s);", validate, g.classes[g.r.IntN(len(g.classes))].Name, expression(2, true))
}

// term writes a comparison of users, roles or types.
func (g *generated) term(third bool) string {
	whose := []string{"1", "2"}
	if third {
		whose = append(whose, "3")
	}
	equal := g.one([]string{"==", "!="})
	switch g.r.IntN(6) {
	case 0:
		return "u1 " + equal + " u2"
	case 1:
		return "r1 " + g.one([]string{"==", "!=", "dom", "domby", "incomp"}) + " r2"
	case 2:
		return "t1 " + equal + " t2"
	case 3:
		return "u" + g.one(whose) + " " + equal + " " + g.some(g.users, 2)
	case 4:
		return "r" + g.one(whose) + " " + equal + " " + g.some(g.roles, 2)
	}
	return "t" + g.one(whose) + " " + equal + " " + g.some(slices.Concat(g.types, g.attributes), 3)
}

// levelTerm writes a comparison of levels.
func (g *generated) levelTerm(bool) string {
	pair := g.one([]string{"l1 %s l2", "l1 %s h2", "h1 %s l2", "h1 %s h2", "l1 %s h1", "l2 %s h2"})
	return fmt.Sprintf(pair, g.one([]string{"eq", "!=", "dom", "domby", "incomp"}))
}

func (g *generated) labels() {
	level := ""
	if g.mls {
		level = ":" + g.levels[0]
	}
	for _, s := range g.sids {
		g.printf("sid %s %s:object_r:%s%s", s, g.one(g.users), g.one(g.types), level)
	}
	g.printf("pirqcon %d %s:object_r:%s%s", g.r.IntN(256), g.one(g.users), g.one(g.types), level)
	g.printf("iomemcon 0x%x-0x%x %s:object_r:%s%s", 0x10, 0x10+g.r.IntN(100), g.one(g.users), g.one(g.types), level)
	g.printf("ioportcon 0x60 %s:object_r:%s%s", g.one(g.users), g.one(g.types), level)
	g.printf("pcidevicecon 0x%x %s:object_r:%s%s", g.r.IntN(1000), g.one(g.users), g.one(g.types), level)
	if g.version >= 30 {
		g.printf("devicetreecon \"/soc/%d\" %s:object_r:%s%s", g.r.IntN(9), g.one(g.users), g.one(g.types), level)
	}
}

// contexts returns random contexts, of which the policy may not allow all.
func (g *generated) contexts(n int) []string {
	var list []string
	for range n {
		c := g.one(g.users) + ":" + g.one(append([]string{"object_r"}, g.roles...)) + ":" + g.one(append([]string{"bounded_t"}, g.types...))
		if g.mls {
			c += ":" + g.levelRange()
		}
		list = append(list, c)
	}
	return list
}

// config is of a hypervisor that asks for the policy's classes, in an order of
// its own.
func (g *generated) config() ss.Config {
	cfg := ss.Config{InitialSIDs: g.sids, Unlabeled: 2}
	for _, i := range g.r.Perm(len(g.classes)) {
		c := g.classes[i]
		c.Permissions = slices.Clone(c.Permissions)
		if g.chance(50) {
			g.r.Shuffle(len(c.Permissions), func(i, j int) { c.Permissions[i], c.Permissions[j] = c.Permissions[j], c.Permissions[i] })
		}
		cfg.Classes = append(cfg.Classes, c)
		if c.Name == "domain" {
			cfg.DomainClass = uint16(len(cfg.Classes))
			cfg.Transition = 1 << slices.Index(c.Permissions, "transition")
		}
	}
	return cfg
}
