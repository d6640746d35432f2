package workloads

import (
	"fmt"

	"xsmbench/bench"
)

// same is the operation that is measured, in the other domain: what the two do meets in
// the hypervisor only where both execute at once, each on a processor of its own.
var same = Workload{
	Name: neighbourly + "same", Doc: "a process in the other domain does the operation that is measured, without a pause",
	Neighbour: true, Same: true, CPUs: 2,
}

// often is how many operations a task is, unless a benchmark bounds them.
const often = 20

// Same starts a process that does a benchmark's operation over and over. The error is a
// *bench.LackError if it cannot be done so here.
func Same(d bench.Domain, b bench.Benchmark) (bench.Load, error) {
	in, err := repeatable(d, b)
	if err != nil {
		return nil, err
	}
	n := int64(often)
	if in.Most > 0 {
		n = min(n, in.Most)
	}
	return startProcess(d.OS(), func(bench.OS) (int64, error) { return 0, once(in, n) }, in.Cleanup)
}

// repeatable readies a benchmark's operation.
func repeatable(d bench.Domain, b bench.Benchmark) (in bench.Interval, err error) {
	switch {
	case b.Run != nil || b.Job != nil:
		return in, bench.Lack("%s is a whole job, not one operation", b.FullName())
	case b.NeedsEcho:
		return in, bench.Lack("%s has a part in the other domain already", b.FullName())
	case !b.RunsIn(role(d)):
		return in, bench.Lack("%s may not do %s", role(d), b.FullName())
	case b.Intervals != nil:
		in, err = b.Intervals(d)
	default:
		in.Loop, in.Cleanup, err = b.Setup(d)
	}
	if err != nil {
		return in, bench.Lack("set up %s: %v", b.FullName(), err)
	}
	return in, nil
}

func role(d bench.Domain) string {
	if d.Hypercalls().Privileged() {
		return "dom0"
	}
	return "domU"
}

// once does an interval's operations with what belongs to them.
func once(in bench.Interval, n int64) error {
	if in.Before != nil {
		if err := in.Before(n); err != nil {
			return fmt.Errorf("ready: %w", err)
		}
	}
	if err := in.Loop(n); err != nil {
		return err
	}
	if in.After != nil {
		return in.After(n)
	}
	return nil
}
