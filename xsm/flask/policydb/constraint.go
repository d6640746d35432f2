package policydb

// Constraint takes permissions away where an expression over the contexts does
// not hold (struct constraint_node). One of validatetrans has no permissions.
type Constraint struct {
	Permissions uint32
	expr        []constraintOp // in postfix order
}

// constraintOp is an operator or operand of a constraint's expression.
type constraintOp struct {
	kind  uint32 // one of opNot to opNames
	attr  uint32 // what is compared, one of attrUser to attrHigh2
	op    uint32 // how, one of isEqual to isIncomparable
	names Bitmap // opNames: the users, roles or types compared with, by value-1
}

// Kinds of constraintOp (CEXPR_*).
const (
	opNot   = 1
	opAnd   = 2
	opOr    = 3
	opAttr  = 4
	opNames = 5
)

// What an operand compares (CEXPR_USER and so on). Of opAttr it is one of the
// source's with the target's; of opNames the source's, or with attrTarget the
// target's, or with attrNew that of the subject that relabels, with names.
const (
	attrUser     = 0x001
	attrRole     = 0x002
	attrType     = 0x004
	attrTarget   = 0x008
	attrNew      = 0x010
	attrL1L2     = 0x020 // the source's low level with the target's
	attrL1H2     = 0x040
	attrH1L2     = 0x080
	attrH1H2     = 0x100
	attrL1H1     = 0x200 // the source's two levels
	attrL2H2     = 0x400 // the target's two levels
	attrIdentity = attrUser | attrRole | attrType
)

// How an operand compares (CEXPR_EQ and so on).
const (
	isEqual        = 1
	isNotEqual     = 2
	isDominating   = 3
	isDominated    = 4
	isIncomparable = 5
)

// constraints reads n constraints and checks that each expression leaves one
// result and compares what can be compared, so that its evaluation needs no
// test. Expressions of validatetrans name three contexts, those of constrain
// two.
func (p *parser) constraints(n int, transition bool) []Constraint {
	var list []Constraint
	for range n {
		off := p.off
		c := Constraint{Permissions: p.u32("constraint's permissions")}
		depth := 0
		for range p.count("constraint's expression", 12) {
			at := p.off
			op := p.constraintOp(transition)
			if depth = p.deeper(at, &op, depth); p.err != nil {
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

// constraintOp reads one part of an expression.
func (p *parser) constraintOp(transition bool) constraintOp {
	at := p.off
	op := constraintOp{kind: p.u32("operator"), attr: p.u32("operand"), op: p.u32("comparison")}
	if op.kind == opNames && p.err == nil {
		op.names = p.bitmap("constraint's names", maxValue)
		if p.db.Version >= versionConstraintNames {
			p.bitmap("constraint's types", maxValue)
			p.bitmap("constraint's excluded types", maxValue)
			p.u32("constraint's type flags")
		}
	}
	if p.err == nil && !op.comparable(transition) {
		p.invalid(at, "operand %#x compared in way %d in a constraint", op.attr, op.op)
	}
	return op
}

// comparable says whether an operand's comparison has a meaning.
func (o *constraintOp) comparable(transition bool) bool {
	order := o.op >= isEqual && o.op <= isIncomparable
	equality := o.op == isEqual || o.op == isNotEqual
	switch o.kind {
	case opAttr:
		switch o.attr {
		case attrUser, attrType:
			return equality
		case attrRole, attrL1L2, attrL1H2, attrH1L2, attrH1H2, attrL1H1, attrL2H2:
			return order
		}
		return false
	case opNames:
		whose := o.attr &^ attrIdentity
		what := o.attr & attrIdentity
		return equality && (what == attrUser || what == attrRole || what == attrType) &&
			(whose == 0 || whose == attrTarget || whose == attrNew && transition)
	}
	return true
}

// deeper returns the number of results on the stack after op.
func (p *parser) deeper(at int, op *constraintOp, depth int) int {
	switch {
	case p.err != nil:
		return 0
	case op.kind == opNot && depth >= 1:
	case (op.kind == opAnd || op.kind == opOr) && depth >= 2:
		depth--
	case op.kind == opAttr || op.kind == opNames:
		depth++
	default:
		p.invalid(at, "operator %d in a constraint, %d operands before it", op.kind, depth)
	}
	if depth > maxConstraintExpression {
		p.invalid(at, "constraint nests deeper than %d", maxConstraintExpression)
	}
	return depth
}

// Holds evaluates the expression for a source and a target; of validatetrans
// these are the old and the new context, and subject is who changes it
// (constraint_expr_eval).
func (c *Constraint) Holds(db *DB, source, target, subject *Context) bool {
	var stack [maxConstraintExpression]bool
	top := -1
	for i := range c.expr {
		o := &c.expr[i]
		switch o.kind {
		case opNot:
			stack[top] = !stack[top]
		case opAnd:
			top--
			stack[top] = stack[top] && stack[top+1]
		case opOr:
			top--
			stack[top] = stack[top] || stack[top+1]
		case opAttr:
			top++
			stack[top] = o.compare(db, source, target)
		case opNames:
			top++
			stack[top] = o.among(source, target, subject)
		}
	}
	return stack[0]
}

// compare compares an attribute of two contexts.
func (o *constraintOp) compare(db *DB, source, target *Context) bool {
	switch o.attr {
	case attrUser:
		return (source.User == target.User) == (o.op == isEqual)
	case attrType:
		return (source.Type == target.Type) == (o.op == isEqual)
	case attrRole:
		return o.compareRoles(db, source.Role, target.Role)
	}
	s, t := &source.Range, &target.Range
	switch o.attr {
	case attrL1L2:
		return o.compareLevels(&s.Low, &t.Low)
	case attrL1H2:
		return o.compareLevels(&s.Low, &t.High)
	case attrH1L2:
		return o.compareLevels(&s.High, &t.Low)
	case attrH1H2:
		return o.compareLevels(&s.High, &t.High)
	case attrL1H1:
		return o.compareLevels(&s.Low, &s.High)
	}
	return o.compareLevels(&t.Low, &t.High)
}

func (o *constraintOp) compareRoles(db *DB, r1, r2 uint32) bool {
	switch o.op {
	case isEqual:
		return r1 == r2
	case isNotEqual:
		return r1 != r2
	}
	return o.ordered(db.roleDominates(r1, r2), db.roleDominates(r2, r1))
}

func (o *constraintOp) compareLevels(l1, l2 *Level) bool {
	switch o.op {
	case isEqual:
		return l1.equal(l2)
	case isNotEqual:
		return !l1.equal(l2)
	}
	return o.ordered(l1.dominates(l2), l2.dominates(l1))
}

// ordered judges by which side dominates the other.
func (o *constraintOp) ordered(first, second bool) bool {
	switch o.op {
	case isDominating:
		return first
	case isDominated:
		return second
	}
	return !first && !second
}

// among looks an attribute of one context up in the operand's names.
func (o *constraintOp) among(source, target, subject *Context) bool {
	c := source
	switch {
	case o.attr&attrTarget != 0:
		c = target
	case o.attr&attrNew != 0:
		c = subject
	}
	v := c.Type
	switch {
	case o.attr&attrUser != 0:
		v = c.User
	case o.attr&attrRole != 0:
		v = c.Role
	}
	return o.names.Has(v-1) == (o.op == isEqual)
}
