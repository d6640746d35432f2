package xen

import (
	"fmt"

	"xsmbench/bench"
	"xsmbench/workloads"
)

// With two physical processors dom0 has the first for itself and the domU the second.
// QEMU executes them in turns, in one thread, so that runs repeat under instruction
// counting. A processor that waits for another in a loop (PAUSE), as for a lock, gives
// its turn away at once.

// pinDom0 has Xen keep dom0's vCPU on the first processor.
const pinDom0 = "dom0_vcpus_pin"

// smpOptions are those of Xen's for several processors.
func (s shape) smpOptions() []string {
	if s.cpus < 2 {
		return nil
	}
	return []string{pinDom0}
}

// With a neighbour that works there is an idle processor between the two. QEMU 7.2 lets
// each execute until a timer is due, and the one after it then finds no time left
// (rr_cpu_thread_fn, icount_prepare_for_run): where dom0 never halts, the next processor
// never has a turn. The one behind that has. Later versions divide the time.

// processors are those that Xen sees.
func (s shape) processors() int { return s.cpus + s.gap }

// domUCPU is the domU's.
func (s shape) domUCPU() int { return s.processors() - 1 }

// hasNeighbour reports whether the other domain works while one is measured.
func hasNeighbour(plan bench.Plan) bool {
	w, err := workloads.Find(plan.Workload)
	return err == nil && w.Neighbour
}

// pinning is what the domU's description says of processors.
func (s shape) pinning() string {
	if s.cpus < 2 {
		return ""
	}
	return fmt.Sprintf("cpus=\"%d\"\n", s.domUCPU())
}

// cpusText says which vCPUs there are, and where.
func (s shape) cpusText() string {
	if s.cpus < 2 {
		return "1 in dom0 and 1 in each domU, on a machine of 1 CPU: there is nothing to pin them to; QEMU itself is pinned to no CPU of the host"
	}
	return fmt.Sprintf("1 in dom0, pinned to CPU 0, and 1 in the domU, pinned to CPU %d, on a machine of %d CPUs; QEMU itself is pinned to no CPU of the host", s.domUCPU(), s.processors())
}

// shortTurn is how long a turn is, in microseconds, while both domains do one thing at
// once: a thousand instructions, QEMU's shortest. It is less than an operation takes, so that a turn may end
// where a lock is held; with turns of some milliseconds it hardly ever would.
const shortTurn = 1

// atOnce reports whether the domains of a plan are to meet in the hypervisor.
func atOnce(plan bench.Plan) bool {
	w, err := workloads.Find(plan.Workload)
	return err == nil && w.CPUs > 1
}
