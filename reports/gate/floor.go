package gate

import (
	"math"

	"xsmbench/reports/compare"
)

// place is what a row is about, apart from the build.
type place struct {
	compare.Environment
	benchmark, unit string
}

func placeOf(r *compare.Row) place { return place{r.Environment, r.Benchmark, r.Unit} }

// floors are the largest differences that controls show, by place. A control
// is one image compared with itself: its difference is 0, and what is seen
// instead is what the measurement gets wrong. How wide a row's interval must
// be for its number of boots is not part of it, since the row's own interval
// says that.
type floors map[place]float64

func floorsOf(controls []compare.Row) floors {
	f := floors{}
	for i := range controls {
		size := sizeOf(controls[i])
		if math.IsNaN(size) {
			continue
		}
		if k := placeOf(&controls[i]); size >= f[k] {
			f[k] = size
		}
	}
	return f
}

// of is the floor of a row, NaN if no control tells.
func (f floors) of(row *compare.Row) float64 {
	if floor, ok := f[placeOf(row)]; ok {
		return floor
	}
	return math.NaN()
}
