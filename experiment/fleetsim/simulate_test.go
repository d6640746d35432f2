package fleetsim

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"xsmbench/bench"
	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/hv/hvtest"
	"xsmbench/results"
)

const (
	second = time.Second
	mega   = 1 << 20
)

// TestSimulate: cases whose times can be told.
func TestSimulate(t *testing.T) {
	alone := &Shards{makes: []time.Duration{90 * second}, parts: []part{{[]int{0}, 20 * second}}}
	both := &Shards{makes: []time.Duration{90 * second}, parts: []part{{[]int{0}, 20 * second}, {[]int{0}, 10 * second}}}
	// The second machine needs the image of the first one, 100 s after that has it.
	later := &Shards{makes: []time.Duration{90 * second, 200 * second}, parts: []part{{[]int{0}, 20 * second}, {[]int{1, 0}, 10 * second}}}
	costs := Costs{Base: 60 * mega, Image: 40 * mega, Machine: 10 * mega, Store: 10 * mega}
	for _, c := range []struct {
		name   string
		shards *Shards
		store  Store
		want   Outcome
	}{
		// 6 s for the base, 90 to build, 20 to boot.
		{"no store", alone, None, Outcome{Takes: 116 * second, Work: 116 * second, Builds: 1}},
		{"a cold store", alone, Cold, Outcome{Takes: 116 * second, Work: 116 * second, Builds: 1, Out: 60 * mega, In: 40 * mega}},
		// 6 s and 4 s to fetch, 20 to boot.
		{"a warm store", alone, Warm, Outcome{Takes: 30 * second, Work: 30 * second, Out: 100 * mega}},
		// Two bases at once take 12 s. Both build: neither waits for the other. They put at
		// once, which takes 8 s.
		{"two at once", both, Cold, Outcome{Takes: 122 * second, Work: 234 * second, Builds: 2, Out: 120 * mega, In: 80 * mega, Busy: 20 * second}},
		{"two, no store", both, None, Outcome{Takes: 116 * second, Work: 222 * second, Builds: 2}},
		// Two bases, then 200 s to build, 4 to fetch and 4 to put at once, so 8; 10 to boot.
		{"one finds what the other made", later, Cold, Outcome{Takes: 230 * second, Work: 352 * second, Builds: 2, Out: 160 * mega, In: 80 * mega, Busy: 20 * second}},
		{"two, a warm store", both, Warm, Outcome{Takes: 40 * second, Work: 70 * second, Out: 200 * mega, Busy: 20 * second}},
	} {
		got := c.shards.Simulate(costs, c.store, rand.New(rand.NewPCG(1, 1)))
		for _, d := range []*time.Duration{&got.Takes, &got.Work, &got.Busy} {
			*d = d.Round(time.Millisecond)
		}
		if got != c.want {
			t.Errorf("%s:\n%+v, want\n%+v", c.name, got, c.want)
		}
	}
}

// TestDeaths: a shard that is begun again after each death takes (exp(rD)-1)/r on the
// average, with the rate r of deaths and the time D that it needs, and the delays.
func TestDeaths(t *testing.T) {
	s := &Shards{parts: []part{{nil, time.Hour}}}
	costs := Costs{Machine: mega, Store: mega, Deaths: 0.5, Delay: 6 * time.Minute}
	random := rand.New(rand.NewPCG(1, 1))
	const n = 20000
	var takes, deaths float64
	for range n {
		o := s.Simulate(costs, None, random)
		takes += o.Takes.Hours() / n
		deaths += float64(o.Deaths) / n
	}
	again := math.Exp(0.5) - 1 // deaths of one shard
	if want := again/0.5 + again*0.1; math.Abs(takes-want) > 0.02*want {
		t.Errorf("%.3f hours, want %.3f", takes, want)
	}
	if math.Abs(deaths-again) > 0.03*again {
		t.Errorf("%.3f deaths, want %.3f", deaths, again)
	}
}

// TestGivenUp: a shard that is far longer than machines live would be begun again
// without an end.
func TestGivenUp(t *testing.T) {
	s := &Shards{parts: []part{{nil, 100 * time.Hour}}}
	costs := Costs{Machine: mega, Store: mega, Deaths: 1, Delay: time.Minute, Most: 1000 * time.Hour}
	if o := s.Simulate(costs, None, rand.New(rand.NewPCG(1, 1))); !o.GivenUp || o.Takes != costs.Most || o.Deaths < 900 {
		t.Errorf("%+v", o)
	}
	costs.Deaths = 0
	if o := s.Simulate(costs, None, nil); o.GivenUp || o.Takes != 100*time.Hour {
		t.Errorf("without deaths: %+v", o)
	}
}

// TestDivide: one machine does what the plan has, and several do it once.
func TestDivide(t *testing.T) {
	spec := results.Spec{Target: "counting", Domains: []string{"dom0"}, Benchmarks: []string{"A/b"}, Rounds: 3, Options: bench.Options{Windows: 20}}
	for _, name := range []string{"a", "b", "c"} {
		spec.Builds = append(spec.Builds, hv.Build{Name: name, Kind: "flask", Rev: name, Arch: "amd64"})
	}
	p, err := experiment.NewPlan(&hvtest.Counting{}, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	costs := Costs{Machine: mega, Store: mega}
	one := Divide(p, 1).Simulate(costs, None, nil)
	if d := one.Takes - p.Takes(1); d.Abs() > time.Millisecond {
		t.Errorf("one machine takes %v, and the plan says %v", one.Takes, p.Takes(1))
	}
	s := Divide(p, 1000)
	if n := s.Machines(); n == 0 || n > len(p.Boots) {
		t.Errorf("%d machines for %d boots", n, len(p.Boots))
	}
	if got := s.Simulate(costs, None, nil); (got.Takes - p.Takes(1000)).Abs() > time.Millisecond {
		t.Errorf("1,000 machines take %v, and the plan says %v", got.Takes, p.Takes(1000))
	}
}
