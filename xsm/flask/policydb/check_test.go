package policydb

import (
	"math/rand/v2"
	"testing"
)

// randomConstraint is an expression in postfix order, as the reader lets pass.
func randomConstraint(r *rand.Rand) *Constraint {
	c := &Constraint{}
	for depth := 0; ; {
		switch n := r.IntN(8); {
		case n == 0 && depth >= 1:
			c.expr = append(c.expr, constraintOp{kind: opNot})
		case n <= 3 && depth >= 2:
			c.expr = append(c.expr, constraintOp{kind: []uint32{opAnd, opOr}[r.IntN(2)]})
			depth--
		case depth < maxConstraintExpression:
			c.expr = append(c.expr, randomOperand(r))
			depth++
		}
		if depth == 1 && r.IntN(6) == 0 {
			return c
		}
	}
}

func randomOperand(r *rand.Rand) constraintOp {
	for {
		o := constraintOp{kind: []uint32{opAttr, opNames}[r.IntN(2)], attr: 1 << r.IntN(11), op: 1 + r.Uint32N(5)}
		if o.kind == opNames {
			o.attr |= attrTarget * r.Uint32N(2)
			o.names = randomSet(r)
		}
		if o.comparable(false) {
			return o
		}
	}
}

func randomSet(r *rand.Rand) Bitmap {
	var b Bitmap
	for range r.IntN(4) {
		b.Set(r.Uint32N(3) + 64*r.Uint32N(2))
	}
	return b
}

func randomContext(r *rand.Rand) *Context {
	level := func() Level { return Level{1 + r.Uint32N(2), randomSet(r)} }
	value := func() uint32 { return 1 + r.Uint32N(3) }
	return &Context{User: value(), Role: value(), Type: value(), Range: LevelRange{Low: level(), High: level()}}
}

// TestCheck: a check says what the constraint that it is made of says, with
// every operator, on contexts of which many are alike.
func TestCheck(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	db := &DB{}
	for range 3 {
		db.Roles.byValue = append(db.Roles.byValue, &roleDatum{dominates: randomSet(r)})
	}
	var levels Levels
	var contexts []*Context
	var parties []Party
	for range 60 {
		contexts = append(contexts, randomContext(r))
		parties = append(parties, levels.Party(contexts[len(contexts)-1]))
	}
	said := map[bool]int{}
	for range 20_000 {
		c := randomConstraint(r)
		k := c.Check(db, 5)
		for range 20 {
			i, j := r.IntN(len(contexts)), r.IntN(len(contexts))
			want := c.Holds(db, contexts[i], contexts[j], nil)
			if have := k.Holds(&parties[i], &parties[j]); have != want {
				t.Fatalf("%+v on %+v and %+v: %v, want %v", c.expr, contexts[i], contexts[j], have, want)
			}
			said[want]++
		}
	}
	if said[true] < 50_000 || said[false] < 50_000 {
		t.Errorf("answers %v", said)
	}
}

// TestCheckOfLongChain: what is long but not deep is compiled and evaluated.
func TestCheckOfLongChain(t *testing.T) {
	c := &Constraint{expr: []constraintOp{{kind: opAttr, attr: attrType, op: isEqual}}}
	for range 200_000 {
		c.expr = append(c.expr, constraintOp{kind: opAttr, attr: attrUser, op: isEqual}, constraintOp{kind: opAnd}, constraintOp{kind: opNot}, constraintOp{kind: opNot})
	}
	k := c.Check(&DB{}, 1)
	var levels Levels
	x, y := levels.Party(&Context{User: 1, Role: 1, Type: 1}), levels.Party(&Context{User: 1, Role: 1, Type: 2})
	if !k.Holds(&x, &x) || k.Holds(&x, &y) {
		t.Error("wrong")
	}
}
