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

// awaitOrder waits in the domU for the order to measure. Until then it may be ordered
// to be the neighbour.
func awaitOrder(store *xenstore.Client, s session) (protocol.Order, error) {
	for stop := func() {}; ; {
		text, err := store.Await(protocol.StoreOrder)
		if err != nil {
			return protocol.Order{}, err
		}
		stop()
		order, err := protocol.Decode(text)
		if err != nil || !order.Neighbour {
			return order, err
		}
		word := protocol.NeighbourRuns
		if stop, err = startNeighbour(order.Plan, s); err != nil {
			stop, word = func() {}, err.Error()
		}
		if err := errors.Join(store.Write(protocol.StoreOrder, ""), store.Write(protocol.StoreNeighbour, word)); err != nil {
			return order, err
		}
	}
}

// startNeighbour starts the workload of a plan in this domain, which is not measured.
func startNeighbour(plan bench.Plan, s session) (stop func(), err error) {
	load, err := workloads.Find(plan.Workload)
	if err != nil {
		return nil, err
	}
	return load.Start(s)
}

// isNeighbours reports whether a plan's workload is that of the domain that is not
// measured.
func isNeighbours(plan bench.Plan) bool {
	load, err := workloads.Find(plan.Workload)
	return err == nil && load.Neighbour
}

// haveNeighbour has the domU do its part while dom0 measures.
func (d *dom0) haveNeighbour(o protocol.Order) starter {
	return func(bench.Domain) (func(), error) {
		if d.domU == 0 {
			return nil, bench.Lack("there is no other domain")
		}
		text, err := protocol.Order{Plan: bench.Plan{Workload: o.Plan.Workload}, Neighbour: true}.Encode()
		if err == nil {
			err = d.store.Write(d.path(protocol.StoreOrder), text)
		}
		if err != nil {
			return nil, err
		}
		for begun := time.Now(); time.Since(begun) < patience; time.Sleep(look) {
			switch word, err := d.store.Read(d.path(protocol.StoreNeighbour)); {
			case err != nil && !xenstore.Missing(err):
				return nil, err
			case word == protocol.NeighbourRuns:
				return func() {}, nil // until its next order
			case word != "":
				return nil, bench.Lack("in domU: %s", word)
			}
		}
		return nil, fmt.Errorf("the domU does not start its workload for %v", patience)
	}
}

// beNeighbour does dom0's part while the domU measures, and tells it in its order if
// it cannot.
func (d *dom0) beNeighbour(o *protocol.Order) (stop func()) {
	if !isNeighbours(o.Plan) {
		return func() {}
	}
	stop, err := startNeighbour(o.Plan, newSession(d.calls, d.have))
	if err != nil {
		o.Lacks = "in dom0: " + err.Error()
		return func() {}
	}
	return stop
}

// neighbourOf is the neighbour of a domU: dom0 has begun before it gave the order.
func neighbourOf(o protocol.Order) starter {
	return func(bench.Domain) (func(), error) {
		if o.Lacks != "" {
			return nil, bench.Lack("%s", o.Lacks)
		}
		return func() {}, nil
	}
}
