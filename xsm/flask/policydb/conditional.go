package policydb

// conditional is a set of rules that hold when an expression over booleans
// does, and another set that holds when it does not.
type conditional struct {
	State       bool // with the booleans' defaults
	expr        []condOp
	True, False []rule
}

// condOp is an operator or operand of a condition, in postfix order.
type condOp struct {
	kind    uint32 // 1 a boolean, 2 not, 3 or, 4 and, 5 xor, 6 equal, 7 not equal
	boolean uint32 // kind 1: its value
}

// condBool is the kind of an operand.
const (
	condBool = 1
	condNot  = 2
	condLast = 7
)

// maxCondDepth is the depth of the stack that evaluates a condition.
const maxCondDepth = 10

func (p *parser) conditionals() {
	p.section = "conditional rules"
	for range p.count("conditionals", 16) {
		c := conditional{State: p.u32("conditional's state") != 0}
		c.expr = p.condition()
		c.True = p.condRules()
		c.False = p.condRules()
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

func (p *parser) condRules() []rule {
	var rules []rule
	size := 12
	if p.db.Version < versionAVTab {
		size = 24
	}
	for range p.count("conditional rules", size) {
		p.avItem(func(k Key, datum uint32) { rules = append(rules, rule{Key: k, Datum: datum, next: -1}) })
		if p.err != nil {
			return nil
		}
	}
	return rules
}
