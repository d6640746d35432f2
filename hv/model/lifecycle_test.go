package model

import (
	"iter"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"xsmbench/abi"
)

// mustDomctl makes a domctl and fails the test unless it succeeds.
func mustDomctl(t *testing.T, v *VCPU, op *abi.Domctl) {
	t.Helper()
	op.Interface = abi.DomctlInterfaceVersion
	if rc := v.Hypercall(abi.DomctlOp, &abi.Args{H: op}); rc != 0 {
		t.Errorf("domctl %d: %v", op.Cmd, abi.Errno(rc))
	}
}

// build makes a domain by hypercalls: its vCPU 0 runs code when it is unpaused.
// Its page tables are empty, so it must not touch its memory.
func build(t *testing.T, v *VCPU, vcpus uint32, code func(*VCPU)) abi.DomID {
	t.Helper()
	create := abi.Domctl{Cmd: abi.DomctlCreateDomain}
	mustDomctl(t, v, &create)
	id := create.DomID
	mustDomctl(t, v, &abi.Domctl{Cmd: abi.DomctlMaxMem, DomID: id, MaxMemKB: 256})
	mustDomctl(t, v, &abi.Domctl{Cmd: abi.DomctlMaxVCPUs, DomID: id, MaxVCPUs: vcpus})
	memory := abi.MemoryReservation{DomID: id, ExtentStart: []uint64{0, 1, 2, 3}}
	if rc := op(v, abi.MemoryOp, abi.XENMEMPopulatePhysmap, &memory); rc != 4 {
		t.Errorf("populate: %d", rc)
	}
	root := abi.MFN(memory.ExtentStart[0])
	table := v.machine.frame(root)
	clear(table)
	mustDomctl(t, v, &abi.Domctl{Cmd: abi.DomctlSetVCPUContext, DomID: id, Context: &abi.VCPUContext{
		CR3: root, Entry: func(cpu any, _ *abi.StartInfo) { code(cpu.(*VCPU)) },
	}})
	return id
}

// take waits for an event on a port and acknowledges it. A poll may end without
// one, as in Xen.
func take(v *VCPU, port abi.Port) {
	bit := uint64(1) << port
	for v.Shared().Pending[0].And(^bit)&bit == 0 {
		op(v, abi.SchedOp, abi.SCHEDOPPoll, &abi.SchedPoll{Ports: []abi.Port{port}})
	}
}

// TestDomainLife has dom0 build a domain, talk to it over an event channel,
// watch it shut down and destroy it; all it had comes back.
func TestDomainLife(t *testing.T) {
	if abi.PTLevels == 3 {
		t.Skip("an empty top-level table is not valid with PAE")
	}
	free := make(chan int, 2)
	var rounds atomic.Int32
	run(t, func(v *VCPU) {
		m := v.machine
		free <- m.heap.available()
		exc := abi.EvtchnBindVIRQ{VIRQ: abi.VIRQDomExc}
		op(v, abi.EventChannelOp, abi.EVTCHNOPBindVIRQ, &exc)

		const n = 500
		id := build(t, v, 1, func(u *VCPU) {
			alloc := abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: 0}
			op(u, abi.EventChannelOp, abi.EVTCHNOPAllocUnbound, &alloc)
			for range n {
				take(u, alloc.Port)
				rounds.Add(1)
				op(u, abi.EventChannelOp, abi.EVTCHNOPSend, &abi.EvtchnSend{Port: alloc.Port})
			}
			powerOff(u)
		})
		mustDomctl(t, v, &abi.Domctl{Cmd: abi.DomctlUnpauseDomain, DomID: id})
		bind := abi.EvtchnBindInterdomain{RemoteDom: id, RemotePort: 1}
		for op(v, abi.EventChannelOp, abi.EVTCHNOPBindInterdomain, &bind) != 0 {
			op(v, abi.SchedOp, abi.SCHEDOPYield, nil)
		}
		v.Shared().Pending[0].And(^(uint64(1) << bind.LocalPort))
		for range n {
			op(v, abi.EventChannelOp, abi.EVTCHNOPSend, &abi.EvtchnSend{Port: bind.LocalPort})
			take(v, bind.LocalPort)
		}
		take(v, exc.Port)
		info := abi.Domctl{Cmd: abi.DomctlGetDomainInfo, DomID: id}
		mustDomctl(t, v, &info)
		if info.Info.Flags&abi.DomInfShutdown == 0 || info.Info.Flags>>abi.DomInfShutdownShift != abi.ShutdownPoweroff {
			t.Errorf("domain's flags %#x after its shutdown", info.Info.Flags)
		}
		mustDomctl(t, v, &abi.Domctl{Cmd: abi.DomctlDestroyDomain, DomID: id})
		if m.domainByID(id) != nil {
			t.Error("the domain is still there")
		}
		free <- m.heap.available()
	})
	if n := rounds.Load(); n != 500 {
		t.Errorf("%d rounds", n)
	}
	if before, after := <-free, <-free; before != after {
		t.Errorf("%d frames free before, %d after", before, after)
	}
}

