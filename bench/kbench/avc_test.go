package kbench

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/bench/benchtest"
)

// cachingDomain is a domain whose hypercalls a fake FLASK looks up: each
// operation is a decision of its own.
type cachingDomain struct {
	*benchtest.Domain
	avc *fakeCache
}

func (d cachingDomain) Hypercalls() bench.Hypercalls {
	return caching{d.Domain.Hypercalls(), d.avc}
}

type caching struct {
	bench.Hypercalls
	avc *fakeCache
}

func (c caching) AVC() (bench.AVC, error) { return c.avc, c.avc.err }

func (c caching) Prepare(op abi.Hypercall, a *abi.Args) (func() int64, error) {
	call, err := c.Hypercalls.Prepare(op, a)
	return func() int64 {
		c.avc.lookUp(fmt.Sprintf("%d %d", op, a.R[0]))
		return call()
	}, err
}

// fakeCache reclaims all, as Xen's does if it has fewer than 16 nodes.
type fakeCache struct {
	err       error
	cached    map[string]bool
	threshold uint32
	hits      int
	misses    int
	reclaims  int
	unsettled bool
}

func newFakeCache(err error) *fakeCache {
	return &fakeCache{err: err, cached: map[string]bool{}, threshold: 512}
}

func (c *fakeCache) lookUp(decision string) {
	if c.cached[decision] {
		c.hits++
		return
	}
	c.misses++
	if uint32(len(c.cached))+1 > c.threshold {
		clear(c.cached)
		c.reclaims++
	}
	c.cached[decision] = true
}

func (c *fakeCache) Stats() (bench.AVCStats, error) { return bench.AVCStats{}, nil }
func (c *fakeCache) Chains() (bench.AVCChains, error) {
	return bench.AVCChains{Nodes: uint32(len(c.cached))}, nil
}
func (c *fakeCache) Threshold() (uint32, error) { return c.threshold, nil }
func (c *fakeCache) SetThreshold(n uint32) error {
	if n != c.threshold {
		c.lookUp("setsecparam")
	}
	c.threshold = n
	return nil
}

func (c *fakeCache) Flush() error {
	clear(c.cached)
	c.unsettled = true
	return nil
}

func (c *fakeCache) Settle() error { c.unsettled = false; return nil }

// TestStatesOfTheCache looks at what an operation finds in each state, at every
// iteration anew, and that the cache's threshold is as before at the end.
func TestStatesOfTheCache(t *testing.T) {
	type found struct{ hits, misses, reclaims int }
	for name, want := range map[string]found{
		"avc/state=warm/op=evtchn_status":          {1, 0, 0},
		"avc/state=cold/op=evtchn_status":          {0, 1, 0},
		"avc/state=thrashed/op=evtchn_status":      {0, 1, 1},
		"avc/state=warm/op=evtchn_alloc_close":     {2, 0, 0},
		"avc/state=cold/op=evtchn_alloc_close":     {0, 2, 0},
		"avc/state=thrashed/op=evtchn_alloc_close": {0, 2, 1},
	} {
		avc := newFakeCache(nil)
		b, ok := bench.Find(suite + "/" + name)
		if !ok {
			t.Fatalf("%s is not registered", name)
		}
		in, err := b.Intervals(cachingDomain{benchtest.New(0), avc})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			if in.Before != nil {
				if err := in.Before(1); err != nil {
					t.Fatal(err)
				}
			}
			was := *avc
			if err := in.Loop(1); err != nil {
				t.Fatal(err)
			}
			got := found{avc.hits - was.hits, avc.misses - was.misses, avc.reclaims - was.reclaims}
			if got != want || was.unsettled {
				t.Errorf("%s, iteration %d: %+v, want %+v; unsettled: %v", name, i, got, want, was.unsettled)
			}
		}
		if most := int64(1); strings.Contains(name, "warm") == (in.Most == most) {
			t.Errorf("%s: at most %d iterations at a time", name, in.Most)
		}
		in.Cleanup()
		if avc.threshold != 512 {
			t.Errorf("%s leaves a threshold of %d", name, avc.threshold)
		}
	}
}

// TestNoCache: without one nothing is made, and a cache that fails is an error.
func TestNoCache(t *testing.T) {
	b, _ := bench.Find("Kbench/avc/state=cold/op=evtchn_status")
	for _, d := range []bench.Domain{benchtest.New(0), cachingDomain{benchtest.New(0), newFakeCache(errors.ErrUnsupported)}} {
		in, err := b.Intervals(d)
		if err != nil || in.Before != nil || in.Most != 0 {
			t.Errorf("%+v, %v", in, err)
		}
	}
	if _, err := b.Intervals(cachingDomain{benchtest.New(0), newFakeCache(abi.EACCES)}); !errors.Is(err, abi.EACCES) {
		t.Errorf("error %v", err)
	}
}
