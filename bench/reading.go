package bench

import (
	"errors"
	"fmt"
	"slices"
)

// readingUnits are those of a reading's values, in its order.
var readingUnits = [...]string{WitnessLookups, WitnessHits, WitnessMisses, WitnessNodes, WitnessHypercalls}

// reading is what a hypervisor's counts say at a moment, or what lies between
// two. Differences wrap as the counts do.
type reading [len(readingUnits)]uint32

// hypercallsCounter is Xen's name of the counter (perfc_defn.h).
const hypercallsCounter = "hypercalls"

// witness reads the hypervisor's own counts directly before and after each
// marked window, outside of the marks. A nil witness reads nothing.
//
// Reading enters the hypervisor, too: what an empty window seems to contain is
// measured first and subtracted. Of the AVC's counts that is nothing, since
// reading them asks for no permission; the counters are read around them,
// because that does. What happens between the reading and the marks counts:
// where a process of its own runs the loop and marks it (NativeLoops), its
// start and end are among it.
type witness struct {
	avc      AVC                           // nil for none
	counters func() ([]PerfCounter, error) // nil for none
	empty    reading
	before   reading
	windows  []reading // what the windows of the phase contained
	perOp    map[Phase]reading
}

func (r reading) since(earlier reading) reading {
	for i := range r {
		r[i] -= earlier[i]
	}
	return r
}

// emptyWindows are how many decide on the overhead. They follow each other within
// moments: of a few, most may be disturbed by one and the same thing.
const emptyWindows = 21

// newWitness finds out what the hypervisor counts, nil for nothing.
func newWitness(hc Hypercalls) (*witness, error) {
	w := &witness{perOp: map[Phase]reading{}}
	var errs []error
	if k, ok := hc.(AVCKeeper); ok {
		errs = append(errs, w.useAVC(k))
	}
	if c, ok := hc.(PerfCounting); ok {
		read, err := c.PerfCounters()
		if err == nil {
			w.counters = read
		}
		errs = append(errs, supported(err))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("find witness: %w", err)
	}
	if w.avc == nil && w.counters == nil {
		return nil, nil
	}
	for range emptyWindows {
		if err := errors.Join(w.begin(), w.end()); err != nil {
			return nil, err
		}
	}
	w.empty = w.take()
	return w, nil
}

func (w *witness) useAVC(k AVCKeeper) error {
	avc, err := k.AVC()
	if err == nil {
		_, err = avc.Stats()
	}
	if err == nil {
		w.avc = avc
	}
	return supported(err)
}

// supported takes what is not there for no error.
func supported(err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// begin reads the AVC's counts last: nothing comes between them and the window.
func (w *witness) begin() error {
	if w == nil {
		return nil
	}
	w.before = reading{}
	return errors.Join(w.readCounters(&w.before), w.readStats(&w.before))
}

func (w *witness) end() error {
	if w == nil {
		return nil
	}
	var after reading
	if err := errors.Join(w.readStats(&after), w.readCounters(&after)); err != nil {
		return err
	}
	w.windows = append(w.windows, after.since(w.before).since(w.empty))
	return nil
}

func (w *witness) readStats(r *reading) error {
	if w.avc == nil {
		return nil
	}
	s, err := w.avc.Stats()
	if err != nil {
		return fmt.Errorf("read witness: %w", err)
	}
	c, err := w.avc.Chains()
	if err != nil {
		return fmt.Errorf("read witness: %w", err)
	}
	r[0], r[1], r[2], r[3] = s.Lookups, s.Hits, s.Misses, c.Nodes
	return nil
}

func (w *witness) readCounters(r *reading) error {
	if w.counters == nil {
		return nil
	}
	list, err := w.counters()
	if err != nil {
		return fmt.Errorf("read witness: %w", err)
	}
	for _, c := range list {
		if c.Name != hypercallsCounter {
			continue
		}
		for _, v := range c.Values {
			r[4] += v
		}
	}
	return nil
}

// take is the windows' median, count by count, so that one that was disturbed
// does not matter, and forgets them.
func (w *witness) take() reading {
	var r reading
	for i := range r {
		values := make([]int32, len(w.windows))
		for j, window := range w.windows {
			values[j] = int32(window[i])
		}
		slices.Sort(values)
		if len(values) > 0 {
			r[i] = uint32(values[len(values)/2])
		}
	}
	w.windows = nil
	return r
}

// keep ends a phase.
func (w *witness) keep(p Phase) {
	if w != nil {
		w.perOp[p] = w.take()
	}
}

// values are the figures of one operation.
func (w *witness) values(ops int64) []Value {
	if w == nil {
		return nil
	}
	var list []Value
	for i, unit := range readingUnits {
		known := w.avc != nil
		if unit == WitnessHypercalls {
			known = w.counters != nil
		}
		if !known {
			continue
		}
		n := int32(w.perOp[PhaseOperation][i] - w.perOp[PhaseBaseline][i] + w.perOp[PhaseCredit][i])
		list = append(list, Value{Value: float64(n) / float64(max(1, ops)), Unit: unit})
	}
	return list
}
