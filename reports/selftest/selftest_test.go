package selftest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/reports/compare"
	"xsmbench/reports/profile"
	"xsmbench/results"
)

const (
	hook    = "evtchn_status"
	another = "evtchn_send"
	changed = "Kbench/hypercall/op=evtchn_status"
	other   = "Kbench/hypercall/op=evtchn_send_peer"
)

// counts are instructions of one operation: in the hook, in another hook, and
// outside of hooks.
type counts struct{ hook, another, outside int64 }

func runOf(builds map[string]counts) *profile.Run {
	c := &results.Contents{}
	c.Run.Spec = results.Spec{Domains: []string{"dom0"}, Benchmarks: []string{changed, other}}
	var list []results.Profile
	for build, n := range builds {
		for boot := 1; boot <= 2; boot++ {
			for _, b := range []struct {
				benchmark, hook string
				n               int64
			}{{changed, hook, n.hook}, {other, another, n.another}} {
				at := results.Boot{Boot: boot, Round: boot}
				c.Samples = append(c.Samples, results.Sample{Boot: at, Arch: "amd64", Build: build, Domain: "dom0", Benchmark: b.benchmark, Ended: true,
					Values: []bench.Value{{Value: float64(n.outside + b.n), Unit: "xen-instr/op"}}})
				list = append(list, results.Profile{Boot: at, Arch: "amd64", Build: build, Domain: "dom0", Benchmark: b.benchmark,
					Profile: bench.Profile{Windows: 1, Ops: 1, Paths: []bench.Path{
						{Handler: "do_op", Function: "do_op", Part: bench.PartEntry, Calls: 1, Instructions: n.outside},
						{Handler: "do_op", Hook: b.hook, Function: b.hook, Part: bench.PartSite, Calls: 1, Instructions: 4},
						{Handler: "do_op", Hook: b.hook, Function: "flask_" + b.hook, Part: bench.PartBody, Calls: 1, Instructions: b.n - 4},
					}}})
			}
		}
	}
	return profile.New(c, list)
}

func TestCounted(t *testing.T) {
	for _, c := range []struct {
		name    string
		plus    counts
		found   bool
		trouble string
	}{
		{"in its place and of its size", counts{hook: 16}, true, ""},
		{"nothing", counts{}, false, "not found"},
		{"another number", counts{hook: 15}, false, "another number"},
		{"in another hook", counts{another: 16}, false, "also in " + another},
		{"in another hook, too", counts{hook: 16, another: 1}, true, "also in " + another},
		{"outside, too", counts{hook: 16, outside: 2}, true, "also in do_op"},
	} {
		base := counts{100, 120, 500}
		r := runOf(map[string]counts{"before": base, "after": {base.hook + c.plus.hook, base.another + c.plus.another, base.outside + c.plus.outside}})
		got := Counted(r, "before", hook, []Injected{{"after", 16}})
		if len(got) != 1 || got[0].Found != c.found || got[0].Trouble != c.trouble || got[0].Domain != "dom0" {
			t.Errorf("%s: %+v", c.name, got)
		}
		if passes := Passes(got); passes != (c.trouble == "") {
			t.Errorf("%s: passes %v", c.name, passes)
		}
	}
}

// timesOf compares builds with delays, in ns, of an operation of 40 ns: in
// the benchmark of the hook, and by spill also in the other one.
func timesOf(t *testing.T, noise float64, delays map[string]float64, spill map[string]float64) *compare.Comparison {
	t.Helper()
	random := rand.New(rand.NewPCG(4, 4))
	var samples []results.Sample
	add := func(build, benchmark string, round int, ns float64) {
		s := results.Sample{Boot: results.Boot{Boot: len(samples) + 1, Round: round, Layout: round, Image: fmt.Sprint(build, round)},
			Target: "t", Domain: "dom0", Build: build, Benchmark: benchmark, Run: "run", Ended: true}
		s.Values = []bench.Value{{Value: ns * (1 + noise*random.NormFloat64()), Unit: "ns/op"}}
		samples = append(samples, s)
	}
	for round := 1; round <= 10; round++ {
		for _, build := range []string{"none", "small", "large", "long"} {
			add(build, changed, round, 40+delays[build])
			add(build, other, round, 50+spill[build])
		}
	}
	c, err := compare.Compare(samples, compare.Options{Base: "none"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTimed(t *testing.T) {
	builds, long := []Injected{{"small", 1}, {"large", 20}}, Injected{"long", 500}
	for _, c := range []struct {
		name     string
		noise    float64
		delays   map[string]float64
		spill    map[string]float64
		smallest string
		passes   bool
	}{
		{"quiet", 0.002, map[string]float64{"small": 3, "large": 60, "long": 1500}, nil, "small", true},
		{"noisy", 0.1, map[string]float64{"small": 3, "large": 60, "long": 1500}, nil, "large", true},
		{"not found", 0.002, map[string]float64{"long": 1500}, nil, "", false},
		{"of another size", 0.002, map[string]float64{"small": 3, "large": 20, "long": 1500}, nil, "small", false},
		{"elsewhere, too", 0.002, map[string]float64{"small": 3, "large": 60, "long": 1500}, map[string]float64{"large": 30}, "small", false},
	} {
		got := Timed(timesOf(t, c.noise, c.delays, c.spill), changed, builds, long)
		name := ""
		if s := Smallest(got, "dom0"); s != nil {
			name = s.Build
		}
		if len(got) != 2 || name != c.smallest || Passes(got) != c.passes {
			t.Errorf("%s: smallest %q, passes %v, want %q and %v: %+v", c.name, name, Passes(got), c.smallest, c.passes, got)
		}
	}
	missing := Timed(timesOf(t, 0.002, nil, nil), changed, []Injected{{"no such", 1}}, long)
	if Passes(missing) || Passes(nil) {
		t.Errorf("what is not measured passes: %+v", missing)
	}
}

func TestWrite(t *testing.T) {
	var b bytes.Buffer
	findings := []Finding{
		{Injected: Injected{"a", 1}, Domain: "dom0", Put: "1 ns", Saw: "nothing"},
		{Injected: Injected{"b", 8}, Domain: "dom0", Put: "8 ns", Saw: "+8%", Found: true},
		{Injected: Injected{"b", 8}, Domain: "domU", Put: "8 ns", Saw: "+80%", Trouble: "of another size"},
	}
	if err := Write(&b, "delays:", findings); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"delays:\n", "smallest found in dom0: 8 ns\n", "smallest found in domU: none\n", "OF ANOTHER SIZE"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, &b)
		}
	}
}
