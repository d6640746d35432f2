package ss

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"xsmbench/xsm/flask/policydb"
)

// matrix is the access matrix that the policy's rules make, the conditional
// ones that hold among them: what a source's type may do to a target's of one
// of the hypervisor's classes. Attributes are resolved in it, and permissions
// are the hypervisor's. Constraints are not in it, for they are on more than
// types.
//
// Xen has none: it adds up the rules for every pair of the two types'
// attributes, each time. The matrix has a row for each source and class, equal
// rows once, and in a row a number of two bytes for each target.
type matrix struct {
	classes int
	rows    []int32  // by source-1 and class: where in cells the row is, noRow if it was not made
	cells   []uint16 // of a row, by target-1: which of distinct
	rights  []rights // each one once
}

// rights are an element of the matrix, in the hypervisor's permissions.
type rights struct {
	allowed    uint32
	auditAllow uint32 // grants to audit
	auditDeny  uint32 // denials to audit
}

// noRights are what types have for which there is no rule.
var noRights = rights{auditDeny: ^uint32(0)}

const noRow = -1

// bounds of a matrix. Where one is reached, the rows of the sources that follow
// are not made, and are added up for each decision, as in Xen.
type bounds struct {
	cells  int // elements of all rows together, of two bytes each
	rights int // distinct elements, of twelve
	effort int // rules applied to a pair of types while it is made
}

// usualBounds are those of every policy: with the rows' places a matrix takes at
// most 5.5 MB, of a policy with as many types as there may be.
var usualBounds = bounds{cells: 1 << 20, rights: 1 << 16, effort: 1 << 22}

const (
	cellSize   = int(unsafe.Sizeof(uint16(0)))
	rowSize    = int(unsafe.Sizeof(int32(0)))
	rightsSize = int(unsafe.Sizeof(rights{}))
)

// find returns what source may do to target, nil if the row was not made.
func (m *matrix) find(source uint32, class uint16, target uint32) *rights {
	row := m.rows[int(source-1)*m.classes+int(class)]
	if row < 0 {
		return nil
	}
	return &m.rights[m.cells[int(row)+int(target-1)]]
}

// bytes is the memory that the matrix takes.
func (m *matrix) bytes() int {
	return cap(m.rows)*rowSize + cap(m.cells)*cellSize + cap(m.rights)*rightsSize
}

// avRule is a rule on an access vector, by the value of its source, which is a
// type or an attribute.
type avRule struct {
	target, class, specified uint16
	datum                    uint32
}

// use is a part of a class of the hypervisor's that a class of the policy's is.
type use struct {
	class int
	*part
}

// matrixMaker makes a matrix row by row.
type matrixMaker struct {
	*matrix
	p       *policy
	bounds  bounds
	members [][]uint16 // by value-1 of a type or attribute: the types of its, by value-1
	rules   [][]avRule // by value-1 of the source
	effort  []int      // by value-1 of the source: pairs of a rule and a type that it is for
	uses    [][]use    // by class of the policy's
	row     [][]rights // by class: what the row at hand has, by target-1; nil for nothing
	known   map[rights]uint16
	same    map[string]int32 // where rows are, by their cells
	none    int32            // where the row is that has nothing
	spent   int              // of bounds.effort
}

// newMatrix makes a policy's.
func newMatrix(p *policy, most bounds) *matrix {
	n := p.db.Types.Len()
	mk := &matrixMaker{
		p: p, bounds: most,
		rules: make([][]avRule, n), effort: make([]int, n),
		uses: make([][]use, p.db.Classes.Len()+1), row: make([][]rights, len(p.classes)),
		known: map[rights]uint16{}, same: map[string]int32{},
	}
	mk.matrix = &matrix{classes: len(p.classes), rows: make([]int32, n*len(p.classes))}
	mk.resolve()
	mk.collect()
	mk.none, _ = mk.put(nil)
	for source := range n {
		mk.source(source)
	}
	m := mk.matrix
	m.cells, m.rights = slices.Clip(slices.Clone(m.cells)), slices.Clip(slices.Clone(m.rights))
	return m
}

