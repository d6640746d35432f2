package compare

// pairing is how the boots of two builds pair by round. Where every boot measured
// everything once, it is the same for all benchmarks.
type pairing struct {
	matches []match
	left    int // boots that have no partner
	// numbers are the layouts of the matches, counted from 1 to most. Matches of
	// the same images have the same.
	numbers []int
	most    int
	layouts []int // what the observations are grouped by; nil if each is a group
	// later is by how much later in its round the build booted than the base;
	// nil if that is not known of all.
	later       []float64
	rounds      roundSet
	severalRuns bool
}

// match is places of values in the samples of the base and of the build.
type match struct{ i, j int32 }

// pairingKey tells where values of all boots stand.
type pairingKey struct {
	base, build  *place
	first, other int // how many values there are
}

// pairings are those that are known already.
type pairings map[pairingKey]*pairing

// of finds how two builds pair.
func (known pairings) of(base, build *sampled) *pairing {
	if base.starts != nil || build.starts != nil {
		return newPairing(base, build)
	}
	key := pairingKey{base.at, build.at, len(base.values), len(build.values)}
	if known[key] == nil {
		known[key] = newPairing(base, build)
	}
	return known[key]
}

func newPairing(base, build *sampled) *pairing {
	p := &pairing{}
	index, digest := map[[2]uint64]int{}, newRounds()
	all, placed, single := 0, true, true
	var run string
	shared(base, build, func(i, j int) bool {
		x, y := base.start(i), build.start(j)
		images := [2]uint64{x.link(), y.link()}
		if index[images] == 0 {
			index[images] = 1 + len(index)
		}
		if all++; all == 1 {
			run = x.run
		}
		number := index[images]
		p.matches, p.numbers = append(p.matches, match{int32(i), int32(j)}), append(p.numbers, number)
		p.later = append(p.later, float64(y.order-x.order))
		p.severalRuns = p.severalRuns || x.run != run
		placed = placed && x.order > 0 && y.order > 0
		single = single && number == 1 || x.sameImage(y)
		digest.add(x.round)
		return true
	})
	p.left, p.most, p.rounds = len(base.values)+len(build.values)-2*all, len(index), digest.set()
	if !placed {
		p.later = nil
	}
	// Pairs of one and the same image differ by no layout, and where all boots
	// have the same layout there are none to draw from: then each pair is a group
	// of its own, and so it is where no two share one.
	if !single && p.most < all {
		p.layouts = p.numbers
	}
	return p
}

// values are those of the matches, of the base and of the build.
func (p *pairing) values(base, build *sampled) (x, y []float64) {
	return valuesAt(base, p.matches, func(m match) int32 { return m.i }), valuesAt(build, p.matches, func(m match) int32 { return m.j })
}

// valuesAt are the values at some places, which are in ascending order: the
// sample's own if those are all.
func valuesAt(b *sampled, matches []match, place func(match) int32) []float64 {
	if len(matches) == len(b.values) {
		return b.values
	}
	some := make([]float64, len(matches))
	for k, m := range matches {
		some[k] = b.values[place(m)]
	}
	return some
}

// sameImage tells boots of one and the same image.
func (s *start) sameImage(o *start) bool { return s.image != "" && s.image == o.image }
