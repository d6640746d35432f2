package model

import (
	"sync"
	"sync/atomic"

	"xsmbench/abi"
)

// The credit scheduler of Xen 3.2 (common/sched_credit.c). A running vCPU
// pays credits at every tick; every third tick the credits of one accounting
// period are shared out among active domains by weight. Who has credits left
// (UNDER) runs before who has not (OVER); a vCPU with credits that wakes up
// runs before both (BOOST) until its next tick. Processors without work of
// the best class steal from others.

// Parameters of the scheduler.
const (
	creditTick         = 10 * 1000 * 1000 // ns
	ticksPerSlice      = 3
	ticksPerAccounting = 3
	creditSlice        = ticksPerSlice * creditTick
	creditsPerTick     = 100
	creditsPerSlice    = creditsPerTick * ticksPerSlice
	creditsPerPeriod   = creditsPerTick * ticksPerAccounting
	defaultWeight      = 256

	// schedulerCredit is XEN_SCHEDULER_CREDIT, sysctl sched_id's answer.
	schedulerCredit = 5
)

// Priorities, higher first.
const (
	prioBoost int32 = 0
	prioUnder int32 = -1
	prioOver  int32 = -2
	prioIdle  int32 = -64
)

// vcpuSched is a vCPU's account (struct csched_vcpu).
type vcpuSched struct {
	prio   atomic.Int32
	credit atomic.Int32
	queued bool  // on a run queue; under its processor's lock
	next   *VCPU // in the run queue
	// parked and active are under scheduler.lock: paused because its domain
	// is over its cap; on its domain's list of active vCPUs.
	parked bool
	active atomic.Bool
}

// domainSched is a domain's share (struct csched_dom), under scheduler.lock.
type domainSched struct {
	weight, cap int
	active      []*VCPU // vCPUs that earn credits
}

// scheduler is the state common to all processors (struct csched_private).
type scheduler struct {
	machine *Machine
	idlers  atomic.Uint64 // cpuMask of idle processors

	lock    sync.Mutex
	active  []*Domain // domains with active vCPUs
	weight  int       // sum of their weights
	credit  int       // credits of one period: all processors together
	balance int       // credits held by active vCPUs after the last period
	ticks   uint32

	sortWanted atomic.Uint32 // grows when priorities have changed
}

func newScheduler(m *Machine) *scheduler {
	s := &scheduler{machine: m, credit: creditsPerPeriod * len(m.cpus)}
	s.idlers.Store(uint64(maskBelow(len(m.cpus))))
	return s
}

// runQueue is a processor's runnable vCPUs that do not run, by priority and,
// within one, in order of arrival.
type runQueue struct{ head *VCPU }

func (q *runQueue) insert(v *VCPU) {
	at := &q.head
	prio := v.sched.prio.Load()
	for *at != nil && (*at).sched.prio.Load() >= prio {
		at = &(*at).sched.next
	}
	v.sched.next = *at
	v.sched.queued = true
	*at = v
}

func (q *runQueue) remove(v *VCPU) {
	for at := &q.head; *at != nil; at = &(*at).sched.next {
		if *at == v {
			*at = v.sched.next
			break
		}
	}
	v.sched.next = nil
	v.sched.queued = false
}

// sort restores the order after an accounting period has changed priorities;
// vCPUs of one priority keep theirs.
func (q *runQueue) sort() {
	old := q.head
	q.head = nil
	for old != nil {
		v := old
		old = v.sched.next
		q.insert(v)
	}
}

func (s *scheduler) initDomain(d *Domain) { d.sched.weight = defaultWeight }

// initVCPU opens a vCPU's account; idle vCPUs have the lowest priority of all
// and are never queued.
func (s *scheduler) initVCPU(v *VCPU) {
	v.sched.prio.Store(prioUnder)
	if v.dom == s.machine.idle {
		v.sched.prio.Store(prioIdle)
	}
}

// destroyVCPU closes the account of a vCPU that is off its queue.
func (s *scheduler) destroyVCPU(v *VCPU) {
	s.lock.Lock()
	s.stopEarning(v)
	s.lock.Unlock()
}

// sleep takes v off the queue of c, whose lock is held.
func (s *scheduler) sleep(c *pcpu, v *VCPU) {
	switch {
	case c.curr == v:
		c.raise()
	case v.sched.queued:
		c.runq.remove(v)
	}
}

// wake queues v on c, whose lock is held, and returns the processors that
// should reconsider what they run (csched_vcpu_wake).
func (s *scheduler) wake(c *pcpu, v *VCPU) cpuMask {
	if c.curr == v || v.sched.queued {
		return 0
	}
	if v.sched.prio.Load() == prioUnder {
		v.sched.prio.Store(prioBoost)
	}
	c.runq.insert(v)
	return s.tickle(c, v)
}