// resolve lists the types of each attribute, and the parts of each class.
func (mk *matrixMaker) resolve() {
	mk.members = make([][]uint16, mk.p.db.Types.Len())
	for t, attributes := range mk.p.db.TypeAttrs {
		for a := range attributes.All {
			mk.members[a] = append(mk.members[a], uint16(t))
		}
	}
	for class := range mk.p.classes {
		for part := range mk.p.classes[class].parts {
			mk.uses[part.value] = append(mk.uses[part.value], use{class, part})
		}
	}
	mk.uses[0] = nil // of classes that the policy does not have
}

// collect sorts the rules by source.
func (mk *matrixMaker) collect() {
	add := func(k policydb.Key, datum uint32) {
		if k.Specified&policydb.AV == 0 || len(mk.uses[k.Class]) == 0 {
			return
		}
		mk.rules[k.Source-1] = append(mk.rules[k.Source-1], avRule{k.Target, k.Class, k.Specified, datum})
		mk.effort[k.Source-1] += 1 + len(mk.members[k.Target-1])
	}
	for r := range mk.p.db.Rules.All {
		add(r.Key, r.Datum)
	}
	for r := range mk.p.conditions.Rules.All {
		add(r.Key, r.Datum)
	}
}

// source makes the rows of one type, as far as the bounds allow.
func (mk *matrixMaker) source(source int) {
	for class := range mk.classes {
		mk.rows[source*mk.classes+class] = noRow
	}
	attributes := mk.p.db.TypeAttrs[source]
	for a := range attributes.All {
		mk.spent += mk.effort[a]
	}
	if mk.spent > mk.bounds.effort {
		return
	}
	for a := range attributes.All {
		for i := range mk.rules[a] {
			mk.apply(&mk.rules[a][i])
		}
	}
	for class, row := range mk.row {
		at, ok := mk.none, true
		if row != nil {
			at, ok = mk.put(row)
			mk.row[class] = nil
		}
		if ok {
			mk.rows[source*mk.classes+class] = at
		}
	}
}

// apply adds a rule to the rows at hand.
func (mk *matrixMaker) apply(r *avRule) {
	for _, u := range mk.uses[r.class] {
		if mk.row[u.class] == nil {
			mk.row[u.class] = mk.emptyRow()
		}
		row, more := mk.row[u.class], r.rights(u.part)
		for _, t := range mk.members[r.target-1] {
			row[t].add(&more)
		}
	}
}

func (mk *matrixMaker) emptyRow() []rights {
	row := make([]rights, len(mk.members))
	for t := range row {
		row[t] = noRights
	}
	mk.spent += len(row)
	return row
}

// rights are those that the rule alone gives.
func (r *avRule) rights(p *part) rights {
	more := noRights
	switch r.specified {
	case policydb.Allowed:
		more.allowed = p.vector(r.datum)
	case policydb.AuditAllow:
		more.auditAllow = p.vector(r.datum)
	case policydb.AuditDeny:
		more.auditDeny = ^p.vector(^r.datum)
	}
	return more
}

func (r *rights) add(more *rights) {
	r.allowed |= more.allowed
	r.auditAllow |= more.auditAllow
	r.auditDeny &= more.auditDeny
}

// put adds a row, nil for one that has nothing, unless there is one like it, and
// says where it is; ok is false if it would be too much.
func (mk *matrixMaker) put(row []rights) (at int32, ok bool) {
	cells, key := make([]uint16, len(mk.members)), make([]byte, 0, cellSize*len(mk.members))
	for t := range cells {
		r := noRights
		if row != nil {
			r = row[t]
		}
		if cells[t], ok = mk.number(r); !ok {
			return noRow, false
		}
		key = binary.LittleEndian.AppendUint16(key, cells[t])
	}
	if at, ok := mk.same[string(key)]; ok {
		return at, true
	}
	if len(mk.cells)+len(cells) > mk.bounds.cells {
		return noRow, false
	}
	at = int32(len(mk.cells))
	mk.same[string(key)] = at
	mk.cells = append(mk.cells, cells...)
	return at, true
}

// number returns the number of an element.
func (mk *matrixMaker) number(r rights) (uint16, bool) {
	if n, ok := mk.known[r]; ok {
		return n, true
	}
	if len(mk.rights) == mk.bounds.rights {
		return 0, false
	}
	n := uint16(len(mk.rights))
	mk.known[r] = n
	mk.rights = append(mk.rights, r)
	return n, true
}
