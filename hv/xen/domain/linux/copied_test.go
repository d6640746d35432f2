//go:build linux && (amd64 || 386)

package linux

import (
	"testing"

	"xsmbench/bench"
)

// TestWindowsOfAChild: a window that is begun at the domain is known to the
// native loops of a child.
func TestWindowsOfAChild(t *testing.T) {
	o := New(Config{})
	if err := o.SetSlot(6); err != nil {
		t.Fatal(err)
	}
	c := o.copied()
	c.windows.served++
	o.Begin(bench.PhaseOperation)
	if w := c.windows; !w.open || w.slot != 6+int(bench.PhaseOperation) {
		t.Errorf("the child's window: %+v", *w)
	}
	o.End()
	if c.windows.open {
		t.Error("the child's window is open after its end")
	}
}
