package policydb

// Conditional is a set of rules that hold when an expression over booleans
// does, and another set that holds when it does not (struct cond_node).
type Conditional struct {
	state       uint32 // what the writer of the policy found the expression to be
	expr        []condOp
	True, False []condRule
}

// condRule is a rule and whether it holds when the policy has just been read.
type condRule struct {
	rule
	enabled bool
}

// condOp is an operator or operand of a condition, in postfix order.
type condOp struct {
	kind    uint32 // 1 a boolean, 2 not, 3 or, 4 and, 5 xor, 6 equal, 7 not equal
	boolean uint32 // kind 1: its value
}

// Kinds of condOp (COND_*).
const (
	condBool  = 1
	condNot   = 2
	condOr    = 3
	condAnd   = 4
	condXor   = 5
	condEqual = 6
	condLast  = 7 // not equal
)

// maxCondDepth is the depth of the stack that evaluates a condition.
const maxCondDepth = 10

// holds evaluates the condition for the booleans' values.
func (c *Conditional) holds(bools []bool) bool {
	var s [maxCondDepth]bool
	top := -1
	for _, o := range c.expr {
		switch {
		case o.kind == condBool:
			top++
			s[top] = bools[o.boolean-1]
			continue
		case o.kind == condNot:
			s[top] = !s[top]
			continue
		}
		top--
		switch o.kind {
		case condOr:
			s[top] = s[top] || s[top+1]
		case condAnd:
			s[top] = s[top] && s[top+1]
		case condEqual:
			s[top] = s[top] == s[top+1]
		default: // condXor and condLast are the same
			s[top] = s[top] != s[top+1]
		}
	}
	return s[0]
}

// Bools returns the booleans' defaults, by value-1.
func (db *DB) DefaultBools() []bool {
	values := make([]bool, db.Bools.Len())
	for i := range values {
		values[i] = db.Bools.At(uint32(i + 1)).State
	}
	return values
}

// Conditions are the conditional rules that hold at one time.
type Conditions struct {
	Rules *avTab
	holds []bool // by conditional: which of its sets that is
	set   []bool // by conditional: whether it was ever set, or is as read
}

// ReadConditions returns the conditional rules that hold when the policy has
// just been read: those that its writer marked, as in Xen.
func (db *DB) ReadConditions() *Conditions {
	c := &Conditions{holds: make([]bool, len(db.Conditionals)), set: make([]bool, len(db.Conditionals))}
	for i := range db.Conditionals {
		c.holds[i] = db.Conditionals[i].state != 0
	}
	c.Rules = db.enabled(c)
	return c
}

// Set returns the conditional rules that hold once the booleans have the
// values (security_set_bools). Only a condition whose value has changed
// changes its rules.
func (c *Conditions) Set(db *DB, bools []bool) *Conditions {
	n := &Conditions{holds: make([]bool, len(c.holds)), set: make([]bool, len(c.set))}
	for i := range db.Conditionals {
		n.holds[i] = db.Conditionals[i].holds(bools)
		n.set[i] = c.set[i] || n.holds[i] != c.holds[i]
	}
	n.Rules = db.enabled(n)
	return n
}

// enabled makes a table of the rules that hold.
func (db *DB) enabled(c *Conditions) *avTab {
	t := newAVTab(db.Rules.Len())
	for i := range db.Conditionals {
		cond := &db.Conditionals[i]
		add := func(rules []condRule, holds bool) {
			for _, r := range rules {
				if c.set[i] && holds || !c.set[i] && r.enabled {
					t.insertAnother(r.Key, r.Datum)
				}
			}
		}
		add(cond.True, c.holds[i])
		add(cond.False, !c.holds[i])
	}
	return t
}

func (p *parser) conditionals() {
	p.section = "conditional rules"
	types := make(map[Key]int) // of the conditionals' type rules: in which conditional, from 1
	for i := range p.count("conditionals", 16) {
		c := Conditional{state: p.u32("conditional's state")}
		c.expr = p.condition()
		c.True = p.condRules(types, i+1, true)
		c.False = p.condRules(types, i+1, false)
		if p.err != nil {
			return
		}
		p.db.Conditionals = append(p.db.Conditionals, c)
	}
}

func (p *parser) condition() []condOp {
	off, depth := p.off, 0
	var expr []condOp
	for range p.count("condition", 8) {
		at := p.off
		op := condOp{p.u32("operator"), p.u32("boolean")}
		switch {
		case p.err != nil:
			return nil
		case uint64(op.boolean) > uint64(p.db.Bools.Len()):
			p.invalid(at, "condition on boolean %d of %d", op.boolean, p.db.Bools.Len())
			return nil
		case op.kind == condBool && p.db.Bools.defined(op.boolean):
			depth++
		case op.kind == condNot && depth >= 1:
		case op.kind > condNot && op.kind <= condLast && depth >= 2:
			depth--
		default:
			p.invalid(at, "operator %d on boolean %d in a condition, %d operands before it", op.kind, op.boolean, depth)
			return nil
		}
		if depth > maxCondDepth {
			p.invalid(at, "condition nests deeper than %d", maxCondDepth)
			return nil
		}
		expr = append(expr, op)
	}
	if p.err == nil && depth != 1 {
		p.invalid(off, "condition leaves %d results", depth)
	}
	return expr
}

// condRules reads one set of a conditional's rules. A type rule must not say
// twice what type a new object gets: neither outside a condition, nor under
// another one, nor twice in one set (cond_insertf).
func (p *parser) condRules(types map[Key]int, in int, first bool) []condRule {
	var rules []condRule
	size := 12
	if p.db.Version < versionAVTab {
		size = 24
	}
	mine := make(map[Key]bool)
	for range p.count("conditional rules", size) {
		off := p.off
		p.avItem(func(k Key, datum uint32, enabled bool) {
			if k.Specified&TypeRule != 0 {
				other := types[k]
				if p.db.Rules.Search(k) != nil || mine[k] || other != 0 && (first || other != in) {
					p.invalid(off, "another rule gives the type: source %d, target %d, class %d", k.Source, k.Target, k.Class)
					return
				}
				types[k], mine[k] = in, true
			}
			rules = append(rules, condRule{rule{Key: k, Datum: datum, next: -1}, enabled})
		})
		if p.err != nil {
			return nil
		}
	}
	return rules
}
