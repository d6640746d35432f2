package policydb

// Constraint restricts permissions by an expression in postfix order.
type Constraint struct {
	Permissions uint32
	Expr        []ConstraintOp
}

// ConstraintOp is an operator or operand of a constraint's expression.
type ConstraintOp struct {
	Kind  uint32 // one of Not to Names
	Attr  uint32 // what is compared: bits of user, role, type, target, levels
	Op    uint32 // how: equal, not equal, dominates, dominated, incomparable
	Names Bitmap // Names: the users, roles or types compared with, by value-1
}

// Kinds of ConstraintOp.
const (
	Not   = 1
	And   = 2
	Or    = 3
	Attr  = 4
	Names = 5
)

// constraints reads n constraints and checks that each expression leaves one
// result, so that its evaluation needs no test. Expressions of validatetrans
// name three contexts, those of constrain two.
func (p *parser) constraints(n int) []Constraint {
	var list []Constraint
	for range n {
		off := p.off
		c := Constraint{Permissions: p.u32("constraint's permissions")}
		depth := 0
		for range p.count("constraint's expression", 12) {
			at := p.off
			op := ConstraintOp{Kind: p.u32("operator"), Attr: p.u32("operand"), Op: p.u32("comparison")}
			switch {
			case op.Kind == Not && depth >= 1:
			case (op.Kind == And || op.Kind == Or) && depth >= 2:
				depth--
			case op.Kind == Attr:
				depth++
			case op.Kind == Names:
				depth++
				op.Names = p.bitmap("constraint's names", maxValue)
				if p.db.Version >= versionConstraintNames {
					p.bitmap("constraint's types", maxValue)
					p.bitmap("constraint's excluded types", maxValue)
					p.u32("constraint's type flags")
				}
			default:
				p.invalid(at, "operator %d in a constraint, %d operands before it", op.Kind, depth)
			}
			if p.err != nil {
				return nil
			}
			if depth > maxConstraintExpression {
				p.invalid(at, "constraint nests deeper than %d", maxConstraintExpression)
				return nil
			}
			c.Expr = append(c.Expr, op)
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
