package hvtest

import (
	"context"
	"fmt"

	"xsmbench/bench"
	"xsmbench/hv"
)

// Counting is a Target that counts instructions under its first accelerator
// and times under the other. It has everything that package hv leaves optional.
type Counting struct{ Target }

var (
	_ hv.DomUs    = (*Counting)(nil)
	_ hv.Defaults = (*Counting)(nil)
	_ hv.Layouts  = (*Counting)(nil)
	_ hv.Counter  = (*Counting)(nil)
)

// Name is "counting".
func (*Counting) Name() string { return "counting" }

// Doc describes the target.
func (*Counting) Doc() string { return "counts by arithmetic, for tests" }

// Kinds are the fake target's, with Kconfig.
func (c *Counting) Kinds() []hv.Kind {
	list := c.Target.Kinds()
	for i := range list {
		list[i].Kconfig = true
	}
	return list
}

// Accels are tcg, which counts, and kvm.
func (*Counting) Accels() []string { return []string{"tcg", "kvm"} }

// Units are those of windows, then those of times.
func (c *Counting) Units() []string {
	return append([]string{"xen-instr/op", "xsm-instr/op", "hooks/op", "guest-instr/op"}, c.Target.Units()...)
}

// DomUKinds are PV and PVH.
func (*Counting) DomUKinds() []string { return []string{"pv", "pvh"} }

// MostIdle is 3.
func (*Counting) MostIdle() int { return 3 }

// MostCPUs is 2, and 1 with a PVH domU.
func (*Counting) MostCPUs(domU string) int {
	if domU == "pvh" {
		return 1
	}
	return 2
}

// Rounds is 2.
func (*Counting) Rounds() int { return 2 }

// MostLayouts is 0.
func (*Counting) MostLayouts() int { return 0 }

// Windows is 20 under tcg.
func (*Counting) Windows(accel string) int {
	if accel == "tcg" {
		return 20
	}
	return 0
}

// Counted is the first of its units.
func (*Counting) Counted() string { return "xen-instr/op" }

// Boot starts a machine that counts if windows are asked for, and says on its
// console which domUs it has.
func (c *Counting) Boot(ctx context.Context, img *hv.Image, spec hv.BootSpec) (hv.Machine, error) {
	if err := unbootable(img); err != nil {
		return nil, err
	}
	started, err := c.Target.Boot(ctx, img, spec)
	if err != nil {
		return nil, err
	}
	m := started.(*machine)
	fmt.Fprintf(m.console(), "domU of kind %s, %d idle\n", spec.DomU, spec.Idle)
	if spec.CPUs > 0 {
		fmt.Fprintf(m.console(), "%d processors\n", spec.CPUs)
	}
	if spec.Plan.Options.Windows > 0 {
		m.figures = (*machine).counted
	}
	return m, nil
}

// counted is what windows give: the same in every boot.
func (m *machine) counted(domain string, b bench.Benchmark) bench.Measurement {
	xen := 300 + float64(int(3000*fraction(b.FullName(), domain))) + more(m.img, b)
	hooks := float64(len(b.Hooks))
	xsm := map[string]float64{"native": 2, "dummy": 22, "flask": 190}[m.img.Build.KindOf()] * hooks
	n := m.spec.Plan.Options.Windows
	all := bench.Measurement{
		Domain: domain, Benchmark: b.FullName(), Iterations: int64(n),
		Values: []bench.Value{
			{Value: xen + xsm, Unit: "xen-instr/op"}, {Value: xsm, Unit: "xsm-instr/op"},
			{Value: hooks, Unit: "hooks/op"}, {Value: 301, Unit: "guest-instr/op"},
		},
	}
	if m.img.Build.Rev != "" {
		all.Profile = profile(xen, xsm)
	}
	return all
}
