package policydb

import "math/bits"

// What a rule specifies (AVTAB_*): an access vector or a type.
const (
	Allowed    = 0x0001
	AuditAllow = 0x0002
	AuditDeny  = 0x0004
	AV         = Allowed | AuditAllow | AuditDeny
	Transition = 0x0010
	Member     = 0x0020
	Change     = 0x0040
	TypeRule   = Transition | Member | Change

	avEnabled    = 0x8000     // set in a conditional rule that holds
	avEnabledOld = 0x80000000 // the same before version 20
	avXPerms     = 0x0700     // extended permissions, SELinux's only
)

// Key says to what a rule applies. Source and Target are values of types or
// attributes.
type Key struct {
	Source, Target, Class uint16
	Specified             uint16
}

// rule is a key with what it grants (permission bits, bit value-1) or the
// type that it gives. An AuditDeny rule holds the permissions whose denial is
// still audited.
type rule struct {
	Key
	Datum uint32
	next  int32
}

// avTab is a hash table of rules with chains (struct avtab).
type avTab struct {
	slots    []int32
	rules    []rule
	bySource [][]classTargets // by value: where a search is not in vain
}

// avtabSlotsMax bounds the number of chains, as Xen does.
const avtabSlotsMax = 8192

// newAVTab sizes a table as Xen does: a quarter as many chains as rules.
func newAVTab(rules int) *avTab {
	slots := 1
	if rules > 0 {
		shift := bits.Len(uint(rules))
		if shift > 2 {
			shift -= 2
		}
		slots = min(1<<shift, avtabSlotsMax)
	}
	t := &avTab{slots: make([]int32, slots), rules: make([]rule, 0, rules)}
	for i := range t.slots {
		t.slots[i] = -1
	}
	return t
}

func (k *Key) hash(slots int) int {
	return int(uint32(k.Class)+uint32(k.Target)<<2+uint32(k.Source)<<9) & (slots - 1)
}

// order compares what two keys apply to.
func (k *Key) order(o *Key) int {
	switch {
	case k.Source != o.Source:
		return int(k.Source) - int(o.Source)
	case k.Target != o.Target:
		return int(k.Target) - int(o.Target)
	}
	return int(k.Class) - int(o.Class)
}

// insert adds a rule to its chain, which is kept in the order of the keys. It
// says whether the key was new.
func (t *avTab) insert(k Key, datum uint32) bool {
	link := &t.slots[k.hash(len(t.slots))]
	for *link >= 0 {
		r := &t.rules[*link]
		o := r.order(&k)
		if o == 0 && r.Specified == k.Specified {
			return false
		}
		if o > 0 {
			break
		}
		link = &r.next
	}
	at := *link
	*link = int32(len(t.rules))
	t.rules = append(t.rules, rule{Key: k, Datum: datum, next: at})
	t.note(&k)
	return true
}

// Search returns the first rule for k's types and class that specifies any of
// k.Specified, nil if there is none.
func (t *avTab) Search(k Key) *rule {
	return t.find(t.slots[k.hash(len(t.slots))], &k)
}

// Next returns the rule after r for the same types and class that specifies
// any of specified, nil if there is none.
func (t *avTab) Next(r *rule, specified uint16) *rule {
	k := r.Key
	k.Specified = specified
	return t.find(r.next, &k)
}

func (t *avTab) find(at int32, k *Key) *rule {
	for at >= 0 {
		r := &t.rules[at]
		if r.Source == k.Source && r.Target == k.Target && r.Class == k.Class {
			if r.Specified&k.Specified != 0 {
				return r
			}
		} else if r.order(k) > 0 {
			return nil
		}
		at = r.next
	}
	return nil
}

// insertAnother adds a rule after those on the same key, of which there may be
// several (avtab_insert_nonunique).
func (t *avTab) insertAnother(k Key, datum uint32) {
	link := &t.slots[k.hash(len(t.slots))]
	for *link >= 0 && t.rules[*link].order(&k) <= 0 {
		link = &t.rules[*link].next
	}
	at := *link
	*link = int32(len(t.rules))
	t.rules = append(t.rules, rule{Key: k, Datum: datum, next: at})
	t.note(&k)
}

// Len returns the number of rules, Slots that of chains.
func (t *avTab) Len() int { return len(t.rules) }

// Slots returns the number of chains.
func (t *avTab) Slots() int { return len(t.slots) }

