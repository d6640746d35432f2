package policydb

import (
	"fmt"
	"strings"
)

// infix writes an expression in postfix order as people do. operand writes what is
// no operator; arity is how many results an operator takes, and word its name.
func infix(n int, arity func(i int) int, word, operand func(i int) string) string {
	var stack []term
	for i := range n {
		switch last := len(stack) - 1; arity(i) {
		case 0:
			stack = append(stack, term{text: operand(i)})
		case 1:
			stack[last] = term{word(i) + " " + stack[last].under(word(i)), word(i)}
		default:
			left, right := stack[last-1], stack[last]
			stack = append(stack[:last-1], term{left.under(word(i)) + " " + word(i) + " " + right.under(word(i)), word(i)})
		}
	}
	var all []string
	for _, t := range stack {
		all = append(all, t.text)
	}
	return strings.Join(all, " ")
}

// term is an expression, with its operator, "" for an operand.
type term struct{ text, operator string }

// under brackets what is not of the operator around it.
func (t term) under(operator string) string {
	if t.operator == "" || t.operator == operator && associative[operator] {
		return t.text
	}
	return "(" + t.text + ")"
}

var associative = map[string]bool{"and": true, "or": true}

var conditionWords = map[uint32]string{condNot: "not", condOr: "or", condAnd: "and", condXor: "xor", condEqual: "==", condLast: "!="}

func (db *DB) formatCondition(expr []condOp) string {
	return infix(len(expr), func(i int) int {
		switch expr[i].kind {
		case condBool:
			return 0
		case condNot:
			return 1
		}
		return 2
	}, func(i int) string { return conditionWords[expr[i].kind] },
		func(i int) string { return db.Bools.Name(expr[i].boolean) })
}

var (
	constraintWords = map[uint32]string{opNot: "not", opAnd: "and", opOr: "or"}
	comparisonWords = map[uint32]string{isEqual: "==", isNotEqual: "!=", isDominating: "dom", isDominated: "domby", isIncomparable: "incomp"}
	comparedWords   = map[uint32][2]string{
		attrUser: {"u1", "u2"}, attrRole: {"r1", "r2"}, attrType: {"t1", "t2"},
		attrL1L2: {"l1", "l2"}, attrL1H2: {"l1", "h2"}, attrH1L2: {"h1", "l2"},
		attrH1H2: {"h1", "h2"}, attrL1H1: {"l1", "h1"}, attrL2H2: {"l2", "h2"},
	}
)

func (db *DB) formatConstraint(c *Constraint) string {
	return infix(len(c.expr), func(i int) int {
		switch c.expr[i].kind {
		case opNot:
			return 1
		case opAnd, opOr:
			return 2
		}
		return 0
	}, func(i int) string { return constraintWords[c.expr[i].kind] },
		func(i int) string { return db.formatOperand(&c.expr[i]) })
}

// formatOperand writes what an operand compares.
func (db *DB) formatOperand(o *constraintOp) string {
	how := comparisonWords[o.op]
	if o.kind == opAttr {
		pair := comparedWords[o.attr]
		return pair[0] + " " + how + " " + pair[1]
	}
	what, name := "t", db.typeName
	switch {
	case o.attr&attrUser != 0:
		what, name = "u", db.Users.Name
	case o.attr&attrRole != 0:
		what, name = "r", db.Roles.Name
	}
	whose := "1"
	switch {
	case o.attr&attrTarget != 0:
		whose = "2"
	case o.attr&attrNew != 0:
		whose = "3"
	}
	var list []string
	for bit := range o.names.All {
		list = append(list, name(bit+1))
	}
	return fmt.Sprintf("%s%s %s { %s }", what, whose, how, strings.Join(list, " "))
}