// TestDomainCrash crashes a domain of two vCPUs: both unwind, dom0 goes on.
func TestDomainCrash(t *testing.T) {
	if abi.PTLevels == 3 {
		t.Skip("an empty top-level table is not valid with PAE")
	}
	var unwound atomic.Int32
	run(t, func(v *VCPU) {
		id := build(t, v, 2, func(u *VCPU) {
			defer unwound.Add(1)
			ctx := abi.VCPUContext{CR3: u.ctx.CR3, Entry: func(cpu any, _ *abi.StartInfo) {
				defer unwound.Add(1)
				for {
					cpu.(*VCPU).InterruptWindow()
				}
			}}
			if rc := op(u, abi.VCPUOp, abi.VCPUOPInitialise, &ctx, 1); rc != 0 {
				t.Errorf("initialise: %d", rc)
			}
			op(u, abi.VCPUOp, abi.VCPUOPUp, nil, 1)
			panic("guest bug")
		})
		mustDomctl(t, v, &abi.Domctl{Cmd: abi.DomctlUnpauseDomain, DomID: id})
		info := abi.Domctl{Cmd: abi.DomctlGetDomainInfo, DomID: id}
		for range 10000 {
			mustDomctl(t, v, &info)
			if info.Info.Flags&abi.DomInfShutdown != 0 {
				break
			}
			op(v, abi.SchedOp, abi.SCHEDOPPoll, &abi.SchedPoll{Timeout: v.SystemTime() + 1e6})
		}
		if info.Info.Flags>>abi.DomInfShutdownShift&abi.DomInfShutdownMask != abi.ShutdownCrash {
			t.Errorf("flags %#x, want a crash", info.Info.Flags)
		}
		mustDomctl(t, v, &abi.Domctl{Cmd: abi.DomctlDestroyDomain, DomID: id})
	})
	if n := unwound.Load(); n > 2 || n < 1 {
		t.Errorf("%d vCPUs unwound", n)
	}
}

// TestStopUnwindsCoroutines stops a vCPU whose guest blocks in a coroutine: the
// stop passes through it to the vCPU's bottom, deferred calls and all.
func TestStopUnwindsCoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	blocked := make(chan struct{})
	var inner, outer atomic.Bool
	m := boot(t, func(v *VCPU) {
		defer outer.Store(true)
		next, stop := iter.Pull(func(yield func(int) bool) {
			defer inner.Store(true)
			close(blocked)
			op(v, abi.SchedOp, abi.SCHEDOPBlock, nil)
		})
		defer stop()
		next()
	})
	<-blocked
	m.Stop()
	if !inner.Load() || !outer.Load() {
		t.Error("deferred calls did not run")
	}
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i > 1000 {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
		time.Sleep(time.Millisecond)
	}
}

// TestKillBeforePark kills a vCPU that has given its processor up and is about
// to park: it gets no token, and must see for itself.
func TestKillBeforePark(t *testing.T) {
	_, v := quiet(t)
	v.killed.Store(true)
	defer func() {
		if r := recover(); !IsStop(r) {
			t.Errorf("parking a killed vCPU: %v", r)
		}
	}()
	v.await()
	t.Error("it went on")
}

