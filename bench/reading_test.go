package bench_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
)

// countingXen is Hypercalls of a hypervisor that counts. Unlike Xen's, reading
// its AVC takes look-ups; reading its counters takes one, too.
type countingXen struct {
	bench.Hypercalls
	stats                    bench.AVCStats
	hypercalls               uint32
	noAVC, noStats, noPerfcs error
	breaks                   int // the reading that fails, 0 for none
	reads                    int
	swarm                    int // so many readings of the counters are disturbed
}

func (x *countingXen) AVC() (bench.AVC, error) { return statistics{x: x}, x.noAVC }

func (x *countingXen) PerfCounters() (func() ([]bench.PerfCounter, error), error) {
	return func() ([]bench.PerfCounter, error) {
		if x.swarm > 0 {
			x.swarm--
			x.hypercalls += 4
		}
		x.hypercalls++
		x.stats.Lookups++
		x.stats.Hits++
		return []bench.PerfCounter{{Name: "exceptions", Values: []uint32{77 * x.hypercalls}}, {Name: "hypercalls", Values: []uint32{5, x.hypercalls}}}, nil
	}, x.noPerfcs
}

type statistics struct {
	bench.AVC
	x *countingXen
}

var errNoStats = errors.New("no statistics")

func (s statistics) Stats() (bench.AVCStats, error) {
	s.x.hypercalls++
	s.x.stats.Lookups += 2
	s.x.stats.Hits += 2
	if s.x.reads++; s.x.reads == s.x.breaks {
		return s.x.stats, errNoStats
	}
	return s.x.stats, s.x.noStats
}

// Chains has a node for each miss.
func (s statistics) Chains() (bench.AVCChains, error) {
	s.x.hypercalls++
	return bench.AVCChains{Nodes: s.x.stats.Misses}, nil
}

// witnessing is a marking domain on such a hypervisor.
type witnessing struct {
	*marking
	xen *countingXen
}

func (w witnessing) Hypercalls() bench.Hypercalls { return w.xen }

func TestWitness(t *testing.T) {
	unsupported := errors.ErrUnsupported
	tests := []struct {
		name    string
		xen     countingXen
		options bench.Options
		want    []bench.Value // behind the time
		err     string
	}{
		{"all", countingXen{}, bench.Options{Windows: 7, Witness: true},
			[]bench.Value{{Value: 1.5, Unit: "avc-lookups/op"}, {Value: 1, Unit: "avc-hits/op"}, {Value: 0.5, Unit: "avc-misses/op"}, {Value: 0.5, Unit: "avc-nodes/op"}, {Value: 3.5, Unit: "hypercalls/op"}}, ""},
		{"counts wrap", countingXen{stats: bench.AVCStats{Lookups: math.MaxUint32 - 30, Misses: math.MaxUint32}, hypercalls: math.MaxUint32 - 40}, bench.Options{Windows: 7, Witness: true},
			[]bench.Value{{Value: 1.5, Unit: "avc-lookups/op"}, {Value: 1, Unit: "avc-hits/op"}, {Value: 0.5, Unit: "avc-misses/op"}, {Value: 0.5, Unit: "avc-nodes/op"}, {Value: 3.5, Unit: "hypercalls/op"}}, ""},
		{"a swarm comes first", countingXen{swarm: 60}, bench.Options{Windows: 21, Witness: true},
			[]bench.Value{{Value: 1.5, Unit: "avc-lookups/op"}, {Value: 1, Unit: "avc-hits/op"}, {Value: 0.5, Unit: "avc-misses/op"}, {Value: 0.5, Unit: "avc-nodes/op"}, {Value: 3.5, Unit: "hypercalls/op"}}, ""},
		{"no counters", countingXen{noPerfcs: unsupported}, bench.Options{Windows: 7, Witness: true},
			[]bench.Value{{Value: 1.5, Unit: "avc-lookups/op"}, {Value: 1, Unit: "avc-hits/op"}, {Value: 0.5, Unit: "avc-misses/op"}, {Value: 0.5, Unit: "avc-nodes/op"}}, ""},
		{"no AVC", countingXen{noAVC: unsupported}, bench.Options{Windows: 7, Witness: true},
			[]bench.Value{{Value: 3.5, Unit: "hypercalls/op"}}, ""},
		{"no statistics", countingXen{noStats: unsupported}, bench.Options{Windows: 7, Witness: true},
			[]bench.Value{{Value: 3.5, Unit: "hypercalls/op"}}, ""},
		{"nothing", countingXen{noAVC: unsupported, noPerfcs: unsupported}, bench.Options{Windows: 7, Witness: true}, nil, ""},
		{"not asked", countingXen{breaks: 1}, bench.Options{Windows: 7}, nil, ""},
		{"fails at once", countingXen{breaks: 1}, bench.Options{Windows: 7, Witness: true}, nil, "find witness"},
		{"fails in a window", countingXen{breaks: 50}, bench.Options{Windows: 7, Witness: true}, nil, "read witness"},
		{"refused", countingXen{noPerfcs: errBroken}, bench.Options{Windows: 7, Witness: true}, nil, "find witness"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := witnessing{&marking{machine: newMachine()}, &tt.xen}
			windows := 0
			does := func(lookups, misses, calls uint32) func(bench.Domain) (bench.Loop, func(), error) {
				return func(bench.Domain) (bench.Loop, func(), error) {
					return func(int64) error {
						if windows++; windows%5 == 0 { // a stranger's
							tt.xen.stats.Lookups += 100
						}
						tt.xen.stats.Lookups += lookups
						tt.xen.stats.Misses += misses
						tt.xen.stats.Hits += lookups - misses
						tt.xen.hypercalls += calls
						return nil
					}, nil, nil
				}
			}
			b := bench.Benchmark{Suite: "Test", Name: "x", Unit: "ns/op", Ops: 2, Setup: does(5, 2, 9), Baseline: does(3, 1, 4), Credit: does(1, 0, 2)}
			m, err := bench.Measure(d, b, tt.options, bench.Calibration{})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want one about %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, append([]bench.Value(nil), m.Values[1:]...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
