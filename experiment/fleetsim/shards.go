// Package fleetsim simulates the machines that measure a plan's shards: how long they need
// together, what they ask of a store that they share, and what the death of some of them
// costs.
//
// Each machine fetches what is the same for all plans, then makes or fetches one image
// after the other, and then boots. What it made it puts into the store meanwhile, where
// others find it once it is there; nobody waits for what another one is making, as in
// package store. All transfers share the store's bandwidth equally, and none is faster
// than its machine's. A machine dies after a time with an exponential distribution. Its
// shard is then begun again by another one, after a delay, with nothing but what is in
// the store.
package fleetsim

import (
	"math/rand/v2"
	"time"

	"xsmbench/experiment"
)

// Costs are what a plan does not know.
type Costs struct {
	Base  int64 // bytes that each machine fetches whatever it measures
	Image int64 // bytes of an image with what its boots share
	// Machine and Store are bandwidths in bytes per second. Store is what all transfers
	// share.
	Machine, Store float64
	// Deaths are expected in an hour of one machine's work, and Delay is how long it takes
	// until another one begins.
	Deaths float64
	Delay  time.Duration
	// Most is when the simulation is given up, 0 for never. A shard that is long against
	// the time between deaths would be begun again and again.
	Most time.Duration
}

// Store is what machines share.
type Store int

const (
	None Store = iota // each machine makes what its shard needs
	Cold              // at the beginning it has no image of the plan
	Warm              // it has all images
)

// Outcome is what a simulation finds.
type Outcome struct {
	Takes   time.Duration // until the last shard has ended, or until it was given up
	GivenUp bool
	Work    time.Duration // of all machines together, with what was done in vain
	Builds  int           // of images, several of one included
	Deaths  int
	Out, In int64 // bytes that were fetched from the store, and put there
	// Busy is the time in which the store had transfers that it made slower.
	Busy time.Duration
}

// Shards are what machines do: the images that each needs, and its boots.
type Shards struct {
	makes []time.Duration // by image
	parts []part
}

type part struct {
	images []int
	boots  time.Duration
}

// Divide divides a plan among n machines. Those without work are left out.
func Divide(p *experiment.Plan, n int) *Shards {
	s := &Shards{}
	for _, m := range p.Makes {
		s.makes = append(s.makes, m.Takes)
	}
	for _, d := range p.Split(n) {
		if len(d.Places) == 0 {
			continue
		}
		one := part{images: d.Makes}
		for _, place := range d.Places {
			one.boots += p.Boots[place-1].Takes
		}
		s.parts = append(s.parts, one)
	}
	return s
}

// Machines is how many have work.
func (s *Shards) Machines() int { return len(s.parts) }

// Simulate lets the machines work.
func (s *Shards) Simulate(c Costs, store Store, random *rand.Rand) Outcome {
	f := &fleet{shards: s, costs: c, shared: store != None, random: random, there: make([]bool, len(s.makes)), link: link{each: c.Machine, all: c.Store}}
	if store == Warm {
		for i := range f.there {
			f.there[i] = true
		}
	}
	if !f.shared {
		f.link.all = c.Machine * float64(len(s.parts)) // each from elsewhere
	}
	for i := range s.parts {
		f.begin(i)
	}
	f.run()
	return f.out
}