// tickle chooses the processors that may run v: c itself if v comes before
// what runs there, and the idle ones if c has something to do anyway.
func (s *scheduler) tickle(c *pcpu, v *VCPU) cpuMask {
	var set cpuMask
	running := c.curr.sched.prio.Load()
	if v.sched.prio.Load() > running {
		set |= maskOf(c.id)
	}
	if running > prioIdle {
		set |= cpuMask(s.idlers.Load())
		set &= cpuMask(v.affinity.Load())
	}
	return set
}

// pick is the scheduling decision for c, whose lock is held: the vCPU to run
// and for how long, 0 for ever (csched_schedule).
func (s *scheduler) pick(c *pcpu) (next *VCPU, slice uint64) {
	s.sortQueue(c)
	curr := c.curr
	if curr != c.idle && curr.runnable() {
		c.runq.insert(curr)
	}
	next = c.runq.head
	if next == nil {
		next = c.idle
	}
	if next.sched.prio.Load() > prioOver {
		c.runq.remove(next)
	} else if stolen := s.steal(c, next.sched.prio.Load()); stolen != nil {
		next = stolen
	} else if next != c.idle {
		c.runq.remove(next)
	}
	if next == c.idle {
		s.idlers.Or(uint64(maskOf(c.id)))
		return next, 0
	}
	if cpuMask(s.idlers.Load()).has(c.id) {
		s.idlers.And(^uint64(maskOf(c.id)))
	}
	return next, creditSlice
}

// sortQueue sorts c's queue once after each accounting period.
func (s *scheduler) sortQueue(c *pcpu) {
	if want := s.sortWanted.Load(); c.sortSeen != want {
		c.sortSeen = want
		c.runq.sort()
	}
}

// steal takes a vCPU of a better priority than prio from another processor's
// queue. A processor that is being looked at itself is passed over: two that
// steal from each other must not wait for each other (csched_load_balance).
func (s *scheduler) steal(c *pcpu, prio int32) *VCPU {
	cpus := s.machine.cpus
	for i := 1; i < len(cpus); i++ {
		peer := cpus[(c.id+i)%len(cpus)]
		if cpuMask(s.idlers.Load()).has(peer.id) {
			continue
		}
		if !peer.lock.TryLock() {
			continue
		}
		v := peer.runq.firstFor(c.id, prio)
		if v != nil {
			peer.runq.remove(v)
			v.processor.Store(int32(c.id))
		}
		peer.lock.Unlock()
		if v != nil {
			return v
		}
	}
	return nil
}

// firstFor finds the first queued vCPU that comes before prio and may run on
// the processor.
func (q *runQueue) firstFor(cpu int, prio int32) *VCPU {
	for v := q.head; v != nil && v.sched.prio.Load() > prio; v = v.sched.next {
		if cpuMask(v.affinity.Load()).has(cpu) {
			return v
		}
	}
	return nil
}

// cpuPick chooses the processor that v should belong to: the one it is on, if
// its affinity allows it, else an idle one, else the next (csched_cpu_pick on
// processors that share nothing).
func (s *scheduler) cpuPick(v *VCPU) int {
	here, n := int(v.processor.Load()), len(s.machine.cpus)
	allowed := cpuMask(v.affinity.Load()) & maskBelow(n)
	if allowed.has(here) || allowed == 0 {
		return here
	}
	if idle := allowed & cpuMask(s.idlers.Load()); idle != 0 {
		allowed = idle
	}
	for i := 1; ; i++ {
		if cpu := (here + i) % n; allowed.has(cpu) {
			return cpu
		}
	}
}

// tick charges what runs on c, whose lock is held (csched_vcpu_acct).
func (s *scheduler) tick(c *pcpu) {
	v := c.curr
	if v == c.idle {
		return
	}
	if v.sched.prio.Load() == prioBoost {
		v.sched.prio.Store(prioUnder)
	}
	v.sched.credit.Add(-creditsPerTick)
	if !v.sched.active.Load() {
		s.lock.Lock()
		s.startEarning(v)
		s.lock.Unlock()
	}
}

// startEarning makes v an active vCPU of its domain; the lock is held.
func (s *scheduler) startEarning(v *VCPU) {
	d := v.dom
	if v.sched.active.Load() {
		return
	}
	v.sched.active.Store(true)
	d.sched.active = append(d.sched.active, v)
	if len(d.sched.active) == 1 {
		s.active = append(s.active, d)
		s.weight += d.sched.weight
	}
}

// stopEarning takes v off its domain's active vCPUs; the lock is held.
func (s *scheduler) stopEarning(v *VCPU) {
	d := v.dom
	if !v.sched.active.Load() {
		return
	}
	v.sched.active.Store(false)
	d.sched.active = without(d.sched.active, v)
	if len(d.sched.active) == 0 {
		s.active = without(s.active, d)
		s.weight -= d.sched.weight
	}
}

// without returns the list without one of its elements, in order.
func without[T comparable](list []T, drop T) []T {
	kept := make([]T, 0, len(list))
	for _, e := range list {
		if e != drop {
			kept = append(kept, e)
		}
	}
	return kept
}

