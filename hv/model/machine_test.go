package model

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// boot starts a machine whose dom0 runs the given code on its vCPU 0.
func boot(t *testing.T, code func(*VCPU), with ...func(*Config)) *Machine {
	t.Helper()
	RegisterKernel(t.Name(), func(cpu any, _ *abi.StartInfo) { code(cpu.(*VCPU)) })
	cfg := Config{
		Frames: testFrames, Dom0Frames: testDom0Frames, CPUs: 2,
		Modules: []xsm.BootModule{{Name: "kernel", Data: KernelImage(t.Name(), 4096)}},
	}
	for _, w := range with {
		w(&cfg)
	}
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	return m
}

const (
	testFrames     = 4096
	testDom0Frames = 1024
)

// wait waits for dom0's end.
func wait(t *testing.T, m *Machine) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := m.Wait(ctx)
	if ctx.Err() != nil {
		t.Fatal("dom0 does not end")
	}
	return err
}

// run boots a machine, runs code as dom0 and powers off.
func run(t *testing.T, code func(*VCPU), with ...func(*Config)) *Machine {
	t.Helper()
	m := boot(t, func(v *VCPU) {
		code(v)
		powerOff(v)
	}, with...)
	if err := wait(t, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func powerOff(v *VCPU) {
	v.Hypercall(abi.SchedOp, &abi.Args{R: [4]uint64{uint64(abi.SCHEDOPShutdown)}, H: &abi.SchedShutdown{Reason: abi.ShutdownPoweroff}})
}

// op makes a hypercall with a command in R[0].
func op[C ~uint32 | ~uint64 | ~int](v *VCPU, nr abi.Hypercall, cmd C, h any, r ...uint64) int64 {
	a := abi.Args{H: h}
	a.R[0] = uint64(cmd)
	copy(a.R[1:], r)
	return v.Hypercall(nr, &a)
}

func TestBootAndPowerOff(t *testing.T) {
	var got abi.StartInfo
	var privileged bool
	RegisterKernel(t.Name(), func(cpu any, si *abi.StartInfo) {
		got, privileged = *si, cpu.(*VCPU).Domain.Privileged
		powerOff(cpu.(*VCPU))
	})
	m, err := New(Config{Frames: testFrames, Dom0Frames: testDom0Frames, Modules: []xsm.BootModule{
		{Name: "kernel", Data: KernelImage(t.Name(), 100)}, {Name: "initrd", Data: []byte("files")}}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, m); err != nil {
		t.Fatal(err)
	}
	if got.Flags != abi.SIFPrivileged|abi.SIFInitDomain || !privileged {
		t.Errorf("dom0 starts with flags %#x, privileged %v", got.Flags, privileged)
	}
	if string(got.Module) != "files" {
		t.Errorf("dom0's module is %q", got.Module)
	}
}

func TestUnknownKernel(t *testing.T) {
	for _, c := range []struct {
		image []byte
		want  string
	}{
		{KernelImage("no such kernel", 64), `no kernel "no such kernel" in this program`},
		{[]byte("\x7fELF"), "no kernel image"},
		{KernelImage("long name", 0)[:12], "ends within the kernel's name"},
	} {
		m, err := New(Config{Frames: testFrames, Dom0Frames: testDom0Frames, Modules: []xsm.BootModule{{Data: c.image}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Start(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Start with %q: %v, want …%s…", c.image, err, c.want)
		}
		m.Stop()
	}
}

func TestGuestPanicCrashesDom0(t *testing.T) {
	var mu sync.Mutex
	var out bytes.Buffer
	m := boot(t, func(v *VCPU) { panic("guest bug") }, func(c *Config) {
		c.Console = func(p []byte) { mu.Lock(); out.Write(p); mu.Unlock() }
	})
	err := wait(t, m)
	if err == nil || !strings.Contains(err.Error(), "domain 0 crashed") || !strings.Contains(err.Error(), "guest bug") {
		t.Errorf("Wait: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if !strings.Contains(out.String(), "Domain 0 crashed") {
		t.Errorf("console: %q", out.String())
	}
}

// TestStopUnwinds stops a machine whose vCPUs wait, spin and block in a
// coroutine: none may be left.
func TestStopUnwinds(t *testing.T) {
	before := runtime.NumGoroutine()
	var unwound sync.WaitGroup
	unwound.Add(3)
	started := make(chan int, 3)
	secondary := []func(*VCPU){
		func(v *VCPU) { // blocks for ever
			started <- 1
			op(v, abi.SchedOp, abi.SCHEDOPBlock, nil)
		},
		func(v *VCPU) { // computes
			started <- 2
			for {
				v.InterruptWindow()
			}
		},
	}
	m := boot(t, func(v *VCPU) {
		defer unwound.Done()
		for i, code := range secondary {
			ctx := abi.VCPUContext{CR3: v.ctx.CR3, Entry: func(cpu any, _ *abi.StartInfo) {
				defer unwound.Done()
				code(cpu.(*VCPU))
			}}
			if rc := op(v, abi.VCPUOp, abi.VCPUOPInitialise, &ctx, uint64(i+1)); rc != 0 {
				t.Errorf("initialise: %d", rc)
			}
			if rc := op(v, abi.VCPUOp, abi.VCPUOPUp, nil, uint64(i+1)); rc != 0 {
				t.Errorf("up: %d", rc)
			}
		}
		started <- 0
		for {
			op(v, abi.SchedOp, abi.SCHEDOPYield, nil)
		}
	}, func(c *Config) { c.Dom0VCPUs = 3 })
	for range 3 {
		<-started
	}
	m.Stop()
	unwound.Wait()
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i > 1000 {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
		time.Sleep(time.Millisecond)
	}
}

// TestEventUpcall sends an event to itself: the callback runs before the
// hypercall returns, once, with events masked.
func TestEventUpcall(t *testing.T) {
	run(t, func(v *VCPU) {
		var calls int
		cb := func() {
			calls++
			if v.info.UpcallMask.Load() != 1 {
				t.Error("callback runs with events unmasked")
			}
			v.info.UpcallPending.Store(0)
			v.info.PendingSel.Store(0)
			for i := range v.Shared().Pending {
				v.Shared().Pending[i].Store(0)
			}
			v.Hypercall(abi.Iret, &abi.Args{H: &abi.IretFrame{EventsOn: true}})
		}
		v.Hypercall(abi.SetCallbacks, &abi.Args{H: &abi.Callbacks{Event: cb}})
		v.info.UpcallMask.Store(0)
		bind := &abi.EvtchnBindIPI{}
		if rc := op(v, abi.EventChannelOp, abi.EVTCHNOPBindIPI, bind); rc != 0 {
			t.Errorf("bind: %d", rc)
		}
		for i := 1; i <= 3; i++ {
			if rc := op(v, abi.EventChannelOp, abi.EVTCHNOPSend, &abi.EvtchnSend{Port: bind.Port}); rc != 0 {
				t.Errorf("send: %d", rc)
			}
			if calls != i {
				t.Errorf("%d callbacks after %d events", calls, i)
			}
		}
		if v.info.UpcallMask.Load() != 0 {
			t.Error("events masked after the callback")
		}
	})
}
