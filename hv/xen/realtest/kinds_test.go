//go:build realxen

package realtest

import (
	"strings"
	"testing"
)

// TestHVM: a domU of kind hvm knows that it is one, FLASK enforces on it, and its counts are
// exact. Its system calls do not enter Xen, its hypercalls leave the virtual machine.
func TestHVM(t *testing.T) {
	t.Parallel()
	dir := measure(t, "--domu-kind", "hvm", "--builds", "native,flask", "--aa=false", "--rounds", "1",
		"--bench", `lat_syscall/op=null$|op=(xen_version|evtchn_send_peer)$`)
	for build, text := range consoles(t, dir) {
		checkEnforcing(t, build, text)
		if !strings.Contains(text, `domU facts: {"guest":"HVM",`) {
			t.Errorf("%s: the domU does not take itself for an HVM one:\n%s", build, text)
		}
	}
	c := compareRun(t, dir)
	for name, enters := range map[string]bool{"Lmbench/lat_syscall/op=null": false, "Kbench/hypercall/op=xen_version": true, "Kbench/hypercall/op=evtchn_send_peer": true} {
		r, ok := c.rows[key("flask", "domU", name)]
		if !ok {
			t.Errorf("no row of %s", name)
			continue
		}
		if (*r.Base > 0) != enters || (*r.Value > *r.Base) != enters {
			t.Errorf("%s: native %v, flask %v", name, *r.Base, *r.Value)
		}
	}
}
