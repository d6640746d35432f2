package policydb

// constraint restricts permissions by an expression in postfix order.
type constraint struct {
	permissions uint32
	expr        []constraintOp
}

// constraintOp is an operator or operand of a constraint's expression.
type constraintOp struct {
	kind  uint32 // one of opNot to opNames
	attr  uint32 // what is compared: bits of user, role, type, target, levels
	op    uint32 // how: equal, not equal, dominates, dominated, incomparable
	names Bitmap // opNames: the users, roles or types compared with, by value-1
}

// Kinds of constraintOp.
const (
	opNot   = 1
	opAnd   = 2
	opOr    = 3
	opAttr  = 4
	opNames = 5
)

// constraints reads n constraints and checks that each expression leaves one
// result, so that its evaluation needs no test. Expressions of validatetrans
// name three contexts, those of constrain two.
func (p *parser) constraints(n int) []constraint {
	var list []constraint
	for range n {
		off := p.off
		c := constraint{permissions: p.u32("constraint's permissions")}
		depth := 0
		for range p.count("constraint's expression", 12) {
			at := p.off
			op := constraintOp{kind: p.u32("operator"), attr: p.u32("operand"), op: p.u32("comparison")}
			switch {
			case op.kind == opNot && depth >= 1:
			case (op.kind == opAnd || op.kind == opOr) && depth >= 2:
				depth--
			case op.kind == opAttr:
				depth++
			case op.kind == opNames:
				depth++
				op.names = p.bitmap("constraint's names", maxValue)
				if p.db.Version >= versionConstraintNames {
					p.bitmap("constraint's types", maxValue)
					p.bitmap("constraint's excluded types", maxValue)
					p.u32("constraint's type flags")
				}
			default:
				p.invalid(at, "operator %d in a constraint, %d operands before it", op.kind, depth)
			}
			if p.err != nil {
				return nil
			}
			if depth > maxConstraintExpression {
				p.invalid(at, "constraint nests deeper than %d", maxConstraintExpression)
				return nil
			}
			c.expr = append(c.expr, op)
		}
		if p.err == nil && depth != 1 {
			p.invalid(off, "constraint's expression leaves %d results", depth)
		}
		if p.err != nil {
			return nil
		}
		list = append(list, c)
	}
	return list
}
