package model

import (
	"testing"

	"xsmbench/abi"
)

// simulation runs the scheduler in virtual time: no vCPU's code runs, ticks
// are counted.
type simulation struct {
	m    *Machine
	ran  map[*VCPU]int // ticks
	tick int
}

func newSimulation(t *testing.T, cpus int) *simulation {
	m, _ := quiet(t, func(c *Config) { c.CPUs = cpus })
	return &simulation{m: m, ran: map[*VCPU]int{}}
}

// domain adds a domain of runnable vCPUs.
func (s *simulation) domain(t *testing.T, id abi.DomID, vcpus, weight, limit int) []*VCPU {
	t.Helper()
	d := s.m.createDomain(s.m.hookCPU(), id, 0, 0)
	p := abi.DomctlScheduler{SchedID: schedulerCredit, Put: true, Weight: uint16(weight), Cap: uint16(limit)}
	if rc := s.m.sched.adjust(d, &p); rc != 0 {
		t.Fatalf("adjust: %v", rc)
	}
	d.pauseCount.Store(0)
	var list []*VCPU
	for i := range vcpus {
		v := s.m.newVCPU(d, i, i%len(s.m.cpus))
		v.started = true // nothing to start
		v.pauseFlags.Store(0)
		list = append(list, v)
	}
	return list
}

func (s *simulation) wake(vcpus ...*VCPU) {
	for _, v := range vcpus {
		s.m.wake(v)
	}
	s.settle()
}

// settle makes the scheduling decisions that are due.
func (s *simulation) settle() {
	for _, c := range s.m.cpus {
		if c.softirq.Swap(0) != 0 {
			c.lock.Lock()
			s.m.choose(c)
			c.lock.Unlock()
		}
	}
}

// run lets n ticks pass. A time slice ends every third one.
func (s *simulation) run(n int) {
	for range n {
		s.tick++
		for _, c := range s.m.cpus {
			s.ran[c.curr]++
			c.lock.Lock()
			c.sliceEnd = 0
			if s.tick%ticksPerSlice == 0 {
				c.sliceEnd = 1 // long past
			}
			c.lock.Unlock()
		}
		s.m.tickAll()
		s.settle()
	}
}

func (s *simulation) total(vcpus []*VCPU) (ticks int) {
	for _, v := range vcpus {
		ticks += s.ran[v]
	}
	return ticks
}

// near reports whether two shares differ by less than a few per cent.
func near(got, want, slack float64) bool { return got > want*(1-slack) && got < want*(1+slack) }

func TestCreditWeights(t *testing.T) {
	for _, c := range []struct {
		cpus    int
		vcpus   [2]int
		weights [2]int
		want    float64 // ticks of the second for one of the first
	}{
		{1, [2]int{1, 1}, [2]int{256, 256}, 1},
		{1, [2]int{1, 1}, [2]int{256, 512}, 2},
		{1, [2]int{1, 1}, [2]int{256, 1024}, 4},
		{2, [2]int{2, 2}, [2]int{256, 768}, 3},
		{2, [2]int{4, 2}, [2]int{256, 256}, 1},  // weight is the domain's, not the vCPU's
		{2, [2]int{1, 1}, [2]int{256, 1024}, 1}, // nobody can use more than a processor
	} {
		s := newSimulation(t, c.cpus)
		a := s.domain(t, 11, c.vcpus[0], c.weights[0], 0)
		b := s.domain(t, 12, c.vcpus[1], c.weights[1], 0)
		s.wake(append(a, b...)...)
		s.run(30) // until everybody earns
		clear(s.ran)
		const ticks = 3000
		s.run(ticks)
		got := float64(s.total(b)) / float64(s.total(a))
		if !near(got, c.want, 0.08) {
			t.Errorf("%d CPUs, %v vCPUs of weights %v: shares as 1:%.2f, want 1:%.0f", c.cpus, c.vcpus, c.weights, got, c.want)
		}
		if used := s.total(a) + s.total(b); used != ticks*c.cpus {
			t.Errorf("%d CPUs: %d ticks used of %d", c.cpus, used, ticks*c.cpus)
		}
	}
}

func TestCreditCap(t *testing.T) {
	s := newSimulation(t, 1)
	a := s.domain(t, 11, 1, 256, 40)
	s.wake(a...)
	s.run(30)
	clear(s.ran)
	s.run(3000)
	if got := float64(s.total(a)) / 3000; !near(got, 0.40, 0.1) {
		t.Errorf("a domain capped at 40 %% of a processor that is otherwise idle has %.0f %%", 100*got)
	}
}

