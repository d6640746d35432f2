package guest

import (
	"context"
	"testing"
	"time"

	"xsmbench/abi"
	"xsmbench/hv/model"
	"xsmbench/xsm"
)

// TestIdleMissesNothing idles with an event on its way that the kernel has not
// taken yet: it must not block once it has taken it.
func TestIdleMissesNothing(t *testing.T) {
	ticks := 0
	idle := func(c *Control) int {
		k := c.k
		deadline := abi.Args{R: [4]uint64{k.cpu.SystemTime() + 1e6}}
		k.must("set_timer_op", k.cpu.Hypercall(abi.SetTimerOp, &deadline))
		for k.shared.VCPU[0].UpcallPending.Load() == 0 {
			time.Sleep(time.Millisecond) // away from the hypervisor, which would deliver it
		}
		handler := k.events.handlers
		for port, h := range handler {
			if h != nil {
				k.events.handlers[port] = func() { ticks++; h() }
			}
		}
		k.idle()
		k.events.handlers = handler
		return 0
	}
	model.RegisterKernel(t.Name(), Entry(Config{Init: idle}))
	m, err := model.New(model.Config{
		Frames: 16384, CPUs: 2, Dom0Frames: 4096, Dom0VCPUs: 1,
		Modules: []xsm.BootModule{{Name: "kernel", Data: model.KernelImage(t.Name(), 1<<20)}},
		Console: func([]byte) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := m.Wait(ctx); err != nil {
		t.Fatalf("dom0 does not wake up: %v", err)
	}
	if ticks == 0 {
		t.Error("no event was delivered")
	}
}
