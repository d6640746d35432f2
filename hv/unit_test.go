package hv

import "testing"

// times is a target that times, counts one that does so under one accelerator.
type (
	times  struct{ Target }
	counts struct{ times }
)

func (times) Units() []string  { return []string{"MB/s", "ns/op"} }
func (times) Accels() []string { return []string{""} }

func (counts) Accels() []string { return []string{"icount", "kvm"} }
func (counts) Counted() string  { return "xen-instr/op" }
func (counts) Windows(accel string) int {
	if accel == "icount" {
		return 21
	}
	return 0
}

func TestUnitUnder(t *testing.T) {
	for _, c := range []struct {
		target      Target
		accel, want string
	}{
		{times{}, "", "MB/s"},
		{counts{}, "", "xen-instr/op"},
		{counts{}, "icount", "xen-instr/op"},
		{counts{}, "kvm", "ns/op"},
	} {
		if have := UnitUnder(c.target, c.accel); have != c.want {
			t.Errorf("%T under %q: %s, want %s", c.target, c.accel, have, c.want)
		}
	}
}
