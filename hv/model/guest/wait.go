package guest

// runQueue holds the runnable processes in the order they will run. The one
// that runs is not in it.
type runQueue struct{ first, last *Process }

func (q *runQueue) empty() bool { return q.first == nil }

func (q *runQueue) push(p *Process) {
	p.runNext = nil
	if q.last == nil {
		q.first = p
	} else {
		q.last.runNext = p
	}
	q.last = p
}

func (q *runQueue) pop() *Process {
	p := q.first
	if p == nil {
		return nil
	}
	q.first = p.runNext
	if q.first == nil {
		q.last = nil
	}
	p.runNext = nil
	return p
}

// waitQueue holds processes that wait for one thing, in the order they came.
type waitQueue struct{ first, last *Process }

// sleep blocks the process until it is woken through q or by a signal, whose
// handler has then run: callers test their condition again, so every system
// call that a handler interrupts is restarted.
func (p *Process) sleep(q *waitQueue) {
	p.state = stateBlocked
	p.waiting = q
	p.waitNext = nil
	if q.last == nil {
		q.first = p
	} else {
		q.last.waitNext = p
	}
	q.last = p
	p.usage.Voluntary++
	p.switchOut()
	if p.signals.deliverable() {
		p.deliverSignals()
	}
}

// remove takes p out of the queue.
func (q *waitQueue) remove(p *Process) {
	var before *Process
	for x := q.first; x != nil; before, x = x, x.waitNext {
		if x != p {
			continue
		}
		if before == nil {
			q.first = p.waitNext
		} else {
			before.waitNext = p.waitNext
		}
		if q.last == p {
			q.last = before
		}
		p.waitNext = nil
		return
	}
}

// wake makes a sleeping process runnable.
func (k *Kernel) wake(p *Process) {
	if p.state != stateBlocked {
		return
	}
	p.waiting.remove(p)
	p.waiting = nil
	p.state = stateRunnable
	k.runq.push(p)
}

// wakeAll makes every process of the queue runnable.
func (q *waitQueue) wakeAll(k *Kernel) {
	for q.first != nil {
		k.wake(q.first)
	}
}
