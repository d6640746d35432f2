package compare

// reach bounds the rounds that a run may be asked for.
const reach = 5000

// Rounds is an estimate of how many more rounds something takes: none, some, or
// more than anybody would measure.
type Rounds struct {
	N          int // 0 if none, or OutOfReach
	OutOfReach bool
}

// Some reports whether further rounds are needed, and can be had.
func (r Rounds) Some() bool { return r.N > 0 }

// None reports whether nothing more is needed.
func (r Rounds) None() bool { return r == Rounds{} }

// Compare orders estimates, what is out of reach last.
func (r Rounds) Compare(o Rounds) int {
	switch {
	case r.OutOfReach && o.OutOfReach:
		return 0
	case r.OutOfReach:
		return 1
	case o.OutOfReach:
		return -1
	}
	return r.N - o.N
}
