package policydb

// Check is a constraint compiled: tests, each of which says which one is next,
// so that only those run that the outcome depends on. It says what
// Constraint.Holds says.
type Check struct {
	// Permissions are taken away where the check does not hold, in whatever
	// numbers its maker has.
	Permissions uint32

	roles *Symbols[*roleDatum] // of the policy

	// tests begin at the last one, and each leads to one before it.
	tests []test
}

// test compares two parties in one way.
type test struct {
	what comparison
	// left and right say whose level is compared, 0 the source's, 1 the
	// target's, and which, 0 the low, 1 the high one. Of roles they say whose.
	left, right [2]uint8
	names       Bitmap // by value-1
	// next has the index of the test that follows if this one fails, and if
	// it holds, or one of the ends.
	next [2]int32
}

// Ends of a check.
const (
	holds = -1
	fails = -2
)

// comparison is what a test compares.
type comparison uint8

const (
	sameUser comparison = iota
	sameRole
	sameType
	sameLevel
	levelDominates // the left one dominates the right one
	roleDominates
	sourceUserIn // is among the names
	targetUserIn
	sourceRoleIn
	targetRoleIn
	sourceTypeIn
	targetTypeIn
)

// Check compiles a constraint, not one of validatetrans.
func (c *Constraint) Check(db *DB, permissions uint32) Check {
	k := compiler{expr: c.expr, starts: c.starts()}
	k.compile(len(c.expr)-1, holds, fails)
	return Check{Permissions: permissions, roles: &db.Roles, tests: k.tests}
}

// starts has, for each operator and operand, the index where the expression
// that it ends begins.
func (c *Constraint) starts() []int32 {
	all := make([]int32, len(c.expr))
	var stack []int32
	for i, o := range c.expr {
		switch o.kind {
		case opNot:
		case opAnd, opOr:
			stack = stack[:len(stack)-1]
		default:
			stack = append(stack, int32(i))
		}
		all[i] = stack[len(stack)-1]
	}
	return all
}

// compiler makes the tests of one constraint, the last ones first: where a test
// leads is known when it is made.
type compiler struct {
	expr   []constraintOp
	starts []int32
	tests  []test
}

// compile makes the tests of the expression that ends at i and leads to yes if
// it holds, to no if not, and returns the index of the first of them. It nests
// no deeper than the stack of the expression's evaluation.
func (k *compiler) compile(i int, yes, no int32) int32 {
	for {
		switch k.expr[i].kind {
		case opNot:
			i, yes, no = i-1, no, yes
		case opAnd:
			right := k.compile(i-1, yes, no)
			i, yes = int(k.starts[i-1])-1, right
		case opOr:
			right := k.compile(i-1, yes, no)
			i, no = int(k.starts[i-1])-1, right
		default:
			return k.operand(&k.expr[i], yes, no)
		}
	}
}

// operand makes the tests of one comparison.
func (k *compiler) operand(o *constraintOp, yes, no int32) int32 {
	t := test{next: [2]int32{no, yes}}
	switch {
	case o.kind == opNames:
		t.what, t.names = namesComparison[o.attr], o.names
	case o.attr == attrUser:
		t.what = sameUser
	case o.attr == attrType:
		t.what = sameType
	case o.attr == attrRole:
		t.what, t.right = sameRole, [2]uint8{1, 0}
	default:
		sides := levelSides[o.attr]
		t.what, t.left, t.right = sameLevel, sides[0], sides[1]
	}
	switch o.op {
	case isNotEqual:
		t.next = [2]int32{yes, no}
	case isDominating:
		t.what = t.what.dominance()
	case isDominated:
		t.what, t.left, t.right = t.what.dominance(), t.right, t.left
	case isIncomparable: // neither dominates the other
		t.what = t.what.dominance()
		back := t
		back.left, back.right = t.right, t.left
		back.next = [2]int32{yes, no}
		t.next = [2]int32{k.add(back), no}
	}
	return k.add(t)
}

func (k *compiler) add(t test) int32 {
	k.tests = append(k.tests, t)
	return int32(len(k.tests) - 1)
}

// namesComparison is that of an operand with names, by attribute.
var namesComparison = map[uint32]comparison{
	attrUser: sourceUserIn, attrUser | attrTarget: targetUserIn,
	attrRole: sourceRoleIn, attrRole | attrTarget: targetRoleIn,
	attrType: sourceTypeIn, attrType | attrTarget: targetTypeIn,
}

// levelSides are the left and the right level of an operand, by attribute.
var levelSides = map[uint32][2][2]uint8{
	attrL1L2: {{0, 0}, {1, 0}}, attrL1H2: {{0, 0}, {1, 1}},
	attrH1L2: {{0, 1}, {1, 0}}, attrH1H2: {{0, 1}, {1, 1}},
	attrL1H1: {{0, 0}, {0, 1}}, attrL2H2: {{1, 0}, {1, 1}},
}

// dominance turns a comparison for equality into the one for order.
func (c comparison) dominance() comparison {
	if c == sameRole {
		return roleDominates
	}
	return levelDominates
}

// Holds says whether the check holds between two parties.
func (k *Check) Holds(source, target *Party) bool {
	at := int32(len(k.tests) - 1)
	for at >= 0 {
		t := &k.tests[at]
		at = t.next[0]
		if t.holds(k, source, target) {
			at = t.next[1]
		}
	}
	return at == holds
}

func (t *test) holds(k *Check, source, target *Party) bool {
	switch t.what {
	case sameUser:
		return source.User == target.User
	case sameRole:
		return source.Role == target.Role
	case sameType:
		return source.Type == target.Type
	case sourceUserIn:
		return t.names.Has(source.User - 1)
	case targetUserIn:
		return t.names.Has(target.User - 1)
	case sourceRoleIn:
		return t.names.Has(source.Role - 1)
	case targetRoleIn:
		return t.names.Has(target.Role - 1)
	case sourceTypeIn:
		return t.names.Has(source.Type - 1)
	case targetTypeIn:
		return t.names.Has(target.Type - 1)
	}
	parties := [2]*Party{source, target}
	left, right := parties[t.left[0]&1], parties[t.right[0]&1]
	if t.what == roleDominates {
		return k.roles.At(left.Role).dominates.Has(right.Role - 1)
	}
	l, r := left.levels[t.left[1]&1], right.levels[t.right[1]&1]
	return l == r || t.what == levelDominates && l.dominates(r)
}