// ceilDiv divides rounding up, as every share is: credits are never lost.
func ceilDiv(a, b int) int { return (a + b - 1) / b }

// account ends an accounting period (csched_acct): it shares out the period's
// credits, sets priorities, parks vCPUs of domains beyond their cap and takes
// vCPUs that do not spend their credits off the active lists. park and unpark
// are called for vCPUs after the lock is released.
func (s *scheduler) account() (park, unpark []*VCPU) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.weight == 0 {
		s.balance = 0
		return nil, nil
	}
	total, left, balance := s.credit, s.weight, 0
	if s.balance < 0 {
		total -= s.balance
	}
	weight, debt := s.weight, max(-s.balance, 0)
	short := false // some domain got less than it could use
	for _, d := range append([]*Domain(nil), s.active...) {
		share := &d.sched
		n := len(share.active)
		left -= share.weight
		peak, capPerVCPU := share.peak(debt, weight)
		fair := ceilDiv(total*share.weight, weight)
		if fair < peak {
			short = true
		} else {
			if left != 0 {
				total += ceilDiv((fair-peak)*weight, left)
			}
			if short {
				// A domain with credits to spare goes to the front:
				// those behind it get at them in later periods.
				s.active = append([]*Domain{d}, without(s.active, d)...)
			}
			fair = peak
		}
		for _, v := range append([]*VCPU(nil), share.active...) {
			credit, p := s.earn(v, ceilDiv(fair, n), capPerVCPU)
			balance += credit
			switch p {
			case parkVCPU:
				park = append(park, v)
			case unparkVCPU:
				unpark = append(unpark, v)
			}
		}
	}
	s.balance = balance
	s.sortWanted.Add(1)
	return park, unpark
}

// peak is the most that a domain can use in one period, and the share of its
// cap that falls to each vCPU (0 without cap). A debt of all domains together
// lets each earn its part of it besides.
func (share *domainSched) peak(debt, weight int) (peak, capPerVCPU int) {
	n := len(share.active)
	peak = n * creditsPerPeriod
	if debt > 0 {
		peak += ceilDiv(debt*share.weight, weight)
	}
	if share.cap != 0 {
		limit := ceilDiv(share.cap*creditsPerPeriod, 100)
		peak = min(peak, limit)
		capPerVCPU = ceilDiv(limit, n)
	}
	return peak, capPerVCPU
}

type parking int

const (
	stay parking = iota
	parkVCPU
	unparkVCPU
)

// earn pays a vCPU its credits of a period and returns what it then has, and
// whether it has to be parked or unparked.
func (s *scheduler) earn(v *VCPU, pay, capPerVCPU int) (credit int, p parking) {
	a := &v.sched
	credit = int(a.credit.Add(int32(pay)))
	if credit < 0 {
		a.prio.Store(prioOver)
		if capPerVCPU != 0 && credit < -capPerVCPU && !a.parked {
			a.parked = true
			p = parkVCPU
		}
		if credit < -creditsPerSlice {
			credit = -creditsPerSlice
			a.credit.Store(int32(credit))
		}
		return credit, p
	}
	a.prio.Store(prioUnder)
	if a.parked {
		a.parked = false
		p = unparkVCPU
	}
	if credit > creditsPerSlice {
		s.stopEarning(v)
		credit = 0
		a.credit.Store(0)
	}
	return credit, p
}

// adjust sets or gets a domain's parameters (csched_dom_cntl).
func (s *scheduler) adjust(d *Domain, p *abi.DomctlScheduler) abi.Errno {
	s.lock.Lock()
	defer s.lock.Unlock()
	if !p.Put {
		p.Weight, p.Cap = uint16(d.sched.weight), uint16(d.sched.cap)
		return 0
	}
	if p.Weight != 0 {
		if len(d.sched.active) != 0 {
			s.weight += int(p.Weight) - d.sched.weight
		}
		d.sched.weight = int(p.Weight)
	}
	if p.Cap != ^uint16(0) {
		d.sched.cap = int(p.Cap)
	}
	return 0
}

// tickAll is the machine's tick: every processor charges what it runs, slices
// end, and idle processors look for work that was queued while they could not
// be reached. Every third tick is an accounting period's end.
func (m *Machine) tickAll() {
	now := m.SystemTime()
	waiting := false
	for _, c := range m.cpus {
		c.lock.Lock()
		m.sched.tick(c)
		m.sched.sortQueue(c)
		if c.sliceEnd != 0 && now >= c.sliceEnd && c.curr != c.idle {
			c.raise()
		}
		waiting = waiting || c.runq.head != nil
		c.lock.Unlock()
	}
	m.sched.ticks++
	if m.sched.ticks%ticksPerAccounting == 0 {
		park, unpark := m.sched.account()
		for _, v := range park {
			v.pauseNosync()
		}
		for _, v := range unpark {
			v.unpause()
		}
	}
	if waiting {
		m.kickAll(cpuMask(m.sched.idlers.Load()))
	}
}