// TestRemoteShutdownAndResume suspends a domain and lets it go on.
func TestRemoteShutdownAndResume(t *testing.T) {
	if abi.PTLevels == 3 {
		t.Skip("an empty top-level table is not valid with PAE")
	}
	var steps atomic.Int64
	run(t, func(v *VCPU) {
		id := build(t, v, 1, func(u *VCPU) {
			for {
				steps.Add(1)
				u.InterruptWindow()
			}
		})
		mustDomctl(t, v, &abi.Domctl{Cmd: abi.DomctlUnpauseDomain, DomID: id})
		moves := func() bool {
			from := steps.Load()
			for range 2000 {
				if steps.Load() != from {
					return true
				}
				op(v, abi.SchedOp, abi.SCHEDOPPoll, &abi.SchedPoll{Timeout: v.SystemTime() + 1e5})
			}
			return false
		}
		if !moves() {
			t.Error("the domain does not run")
		}
		if rc := op(v, abi.SchedOp, abi.SCHEDOPRemoteShutdown, &abi.SchedRemoteShutdown{Dom: id, Reason: abi.ShutdownSuspend}); rc != 0 {
			t.Errorf("remote shutdown: %d", rc)
		}
		mustDomctl(t, v, &abi.Domctl{Cmd: abi.DomctlPauseDomain, DomID: id}) // waits until it has stopped
		at := steps.Load()
		op(v, abi.SchedOp, abi.SCHEDOPPoll, &abi.SchedPoll{Timeout: v.SystemTime() + 1e6})
		if steps.Load() != at {
			t.Error("a domain that is shut down and paused runs")
		}
		mustDomctl(t, v, &abi.Domctl{Cmd: abi.DomctlUnpauseDomain, DomID: id})
		mustDomctl(t, v, &abi.Domctl{Cmd: abi.DomctlResumeDomain, DomID: id})
		if !moves() {
			t.Error("the domain does not go on after it was resumed")
		}
		mustDomctl(t, v, &abi.Domctl{Cmd: abi.DomctlDestroyDomain, DomID: id})
	})
}

// TestTimer blocks until the single-shot timer's interrupt.
func TestTimer(t *testing.T) {
	run(t, func(v *VCPU) {
		op(v, abi.VCPUOp, abi.VCPUOPStopPeriodicTimer, nil, 0)
		bind := abi.EvtchnBindVIRQ{VIRQ: abi.VIRQTimer}
		op(v, abi.EventChannelOp, abi.EVTCHNOPBindVIRQ, &bind)
		fired := 0
		v.Hypercall(abi.SetCallbacks, &abi.Args{H: &abi.Callbacks{Event: func() {
			fired++
			acknowledge(v.dom)
			v.Hypercall(abi.Iret, &abi.Args{H: &abi.IretFrame{EventsOn: true}})
		}}})
		for i := range 3 {
			deadline := v.SystemTime() + 2e6
			v.Hypercall(abi.SetTimerOp, &abi.Args{R: [4]uint64{deadline}})
			op(v, abi.SchedOp, abi.SCHEDOPBlock, nil)
			if fired != i+1 || v.SystemTime() < deadline {
				t.Errorf("round %d: %d interrupts, %d ns early", i, fired, int64(deadline-v.SystemTime()))
			}
		}
	})
}

// TestConsole writes to the console and reads its ring back.
func TestConsole(t *testing.T) {
	w := newWorld(t)
	a := abi.Args{R: [4]uint64{abi.CONSOLEIOWrite}, H: &abi.ConsoleBuf{Data: []byte("a line of dom0's\n")}}
	w.dom0.call(abi.ConsoleIO, &a)
	read := func(clear uint32) string {
		op := abi.Sysctl{Cmd: abi.SysctlReadConsole, Interface: abi.SysctlInterfaceVersion, Console: make([]byte, consoleRing), ConsoleClear: clear}
		w.dom0.call(abi.SysctlOp, &abi.Args{H: &op})
		return string(op.Console)
	}
	if got := read(1); !strings.HasSuffix(got, "a line of dom0's\n") {
		t.Errorf("ring ends with %q", got[max(0, len(got)-40):])
	}
	if got := read(0); got != "" {
		t.Errorf("cleared ring holds %q", got)
	}
	w.m.console.write([]byte(strings.Repeat("x", consoleRing+100)))
	if got := read(0); len(got) != consoleRing {
		t.Errorf("a full ring reads %d bytes", len(got))
	}
}