// TestCreditBoost wakes a vCPU that has credits while another runs: it comes
// first, but for one tick only.
func TestCreditBoost(t *testing.T) {
	s := newSimulation(t, 1)
	busy := s.domain(t, 11, 1, 256, 0)[0]
	sleeper := s.domain(t, 12, 1, 256, 0)[0]
	s.wake(busy)
	s.run(4)
	if s.m.cpus[0].curr != busy {
		t.Fatal("the busy vCPU does not run")
	}
	s.wake(sleeper)
	if s.m.cpus[0].curr != sleeper {
		t.Error("a vCPU that wakes with credits does not run at once")
	}
	if p := sleeper.sched.prio.Load(); p != prioBoost {
		t.Errorf("its priority is %d, want %d", p, prioBoost)
	}
	s.run(1)
	if p := sleeper.sched.prio.Load(); p == prioBoost {
		t.Error("it is still boosted after a tick")
	}
}

// TestCreditStealing puts all work on one processor's queue.
func TestCreditStealing(t *testing.T) {
	s := newSimulation(t, 2)
	v := s.domain(t, 11, 3, 256, 0)
	for _, x := range v {
		x.processor.Store(0)
	}
	s.wake(v...)
	s.run(300)
	if got := s.total(v); got < 598 {
		t.Errorf("%d ticks of 600 used: the other processor does not steal", got)
	}
	pinned := newSimulation(t, 2)
	v = pinned.domain(t, 11, 3, 256, 0)
	for _, x := range v {
		x.processor.Store(0)
		x.affinity.Store(1)
	}
	pinned.wake(v...)
	pinned.run(300)
	if got := pinned.total(v); got != 300 {
		t.Errorf("%d ticks used by vCPUs that may run on one of two processors, want 300", got)
	}
}

// TestCreditAffinity moves a vCPU that is on a processor it may not use.
func TestCreditAffinity(t *testing.T) {
	s := newSimulation(t, 2)
	v := s.domain(t, 11, 1, 256, 0)[0]
	v.processor.Store(0)
	s.wake(v)
	if rc := v.setAffinity(1 << 1); rc != 0 {
		t.Fatal(rc)
	}
	// It runs on until its processor notices; then it is moved.
	c := s.m.cpus[0]
	if c.curr == v && c.softirq.Load() == 0 {
		t.Error("its processor was not told")
	}
	s.settle()
	s.m.migrate(v)
	s.settle()
	if s.m.cpus[1].curr != v {
		t.Error("it does not run where it may")
	}
	if rc := v.setAffinity(1 << 7); rc != -abi.EINVAL {
		t.Errorf("affinity to a processor that does not exist: %v", rc)
	}
}

// TestCreditBalance checks that credits are neither lost nor made over many
// periods: what active vCPUs hold stays bounded.
func TestCreditBalance(t *testing.T) {
	s := newSimulation(t, 2)
	var all []*VCPU
	for id := range abi.DomID(5) {
		all = append(all, s.domain(t, 11+id, 1+int(id)%3, 64<<id, 0)...)
	}
	s.wake(all...)
	for range 100 {
		s.run(ticksPerAccounting)
		for _, v := range all {
			if c := v.sched.credit.Load(); c > creditsPerSlice+creditsPerPeriod || c < -creditsPerSlice-creditsPerPeriod {
				t.Fatalf("a vCPU of domain %d has %d credits", v.dom.ID, c)
			}
		}
	}
}

func TestRunQueueOrder(t *testing.T) {
	var q runQueue
	list := make([]*VCPU, 5)
	for i, p := range []int32{prioOver, prioUnder, prioBoost, prioUnder, prioOver} {
		list[i] = &VCPU{ID: i}
		list[i].sched.prio.Store(p)
		q.insert(list[i])
	}
	order := func() (ids []int) {
		for v := q.head; v != nil; v = v.sched.next {
			ids = append(ids, v.ID)
		}
		return ids
	}
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, "[2 1 3 0 4]"},
		{func() { list[0].sched.prio.Store(prioUnder); q.sort() }, "[2 1 3 0 4]"},
		{func() { list[2].sched.prio.Store(prioOver); q.sort() }, "[1 3 0 2 4]"},
		{func() { q.remove(list[3]) }, "[1 0 2 4]"},
		{func() { q.insert(list[3]) }, "[1 0 3 2 4]"},
	} {
		step.do()
		if got := sprint(order()); got != step.want {
			t.Errorf("queue is %s, want %s", got, step.want)
		}
	}
}