// All calls f for every rule, in the policy's order, until it returns false.
func (t *avTab) All(f func(*rule) bool) {
	for i := range t.rules {
		if !f(&t.rules[i]) {
			return
		}
	}
}

// avtab reads a table of rules. Before version 20 an item held several rules
// for one key, so the rules are collected before the table is sized.
func (p *parser) avtab(what string) *avTab {
	size := 12
	if p.db.Version < versionAVTab {
		size = 24
	}
	at := p.off
	n := p.count(what, size)
	if p.err == nil && n == 0 {
		p.invalid(at, "no rules, and so nothing is allowed")
	}
	type item struct {
		Key
		datum uint32
		off   int
	}
	items := make([]item, 0, n)
	for range n {
		if p.err != nil {
			break
		}
		off := p.off
		p.avItem(func(k Key, datum uint32, _ bool) { items = append(items, item{k, datum, off}) })
	}
	t := newAVTab(len(items))
	for _, it := range items {
		if !t.insert(it.Key, it.datum) {
			p.invalid(it.off, "rule given twice: source %d, target %d, class %d", it.Source, it.Target, it.Class)
		}
	}
	return t
}

// avItem reads one item of a table and passes on the rules in it, and whether
// the item is marked as one that holds.
func (p *parser) avItem(rule func(k Key, datum uint32, enabled bool)) {
	if p.db.Version < versionAVTab {
		p.avItemOld(rule)
		return
	}
	off := p.off
	k := Key{p.u16("rule's source"), p.u16("rule's target"), p.u16("rule's class"), p.u16("rule's kind")}
	if p.err == nil && k.Specified&avXPerms != 0 {
		p.invalid(off+6, "rule of kind %#x: extended permissions are none of Xen's", k.Specified)
		return
	}
	datum := p.u32("rule's datum")
	enabled := k.Specified&avEnabled != 0
	k.Specified &^= avEnabled
	if p.checkRule(off, k, datum) {
		rule(k, datum, enabled)
	}
}

// avOrderOld is the order in which an item before version 20 holds its data.
var avOrderOld = [...]uint16{Allowed, AuditDeny, AuditAllow, Transition, Change, Member}

func (p *parser) avItemOld(rule func(k Key, datum uint32, enabled bool)) {
	off := p.off
	words := p.count("rule's words", 4)
	if p.err == nil && (words < 5 || words > 4+len(avOrderOld)) {
		p.invalid(off, "rule of %d words", words)
	}
	source, target, class := p.u32("rule's source"), p.u32("rule's target"), p.u32("rule's class")
	kind := p.u32("rule's kinds")
	enabled := kind&avEnabledOld != 0
	kind &^= avEnabledOld
	if p.err != nil {
		return
	}
	if source > maxValue || target > maxValue || class > maxValue || kind&^uint32(AV|TypeRule) != 0 || bits.OnesCount32(kind) != words-4 {
		p.invalid(off, "rule with source %d, target %d, class %d, kinds %#x in %d words", source, target, class, kind, words)
		return
	}
	for _, spec := range avOrderOld {
		if kind&uint32(spec) == 0 {
			continue
		}
		k := Key{uint16(source), uint16(target), uint16(class), spec}
		if datum := p.u32("rule's datum"); p.checkRule(off, k, datum) {
			rule(k, datum, enabled)
		}
	}
}

// checkRule refuses a rule on what the policy does not define.
func (p *parser) checkRule(off int, k Key, datum uint32) bool {
	if p.err != nil {
		return false
	}
	types, classes := uint32(p.db.Types.Len()), uint32(p.db.Classes.Len())
	switch {
	case k.Source == 0 || uint32(k.Source) > types:
		p.invalid(off, "rule's source is type %d of %d", k.Source, types)
	case k.Target == 0 || uint32(k.Target) > types:
		p.invalid(off+2, "rule's target is type %d of %d", k.Target, types)
	case k.Class == 0 || uint32(k.Class) > classes:
		p.invalid(off+4, "rule's class is %d of %d", k.Class, classes)
	case bits.OnesCount16(k.Specified) != 1 || k.Specified&(AV|TypeRule) == 0:
		p.invalid(off+6, "rule of kind %#x", k.Specified)
	case k.Specified&TypeRule != 0 && (datum == 0 || datum > types):
		p.invalid(off+8, "rule gives type %d of %d", datum, types)
	}
	return p.err == nil
}
