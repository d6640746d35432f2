package window

import "maps"

// Summary is what the clean windows of one benchmark say.
//
// A window is clean if no interrupt came and Xen switched no vCPU in it. In
// clean windows Xen executes one number of instructions: the mode. Windows off
// the mode are counted, not dropped, and make a summary less than exact.
type Summary struct {
	Windows int // all of them
	Clean   int // without an interrupt or a switch
	AtMode  int // clean ones with Mode instructions
	// Mode is the most frequent number of Xen's instructions in clean
	// windows, the smallest if several are; 0 without clean windows.
	Mode uint64
	// Kernel is the same of the guest kernel's instructions: it has noise of
	// its own, which no build of Xen changes.
	Kernel uint64
	User   uint64 // likewise, of user space
	// Counts is what the windows at the mode executed, and where. All of them
	// agree if Uniform.
	Counts  map[Place]Count
	Uniform bool
}

// Clean windows that are off the mode leave a figure exact if they are few:
// this share, or one of so many.
const (
	strayShare = 0.05
	oneOf      = 10
)

// Exact reports whether the mode may be called exact: there are clean windows,
// nearly all agree, and their attribution agrees as well.
func (s Summary) Exact() bool {
	few := float64(s.Clean-s.AtMode) <= strayShare*float64(s.Clean) || s.Clean >= oneOf && s.Clean-s.AtMode == 1
	return s.Clean > 1 && few && s.Uniform
}

// Summarize sums up the windows of one benchmark in one domain. Entries into
// the probes (cells of code.Map) make a window unclean.
func Summarize(windows []Window, probes map[int]bool) Summary {
	s := Summary{Windows: len(windows)}
	var clean []Window
	for _, w := range windows {
		if !w.entered(probes) {
			clean = append(clean, w)
		}
	}
	s.Clean = len(clean)
	s.Mode, s.AtMode = mode(clean, func(w Window) uint64 { return w.Xen })
	s.Kernel, _ = mode(clean, func(w Window) uint64 { return w.Kernel })
	s.User, _ = mode(clean, func(w Window) uint64 { return w.User })
	s.attribute(clean)
	return s
}

// entered reports whether the window entered one of the cells.
func (w Window) entered(cells map[int]bool) bool {
	for p, c := range w.Counts {
		if c.Entries > 0 && cells[p.Cell] {
			return true
		}
	}
	return false
}

// attribute takes the counts of the windows at the mode.
func (s *Summary) attribute(clean []Window) {
	s.Uniform = true
	for _, w := range clean {
		switch {
		case w.Xen != s.Mode:
		case s.Counts == nil:
			s.Counts = w.Counts
		case !maps.Equal(s.Counts, w.Counts):
			s.Uniform = false
		}
	}
}

// Sum adds up what windows executed, and where.
func Sum(windows []Window) map[Place]Count {
	sum := map[Place]Count{}
	for _, w := range windows {
		for p, c := range w.Counts {
			have := sum[p]
			sum[p] = Count{have.Instructions + c.Instructions, have.Entries + c.Entries}
		}
	}
	return sum
}

// mode is the most frequent value and how often it occurs; the smallest of
// those that tie.
func mode(windows []Window, of func(Window) uint64) (value uint64, times int) {
	counts := map[uint64]int{}
	for _, w := range windows {
		counts[of(w)]++
	}
	for v, n := range counts {
		if n > times || n == times && v < value {
			value, times = v, n
		}
	}
	return value, times
}
