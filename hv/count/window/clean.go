package window

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Summary is what the clean windows of one benchmark say.
//
// A window is clean if no interrupt came, Xen switched no vCPU in it, and the
// guest asked Xen for what it asks for in most windows: where its scheduler ran
// a thread of its own in between, or a fault came that the others lack, the window
// is not of the operation alone. In clean windows Xen executes one number of
// instructions: the mode. Windows off the mode are counted, not dropped, and make
// a summary less than exact.
type Summary struct {
	Windows int // all of them
	Clean   int
	// Other windows had no interrupt and no switch, but the guest asked for other
	// things than in four fifths of those or more. They are not clean.
	Other  int
	AtMode int // clean ones with Mode instructions
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
	return s.Clean > 1 && few(s.Clean-s.AtMode, s.Clean) && s.Uniform
}

// FewOther reports whether windows in which the guest asked for other things are so
// few that they need no word.
func (s Summary) FewOther() bool { return few(s.Other, s.Clean+s.Other) }

// few reports whether strays among all windows are few.
func few(strays, all int) bool {
	return float64(strays) <= strayShare*float64(all) || all >= oneOf && strays == 1
}

// Cells are cells of code.Map that decide whether a window is clean.
type Cells struct {
	Probes   map[int]bool // an entry makes a window unclean
	Handlers map[int]bool // an entry is something that the guest asked for
}

// Summarize sums up the windows of one benchmark in one domain.
func Summarize(windows []Window, cells Cells) Summary {
	s := Summary{Windows: len(windows)}
	var quiet []Window
	for _, w := range windows {
		if !w.entered(cells.Probes) {
			quiet = append(quiet, w)
		}
	}
	clean := alike(quiet, cells.Handlers)
	s.Clean, s.Other = len(clean), len(quiet)-len(clean)
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

// alike are those windows in which the guest asked for the same things, if at most a
// fifth differ; else all, since what the operation asks for then varies.
func alike(windows []Window, handlers map[int]bool) []Window {
	asked := map[string][]Window{}
	for _, w := range windows {
		key := w.asked(handlers)
		asked[key] = append(asked[key], w)
	}
	for _, list := range asked {
		if 5*len(list) >= 4*len(windows) {
			return list
		}
	}
	return windows
}

// asked tells what a window's guest asked for: how often each handler was entered.
func (w Window) asked(handlers map[int]bool) string {
	entries := map[int]uint64{}
	for p, c := range w.Counts {
		if handlers[p.Cell] && c.Entries > 0 {
			entries[p.Cell] += c.Entries
		}
	}
	var b strings.Builder
	for _, cell := range slices.Sorted(maps.Keys(entries)) {
		fmt.Fprintf(&b, "%d:%d ", cell, entries[cell])
	}
	return b.String()
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
