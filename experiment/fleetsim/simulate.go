package fleetsim

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"time"
)

// fleet is a simulation under way. Times are seconds.
type fleet struct {
	shards *Shards
	costs  Costs
	shared bool
	random *rand.Rand

	now    float64
	events events
	link   link
	there  []bool // images that the store has
	out    Outcome
}

// event is something at a known time.
type event struct {
	at   float64
	gone bool
	then func()
}

// machine works on a shard.
type machine struct {
	fleet *fleet
	shard int
	began float64
	next  int // of its images
	// What ends with it:
	timers    []*event
	transfers []*flow
}

// begin has a machine begin a shard.
func (f *fleet) begin(shard int) {
	m := &machine{fleet: f, shard: shard, began: f.now}
	if f.costs.Deaths > 0 {
		m.timers = append(m.timers, f.after(f.random.ExpFloat64()/f.costs.Deaths*3600, m.die))
	}
	m.fetch(f.costs.Base, m.image)
}

func (f *fleet) after(seconds float64, then func()) *event {
	e := &event{at: f.now + seconds, then: then}
	heap.Push(&f.events, e)
	return e
}

// run lets things happen until nothing is to come.
func (f *fleet) run() {
	for len(f.events) > 0 || f.link.live > 0 {
		if f.costs.Most > 0 && f.now > f.costs.Most.Seconds() {
			f.out.GivenUp, f.out.Takes = true, f.costs.Most
			return
		}
		at := math.Inf(1)
		for len(f.events) > 0 && f.events[0].gone {
			heap.Pop(&f.events)
		}
		if len(f.events) > 0 {
			at = f.events[0].at
		}
		flow, in := f.link.next()
		if flow != nil && f.now+in <= at {
			f.pass(in)
			f.link.drop(flow)
			flow.then()
			continue
		}
		if math.IsInf(at, 1) {
			return
		}
		f.pass(at - f.now)
		e := heap.Pop(&f.events).(*event)
		e.then()
	}
}

// pass lets time pass.
func (f *fleet) pass(seconds float64) {
	if rate := f.link.rate(); rate < f.link.each {
		f.out.Busy += duration(seconds)
	}
	f.link.passed += seconds * f.link.rate()
	f.now += seconds
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// fetch brings bytes to a machine.
func (m *machine) fetch(bytes int64, then func()) {
	m.transfers = append(m.transfers, m.fleet.link.add(bytes, func() {
		if m.fleet.shared {
			m.fleet.out.Out += bytes
		}
		then()
	}))
}

// put brings bytes to the store beside what the machine does.
func (m *machine) put(image int) {
	f := m.fleet
	m.transfers = append(m.transfers, f.link.add(f.costs.Image, func() {
		f.out.In += f.costs.Image
		f.there[image] = true
	}))
}

// works lets the machine be busy.
func (m *machine) works(d time.Duration, then func()) {
	m.timers = append(m.timers, m.fleet.after(d.Seconds(), then))
}

// image makes or fetches the next image, and boots when all are there.
func (m *machine) image() {
	f := m.fleet
	part := &f.shards.parts[m.shard]
	if m.next == len(part.images) {
		m.works(part.boots, m.end)
		return
	}
	image := part.images[m.next]
	m.next++
	if f.shared && f.there[image] {
		m.fetch(f.costs.Image, m.image)
		return
	}
	m.works(f.shards.makes[image], func() {
		f.out.Builds++
		if f.shared {
			m.put(image)
		}
		m.image()
	})
}

// leave ends a machine's work. What it puts goes on, unless it is dead.
func (m *machine) leave() {
	for _, e := range m.timers {
		e.gone = true
	}
	m.fleet.out.Work += duration(m.fleet.now - m.began)
}

func (m *machine) end() {
	m.leave()
	m.fleet.out.Takes = max(m.fleet.out.Takes, duration(m.fleet.now))
}

// die has another machine begin the shard again.
func (m *machine) die() {
	m.leave()
	f := m.fleet
	for _, t := range m.transfers {
		f.link.drop(t)
	}
	f.out.Deaths++
	f.after(f.costs.Delay.Seconds(), func() { f.begin(m.shard) })
}

// events are a heap by time.
type events []*event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, k int) bool { return e[i].at < e[k].at }
func (e events) Swap(i, k int)      { e[i], e[k] = e[k], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(*event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
