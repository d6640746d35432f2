//go:build linux && (amd64 || 386)

package main

import (
	"errors"
	"fmt"
	"time"

	"xsmbench/bench"
	"xsmbench/hv/xen/domain/xenstore"
	"xsmbench/hv/xen/protocol"
	"xsmbench/workloads"
)

// The domain that measures orders the other one, its neighbour, to work beside, to tell
// how much it did, and to stop. Orders and answers go through xenstore, below the domU's
// directory: those to the domU where it finds all its orders, those to dom0 at
// protocol.StoreAsk.

// otherDomain is the neighbour as the one that measures sees it. It is the load that
// the other domain runs.
type otherDomain struct {
	plan bench.Plan
	// order has the other domain do something and returns its answer. It is nil if
	// there is no other domain.
	order func(protocol.Order) (string, error)
}

// start has it run the plan's workload.
func (n otherDomain) start(bench.Domain) (bench.Load, error) { return n.begin(nil) }

// same has it do a benchmark's operation.
func (n otherDomain) same(b bench.Benchmark) (bench.Load, error) {
	return n.begin([]string{b.FullName()})
}

func (n otherDomain) begin(benchmarks []string) (bench.Load, error) {
	if n.order == nil {
		return nil, bench.Lack("there is no other domain")
	}
	n.plan = bench.Plan{Workload: n.plan.Workload, Benchmarks: benchmarks}
	a, err := n.answer(protocol.NeighbourStart)
	if err == nil && a.Lacks != "" {
		err = bench.Lack("in the other domain: %s", a.Lacks)
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Did asks it.
func (n otherDomain) Did() (bench.Done, error) {
	a, err := n.answer(protocol.NeighbourTell)
	return a.Done, err
}

// Stop is for the end: an error would only hide what was measured.
func (n otherDomain) Stop() { n.answer(protocol.NeighbourStop) }

func (n otherDomain) answer(task protocol.NeighbourTask) (protocol.NeighbourAnswer, error) {
	text, err := n.order(protocol.Order{Plan: n.plan, Neighbour: task})
	if err != nil {
		return protocol.NeighbourAnswer{}, fmt.Errorf("have the other domain %s its workload: %w", task, err)
	}
	a, err := protocol.DecodeAnswer(text)
	if err == nil && a.Error != "" {
		err = fmt.Errorf("in the other domain: %s", a.Error)
	}
	return a, err
}

// part is what a domain does as the neighbour.
type part struct {
	session session
	load    bench.Load // nil for nothing
}

// obey carries an order out, and gives the answer to it.
func (p *part) obey(o protocol.Order) string {
	var a protocol.NeighbourAnswer
	var err error
	switch {
	case o.Neighbour == protocol.NeighbourStart:
		p.stop()
		p.load, err = startNeighbour(o.Plan, p.session)
	case o.Neighbour == protocol.NeighbourTell && p.load != nil:
		a.Done, err = p.load.Did()
	case o.Neighbour == protocol.NeighbourTell:
		err = errors.New("no workload runs")
	default:
		p.stop()
	}
	var lack *bench.LackError
	switch {
	case errors.As(err, &lack):
		a.Lacks = lack.Reason
	case err != nil:
		a.Error = err.Error()
	}
	return a.Encode()
}

func (p *part) stop() {
	if p.load != nil {
		p.load.Stop()
	}
	p.load = nil
}

// startNeighbour starts the workload of a plan in this domain, which is not measured: of
// a benchmark, if the plan has one.
func startNeighbour(plan bench.Plan, s session) (bench.Load, error) {
	if len(plan.Benchmarks) == 0 {
		load, err := workloads.Find(plan.Workload)
		if err != nil {
			return nil, err
		}
		return load.Start(s)
	}
	b, ok := bench.Find(plan.Benchmarks[0])
	if !ok {
		return nil, fmt.Errorf("unknown benchmark %q", plan.Benchmarks[0])
	}
	return workloads.Same(s, b)
}

// isNeighbours reports whether a plan's workload is that of the domain that is not
// measured.
func isNeighbours(plan bench.Plan) bool {
	load, err := workloads.Find(plan.Workload)
	return err == nil && load.Neighbour
}

// awaitOrder waits in the domU for the order to measure. Until then it may be ordered
// to be the neighbour.
func awaitOrder(store *xenstore.Client, s session) (protocol.Order, error) {
	own := part{session: s}
	defer own.stop()
	for {
		text, err := store.Await(protocol.StoreOrder)
		if err != nil {
			return protocol.Order{}, err
		}
		order, err := protocol.Decode(text)
		if err != nil || order.Neighbour == "" {
			return order, err
		}
		answer := own.obey(order)
		if err := errors.Join(store.Write(protocol.StoreOrder, ""), store.Write(protocol.StoreNeighbour, answer)); err != nil {
			return order, err
		}
	}
}

// neighbourOfDom0 is the domU, while dom0 measures.
func (d *dom0) neighbourOfDom0(plan bench.Plan) otherDomain {
	if d.domU == 0 {
		return otherDomain{plan: plan}
	}
	return otherDomain{plan, func(o protocol.Order) (string, error) {
		text, err := o.Encode()
		if err != nil {
			return "", err
		}
		if err := errors.Join(d.store.Write(d.path(protocol.StoreNeighbour), ""), d.store.Write(d.path(protocol.StoreOrder), text)); err != nil {
			return "", err
		}
		return awaitAnswer(d.store, d.path(protocol.StoreNeighbour))
	}}
}

// awaitAnswer looks for an answer without a pause: where the two domains' turns are short,
// so is every step of the time in which none of them executes, and there are many.
func awaitAnswer(store *xenstore.Client, path string) (string, error) {
	for begun := time.Now(); time.Since(begun) < patience; {
		answer, err := store.Read(path)
		if err != nil || answer != "" {
			return answer, err
		}
	}
	return "", fmt.Errorf("it does not answer for %v", patience)
}

// glance is look where the domU may ask for something at any moment.
const glance = 2 * time.Millisecond

// neighbourOfDomU is dom0, while the domU measures.
func neighbourOfDomU(store *xenstore.Client, plan bench.Plan) otherDomain {
	return otherDomain{plan, func(o protocol.Order) (string, error) {
		text, err := o.Encode()
		if err != nil {
			return "", err
		}
		if err := errors.Join(store.Write(protocol.StoreNeighbour, ""), store.Write(protocol.StoreAsk, text)); err != nil {
			return "", err
		}
		return awaitAnswer(store, protocol.StoreNeighbour)
	}}
}

// beNeighbour does what the domU asks of dom0 while it measures, if it asks for
// something.
func (d *dom0) beNeighbour(own *part) error {
	text, err := d.store.Read(d.path(protocol.StoreAsk))
	if text == "" || xenstore.Missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	order, err := protocol.Decode(text)
	if err != nil {
		return err
	}
	answer := own.obey(order)
	return errors.Join(d.store.Write(d.path(protocol.StoreAsk), ""), d.store.Write(d.path(protocol.StoreNeighbour), answer))
}
