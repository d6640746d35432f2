//go:build realxen

package realtest

import (
	"strings"
	"testing"
)

// TestMachines boots one machine with two processors. What Xen executes for
// a page fault of dom0's is what it is with one processor, since the other one's
// instructions are not in its windows; for a fork it looks through the processors, 66
// instructions each time that the type of a page changes.
func TestMachines(t *testing.T) {
	t.Parallel()
	const fault, fork, event = "Kbench/vm/op=anon_touch", "Lmbench/lat_proc/op=fork", "Kbench/hypercall/op=evtchn_send_peer"
	dir := measure(t, "--aa=false", "--rounds", "1", "--builds", "native", "--cpus", "2", "--bench", fault+"$|"+fork+"$|"+event+"$")
	c := compareRun(t, dir)
	of := func(domain, benchmark string) float64 {
		return c.figures[key("native", domain, benchmark, "xen-instr/op")]
	}
	known := knownSource(images(t, dir)["native"].Config)
	if got := of("dom0", fault); got == 0 || known && got != 1782 {
		t.Errorf("a page fault in dom0 takes %v of Xen's instructions, and 1782 with one processor", got)
	}
	if got := of("dom0", fork); got == 0 || known && got != 300526+8*66 {
		t.Errorf("a fork in dom0 takes %v of Xen's instructions, and 300526 with one processor", got)
	}
	if got := of("domU", event); got == 0 {
		t.Error("the domU measured nothing")
	}
	if text := consoles(t, dir)["native"]; !strings.Contains(text, "dom0_vcpus_pin") {
		t.Errorf("dom0 is pinned to no processor:\n%s", text)
	}
}
