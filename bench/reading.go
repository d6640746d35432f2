package bench

import (
	"cmp"
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
// subtracted. Some come first, and one precedes each window, since what disturbs comes
// in swarms: windows that follow each other within moments may all have met the same.
// Of the AVC's counts that is nothing, since reading them asks for no permission;
// the counters are read around them, because that does. What happens between the
// reading and the marks counts: where a process of its own runs the loop and marks
// it (NativeLoops), its start and end are among it.
type witness struct {
	avc      AVC                           // nil for none
	counters func() ([]PerfCounter, error) // nil for none
	before   reading
	empty    []reading // what empty windows seemed to contain
	windows  []reading // what the windows of the phase did, the reading of it too
	perOp    map[Phase]reading
}

func (r reading) since(earlier reading) reading {
	for i := range r {
		r[i] -= earlier[i]
	}
	return r
}

// emptyWindows come before all others: a swarm that a benchmark's start wakes is
// over then.
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
		if err := w.nothing(); err != nil {
			return nil, err
		}
	}
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

// begin has an empty window go before.
func (w *witness) begin() error {
	if w == nil {
		return nil
	}
	return errors.Join(w.nothing(), w.open())
}

// nothing is an empty window.
func (w *witness) nothing() error {
	if err := w.open(); err != nil {
		return err
	}
	empty, err := w.close()
	if err == nil {
		w.empty = append(w.empty, empty)
	}
	return err
}

func (w *witness) end() error {
	if w == nil {
		return nil
	}
	window, err := w.close()
	if err == nil {
		w.windows = append(w.windows, window)
	}
	return err
}

// open reads the AVC's counts last: nothing comes between them and the window.
func (w *witness) open() error {
	w.before = reading{}
	return errors.Join(w.readCounters(&w.before), w.readStats(&w.before))
}

func (w *witness) close() (reading, error) {
	var after reading
	err := errors.Join(w.readStats(&after), w.readCounters(&after))
	return after.since(w.before), err
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
	if w != nil && len(w.windows) > 0 {
		w.perOp[p] = w.take()
	}
}

// overhead is what reading adds to a window: the quietest of the empty ones, since
// what disturbs one adds hypercalls or look-ups.
func (w *witness) overhead() reading {
	return slices.MinFunc(w.empty, func(a, b reading) int {
		const lookups, hypercalls = 0, len(readingUnits) - 1
		return cmp.Or(cmp.Compare(a[hypercalls], b[hypercalls]), cmp.Compare(a[lookups], b[lookups]))
	})
}

// net is what the windows of a phase contained, nothing if it has none.
func (w *witness) net(p Phase) reading {
	r, ok := w.perOp[p]
	if !ok {
		return reading{}
	}
	return r.since(w.overhead())
}

// values are the figures of one operation.
func (w *witness) values(ops int64) []Value {
	if w == nil {
		return nil
	}
	operation, baseline, credit := w.net(PhaseOperation), w.net(PhaseBaseline), w.net(PhaseCredit)
	var list []Value
	for i, unit := range readingUnits {
		known := w.avc != nil
		if unit == WitnessHypercalls {
			known = w.counters != nil
		}
		if !known {
			continue
		}
		n := int32(operation[i] - baseline[i] + credit[i])
		list = append(list, Value{Value: float64(n) / float64(max(1, ops)), Unit: unit})
	}
	return list
}
