package results

import "golang.org/x/perf/benchfmt"

// Units are what files say of their units, by the unit as it is written.
type Units map[string]Unit

// Unit is what a line "Unit NAME assume=exact better=higher" says of a unit.
type Unit struct {
	// Exact tells that a value is the truth and no sample: assume=exact.
	Exact bool
	// Better says which values are better; 0 if no line does.
	Better Better
}

// Better is the better direction of a unit.
type Better int

// Directions.
const (
	Lower  Better = -1
	Higher Better = 1
)

// add takes a line of metadata. What it does not know it passes over, as the
// format asks for.
func (u Units) add(m *benchfmt.UnitMetadata) {
	unit := u[m.OrigUnit]
	switch m.Key + "=" + m.Value {
	case "assume=exact":
		unit.Exact = true
	case "better=higher":
		unit.Better = Higher
	case "better=lower":
		unit.Better = Lower
	default:
		return
	}
	u[m.OrigUnit] = unit
}

// join adds what another file says. Two files that contradict each other leave
// the first in force.
func (u Units) join(o Units) {
	for name, unit := range o {
		old := u[name]
		old.Exact = old.Exact || unit.Exact
		if old.Better == 0 {
			old.Better = unit.Better
		}
		u[name] = old
	}
}
