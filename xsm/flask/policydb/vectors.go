package policydb

import "math/bits"

// Vectors are what rules say of a class's permissions, in the policy's own
// numbers: bit value-1.
type Vectors struct {
	Allowed    uint32
	AuditAllow uint32 // grants to audit
	AuditDeny  uint32 // denials to audit: all, without a rule
}

// add applies one rule.
func (v *Vectors) add(r *rule) {
	switch r.Specified {
	case Allowed:
		v.Allowed |= r.Datum
	case AuditAllow:
		v.AuditAllow |= r.Datum
	case AuditDeny:
		v.AuditDeny &= r.Datum
	}
}

// Add applies to v the rules for a class and a source whose target is one of
// targets, by value-1.
func (t *avTab) Add(v *Vectors, source uint16, targets Bitmap, class uint16) {
	k := Key{Source: source, Class: class, Specified: AV}
	mine := t.targetsOf(source, class)
	for _, w := range targets {
		for len(mine) > 0 && mine[0].Start < w.Start {
			mine = mine[1:]
		}
		if len(mine) == 0 {
			return
		}
		if mine[0].Start != w.Start {
			continue
		}
		for both := mine[0].Bits & w.Bits; both != 0; both &= both - 1 {
			k.Target = uint16(w.Start + uint32(bits.TrailingZeros64(both)) + 1)
			for r := t.Search(k); r != nil; r = t.Next(r, AV) {
				v.add(r)
			}
		}
	}
}

// classTargets are the targets that a source has rules for in one class.
type classTargets struct {
	class   uint16
	targets Bitmap // by value-1
}

// targetsOf returns the targets for which there are rules. Xen has no such
// table: it searches for every pair of attributes, nearly always in vain.
func (t *avTab) targetsOf(source, class uint16) Bitmap {
	if int(source) >= len(t.bySource) {
		return nil
	}
	of := t.bySource[source]
	for i := range of {
		if of[i].class == class {
			return of[i].targets
		}
	}
	return nil
}

// note enters a rule in the table of targets.
func (t *avTab) note(k *Key) {
	if k.Specified&AV == 0 {
		return
	}
	for int(k.Source) >= len(t.bySource) {
		t.bySource = append(t.bySource, nil)
	}
	of := &t.bySource[k.Source]
	for i := range *of {
		if (*of)[i].class == k.Class {
			(*of)[i].targets.Set(uint32(k.Target) - 1)
			return
		}
	}
	n := classTargets{class: k.Class}
	n.targets.Set(uint32(k.Target) - 1)
	*of = append(*of, n)
}
