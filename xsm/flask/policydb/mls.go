package policydb

import (
	"fmt"
	"slices"
	"strings"
)

// Level is a sensitivity with categories, of a policy with MLS.
type Level struct {
	Sensitivity uint32
	Categories  Bitmap
}

// LevelRange is the range of levels of a context: what it is cleared for lies
// between the two.
type LevelRange struct{ Low, High Level }

func (l *Level) equal(o *Level) bool {
	return l.Sensitivity == o.Sensitivity && slices.Equal(l.Categories, o.Categories)
}

// dominates says whether l is at least as sensitive as o and has all of its
// categories.
func (l *Level) dominates(o *Level) bool {
	return l.Sensitivity >= o.Sensitivity && l.Categories.Contains(o.Categories)
}

func (r *LevelRange) equal(o *LevelRange) bool { return r.Low.equal(&o.Low) && r.High.equal(&o.High) }

// contains says whether o lies within r.
func (r *LevelRange) contains(o *LevelRange) bool {
	return o.Low.dominates(&r.Low) && r.High.dominates(&o.High)
}

// validLevel says whether a level's sensitivity may have its categories
// (mls_level_isvalid).
func (db *DB) validLevel(l *Level) bool {
	d := db.Levels.At(l.Sensitivity)
	return d != nil && l.Categories.Max() < db.Cats.Len() && d.set.Categories.Contains(l.Categories)
}

// validRange says whether a range is one of the policy's (mls_range_isvalid).
func (db *DB) validRange(r *LevelRange) bool {
	return db.validLevel(&r.Low) && db.validLevel(&r.High) && r.High.dominates(&r.Low)
}

// FormatRange writes a range as contexts have it: one level, or two with a
// hyphen between; neighbouring categories as c0.c3 (mls_sid_to_context).
func (db *DB) FormatRange(r *LevelRange) string {
	if r.Low.equal(&r.High) {
		return db.formatLevel(&r.Low)
	}
	return db.formatLevel(&r.Low) + "-" + db.formatLevel(&r.High)
}

func (db *DB) formatLevel(l *Level) string {
	var b strings.Builder
	b.WriteString(db.Levels.Name(l.Sensitivity))
	sep := ":"
	for runs := l.Categories.runs(); len(runs) > 0; runs = runs[1:] {
		first, last := runs[0][0], runs[0][1]
		b.WriteString(sep + db.Cats.Name(first+1))
		sep = ","
		switch {
		case last-first > 1:
			b.WriteString("." + db.Cats.Name(last+1))
		case last != first:
			b.WriteString("," + db.Cats.Name(last+1))
		}
	}
	return b.String()
}

// runs are the first and last bits of each stretch of neighbours.
func (b Bitmap) runs() [][2]uint32 {
	var runs [][2]uint32
	for bit := range b.All {
		if n := len(runs); n > 0 && runs[n-1][1]+1 == bit {
			runs[n-1][1] = bit
			continue
		}
		runs = append(runs, [2]uint32{bit, bit})
	}
	return runs
}

// ParseRange reads what FormatRange writes (mls_context_to_sid).
func (db *DB) ParseRange(text string) (LevelRange, error) {
	var r LevelRange
	low, high, two := strings.Cut(text, "-")
	var err error
	if r.Low, err = db.parseLevel(low); err != nil {
		return r, err
	}
	r.High = r.Low
	if two {
		r.High, err = db.parseLevel(high)
	}
	return r, err
}

func (db *DB) parseLevel(text string) (Level, error) {
	name, categories, some := strings.Cut(text, ":")
	l := Level{Sensitivity: db.Levels.Value(name)}
	if l.Sensitivity == 0 {
		return l, fmt.Errorf("no level %q", name)
	}
	if !some {
		return l, nil
	}
	for item := range strings.SplitSeq(categories, ",") {
		from, to, isRange := strings.Cut(item, ".")
		first := db.Cats.Value(from)
		last := first
		if isRange {
			last = db.Cats.Value(to)
		}
		if first == 0 || last == 0 || isRange && first >= last {
			return l, fmt.Errorf("no category %q", item)
		}
		for v := first; v <= last; v++ {
			l.Categories.Set(v - 1)
		}
	}
	return l, nil
}

// level reads one level.
func (p *parser) level() Level {
	return Level{p.u32("sensitivity"), p.bitmap("categories", maxValue)}
}

// levelRange reads one level or two: the low and the high one.
func (p *parser) levelRange() LevelRange {
	off := p.off
	items := p.u32("number of levels")
	if p.err == nil && items != 1 && items != 2 {
		p.invalid(off, "range of %d levels", items)
	}
	var r LevelRange
	r.Low.Sensitivity = p.u32("low sensitivity")
	if items == 2 {
		r.High.Sensitivity = p.u32("high sensitivity")
	}
	r.Low.Categories = p.bitmap("low categories", maxValue)
	if items == 2 {
		r.High.Categories = p.bitmap("high categories", maxValue)
	} else {
		r.High = r.Low
	}
	return r
}

// rangeTransitions reads the ranges of new objects. Those of a version before
// classes were named are for domains.
func (p *parser) rangeTransitions() {
	if p.db.Version < versionMLS {
		return
	}
	p.section = "range transitions"
	for range p.count("range transitions", 8) {
		at := p.off
		t := RangeTransition{Source: p.u32("source type"), Target: p.u32("target type")}
		if p.db.Version >= versionRangeTrans {
			t.Class = p.u32("class")
		}
		t.Levels = p.levelRange()
		if p.err != nil {
			return
		}
		if !p.db.validRangeTransition(&t) {
			p.invalid(at, "range transition of type %d on type %d, class %d", t.Source, t.Target, t.Class)
			return
		}
		p.db.RangeTrans = append(p.db.RangeTrans, t)
	}
}

func (db *DB) validRangeTransition(t *RangeTransition) bool {
	class := t.Class != 0 && uint64(t.Class) <= uint64(db.Classes.Len()) || t.Class == 0 && db.Version < versionRangeTrans
	return class && db.Types.defined(t.Source) && db.Types.defined(t.Target) && (!db.MLS || db.validRange(&t.Levels))
}
