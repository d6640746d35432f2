package hypercall

import (
	"errors"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/bench"
	_ "xsmbench/bench/kbench"
	_ "xsmbench/workloads/kernbench"
)

func mustDomain(t *testing.T, x *fakeXen) *Domain {
	t.Helper()
	d, err := x.domain(0)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mustPrepare(t *testing.T, d *Domain, op abi.Hypercall, cmd uint64, h any) func() int64 {
	t.Helper()
	call, err := d.Prepare(op, &abi.Args{R: [4]uint64{cmd}, H: h})
	if err != nil {
		t.Fatal(err)
	}
	return call
}

func TestFailureLeavesArguments(t *testing.T) {
	d := mustDomain(t, newFake(func(*request, memory) int64 { return -int64(abi.EPERM) }))
	h := &abi.Sysctl{Cmd: abi.SysctlSchedID, SchedID: 99}
	if r := mustPrepare(t, d, abi.SysctlOp, 0, h)(); r != -int64(abi.EPERM) || h.SchedID != 99 {
		t.Errorf("result is %d, scheduler %d", r, h.SchedID)
	}
}

func TestNoHypercalls(t *testing.T) {
	x := newFake(nil)
	x.respond = func(*request, memory) int64 { return -int64(abi.ENOSYS) }
	if _, err := newDomain(0, true, x, x.iface); !errors.Is(err, abi.ENOSYS) {
		t.Errorf("error is %v", err)
	}
}

func TestRefusals(t *testing.T) {
	d := mustDomain(t, newFake(nil))
	for _, test := range []struct {
		op   abi.Hypercall
		cmd  uint64
		h    any
		want string
	}{
		{abi.SetTimerOp, 1, nil, "prepare set_timer_op: the vCPU's timer is the kernel's"},
		{abi.FPUTaskSwitch, 0, nil, "prepare fpu_taskswitch: "},
		{abi.StackSwitch, 0, nil, "prepare stack_switch: "},
		{abi.MMUUpdateOp, 0, &abi.MMUUpdateArgs{}, "prepare mmu_update: "},
		{abi.MCAOp, 0, nil, "prepare mca: not known"},
		{abi.KexecOp, abi.KEXECCmdLoad, &abi.KexecArgs{}, "prepare kexec_op: command 1 would load or start a kernel"},
		{abi.PlatformOp, 0, &abi.PlatformOpArgs{Cmd: abi.XENPFMicrocodeUpdate}, "prepare platform_op: command 35"},
		{abi.XenoprofOp, abi.XENOPROFStart, &abi.XenoprofArgs{}, "prepare xenoprof_op: command 9"},
		{abi.HVMOp, 9, &abi.HVMParam{}, "prepare hvm_op: command 9"},
		{abi.EventChannelOp, uint64(abi.EVTCHNOPBindVIRQ), nil, "prepare event_channel_op: command 1 is not known"},
		{abi.EventChannelOp, uint64(abi.EVTCHNOPSend), &abi.EvtchnClose{}, "prepare event_channel_op: the argument is a *abi.EvtchnClose, not a *abi.EvtchnSend"},
		{abi.EventChannelOp, uint64(abi.EVTCHNOPUnmask), (*abi.EvtchnUnmask)(nil), "prepare event_channel_op: the argument is"},
		{abi.MemoryOp, uint64(abi.XENMEMPopulatePhysmap), &abi.MemoryReservation{DomID: abi.DomSelf}, "prepare memory_op: the pseudo-physical"},
		{abi.MemoryOp, uint64(abi.XENMEMTranslateGPFNList), nil, "prepare memory_op: Xen 4 has no such command"},
		{abi.MemoryOp, uint64(abi.XENMEMIncreaseReservation), &abi.MemoryReservation{DomID: 2}, "prepare memory_op: only single pages"},
		{abi.Multicall, 1, &abi.MulticallList{Calls: []abi.MulticallEntry{{Op: abi.SetTimerOp}}}, "prepare multicall: only xen_version"},
		{abi.SchedOp, uint64(abi.SCHEDOPShutdown), &abi.SchedShutdown{}, "prepare sched_op: command 2"},
		{abi.VCPUOp, uint64(abi.VCPUOPDown), nil, "prepare vcpu_op: command 2"},
		{abi.ConsoleIO, abi.CONSOLEIOWrite, &abi.ConsoleBuf{Data: []byte("x")}, "prepare console_io: only a write of 0 bytes"},
		{abi.DomctlOp, 0, &abi.Domctl{Cmd: abi.DomctlArchSetup}, "prepare domctl: command 23"},
		{abi.DomctlOp, 0, &abi.Domctl{Cmd: abi.DomctlGetMemList}, "prepare domctl: Xen 4 has no such command"},
		{abi.DomctlOp, 0, &abi.Domctl{Cmd: abi.DomctlShadowOp, Shadow: abi.DomctlShadow{Op: abi.ShadowOpEnableTranslate}}, "prepare domctl: Xen 4 translates"},
		{abi.SysctlOp, 0, &abi.Sysctl{Cmd: abi.SysctlDebugKeys}, "prepare sysctl: command 7"},
		{abi.XSMOp, 0, &abi.XSMOpArgs{Cmd: 3}, "prepare xsm_op: command 3"},
		{abi.PhysdevOp, abi.PHYSDEVOPEOI, &abi.PhysdevEOI{}, "prepare physdev_op: command 12"},
		{abi.GrantTableOp, uint64(abi.GNTTABOPTransfer), &abi.GnttabTransfer{}, "prepare grant_table_op: command 4"},
		{abi.GrantTableOp, uint64(abi.GNTTABOPMapGrantRef), &abi.GnttabMapList{}, "prepare grant_table_op: the argument is"},
	} {
		_, err := d.Prepare(test.op, &abi.Args{R: [4]uint64{test.cmd}, H: test.h})
		if err == nil || !errors.Is(err, errors.ErrUnsupported) || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("hypercall %d, command %d: error is %v, want %s…", test.op, test.cmd, err, test.want)
		}
	}
}

// TestForeignPorts operates on a port of the kernel's, which must not reach
// Xen, and on one that comes and goes.
func TestForeignPorts(t *testing.T) {
	x := newFake(func(r *request, m memory) int64 {
		if r.args[0] == uint64(abi.EVTCHNOPBindIPI) {
			m.put32(4, 30)
		}
		return 0
	})
	d := mustDomain(t, x)
	d.planner.ports.peer = 31
	ops := func(port abi.Port) (results [4]int64) {
		for i, op := range []struct {
			cmd abi.EvtchnCmd
			h   any
		}{
			{abi.EVTCHNOPSend, &abi.EvtchnSend{Port: port}},
			{abi.EVTCHNOPBindVCPU, &abi.EvtchnBindVCPU{Port: port}},
			{abi.EVTCHNOPUnmask, &abi.EvtchnUnmask{Port: port}},
			{abi.EVTCHNOPClose, &abi.EvtchnClose{Port: port}},
		} {
			results[i] = mustPrepare(t, d, abi.EventChannelOp, uint64(op.cmd), op.h)()
		}
		return results
	}
	const bad = -int64(abi.EBADF)
	none := [4]int64{bad, bad, bad, bad}
	for _, port := range []abi.Port{0, 30, maxPorts, ^abi.Port(0)} {
		if got := ops(port); got != none {
			t.Errorf("port %d: %v", port, got)
		}
	}
	if got, want := ops(31), [4]int64{0, 0, bad, bad}; got != want {
		t.Errorf("the peer's port: %v, want %v", got, want)
	}
	mustPrepare(t, d, abi.EventChannelOp, uint64(abi.EVTCHNOPBindIPI), &abi.EvtchnBindIPI{})()
	if got := ops(30); got != [4]int64{} {
		t.Errorf("an own port: %v", got)
	}
	if got := ops(30); got != none {
		t.Errorf("the port after its close: %v", got)
	}
}

func TestForeignFrames(t *testing.T) {
	x := newFake(func(r *request, m memory) int64 {
		if r.args[0] == uint64(abi.XENMEMIncreaseReservation) {
			m.put64(extentsAt, 500)
		}
		return 1
	})
	d := mustDomain(t, x)
	h := &abi.MemoryReservation{ExtentStart: []uint64{500}, DomID: abi.DomSelf}
	grow := mustPrepare(t, d, abi.MemoryOp, uint64(abi.XENMEMIncreaseReservation), h)
	shrink := mustPrepare(t, d, abi.MemoryOp, uint64(abi.XENMEMDecreaseReservation), h)
	if r := shrink(); r != -int64(abi.EPERM) {
		t.Errorf("giving back the kernel's frame: %d", r)
	}
	for range 2 * maxFrames {
		if grow() != 1 || shrink() != 1 {
			t.Fatal("an own frame cannot be given back")
		}
	}
	for range maxFrames {
		grow()
	}
	if r := grow(); r != -int64(abi.ENOMEM) {
		t.Errorf("more frames than there is room for: %d", r)
	}
	h.ExtentStart = append(h.ExtentStart, 500)
	if r := shrink(); r != -int64(abi.E2BIG) {
		t.Errorf("more extents than were prepared: %d", r)
	}
}

func TestTranslatedDomainKeepsFrames(t *testing.T) {
	d, err := newFake(nil).domain(autoTranslated)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Prepare(abi.MemoryOp, &abi.Args{H: &abi.MemoryReservation{ExtentStart: []uint64{0}, DomID: abi.DomSelf}})
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("error is %v", err)
	}
}

func TestMode(t *testing.T) {
	for _, test := range []struct {
		result    int64
		enforcing bool
		err       error
	}{
		{1, true, nil}, {0, false, nil}, {-int64(abi.ENOSYS), false, errors.ErrUnsupported}, {-int64(abi.EACCES), false, abi.EACCES},
	} {
		d := mustDomain(t, newFake(func(*request, memory) int64 { return test.result }))
		if on, err := d.Mode(); on != test.enforcing || !errors.Is(err, test.err) {
			t.Errorf("result %d: %v, %v", test.result, on, err)
		}
	}
}

func TestForbidden(t *testing.T) {
	for _, want := range []abi.Errno{0, abi.EPERM, abi.EACCES} {
		d := mustDomain(t, newFake(func(r *request, m memory) int64 {
			if m.get16(0) != 0 || m.get32(4) != 1 {
				t.Errorf("asked for % x", m.b)
			}
			return -int64(want)
		}))
		var errno abi.Errno
		if err := d.Forbidden(); errors.As(err, &errno) != (want != 0) || errno != want {
			t.Errorf("error is %v, want %v", err, want)
		}
	}
}

// TestOffersIsWhatPrepareDoes readies every hypercall benchmark, on a Xen that
// does what is asked, and compares with the table.
func TestOffersIsWhatPrepareDoes(t *testing.T) {
	for _, version := range []string{"4.15", "4.17", "4.22"} {
		t.Run(version, func(t *testing.T) { compareOffers(t, interfaceOf(version)) })
	}
	for name := range refused {
		if _, ok := bench.Find(name); !ok || Refused(name) == "" {
			t.Errorf("%s is refused and does not exist, or without a reason", name)
		}
	}
	if !Offers("Kbench/vm/op=anon_fault") || Refused("Kbench/hypercall/op=xen_version") != "" {
		t.Error("what makes no hypercalls, or no refused ones, is refused")
	}
}

func compareOffers(t *testing.T, iface *Interface) {
	list, err := bench.Select("^Kbench/hypercall/")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		if b.NeedsEcho {
			continue // see TestEcho
		}
		x := newFake(obliging)
		x.iface = iface
		d := mustDomain(t, x)
		d.channels.known, d.planner.ports.peer = true, 31
		d.channels.peer = bench.Peer{Dom: 1, Grant: 9, Port: 31}
		err := iterate(b, domain{d})
		if Offers(b.FullName()) != (err == nil) {
			t.Errorf("%s: offered is %v, error is %v", b.FullName(), Offers(b.FullName()), err)
		}
		if x.gntdev.mapped != 0 {
			t.Errorf("%s leaves a grant mapped", b.FullName())
		}
	}
}

// iterate makes a few iterations of a benchmark.
func iterate(b bench.Benchmark, d bench.Domain) error {
	if b.Intervals != nil {
		in, err := b.Intervals(d)
		if err != nil {
			return err
		}
		defer in.Cleanup()
		return errors.Join(in.Before(1), in.Loop(1), in.After(1))
	}
	loop, cleanup, err := b.Setup(d)
	if err != nil {
		return err
	}
	if cleanup != nil {
		defer cleanup()
	}
	return loop(3)
}

type domain struct{ d *Domain }

func (domain) OS() bench.OS                   { return nil }
func (d domain) Hypercalls() bench.Hypercalls { return d.d }

// Commands to which benchmarks want another answer than 0.
const (
	mmcfgReserved   = 24
	pciDeviceRemove = 26
	getVNUMAInfo    = 26
	bindInterrupt   = 38
	plugProcessor   = 11
)

func obliging(r *request, m memory) int64 {
	switch abi.Hypercall(r.op) {
	case abi.EventChannelOp:
		if r.args[0] == uint64(abi.EVTCHNOPBindIPI) || r.args[0] == uint64(abi.EVTCHNOPAllocUnbound) {
			m.put32(4, 30)
		}
	case abi.MemoryOp:
		switch cmd := abi.MemoryCmd(r.args[0]); cmd {
		case abi.XENMEMIncreaseReservation:
			m.put64(extentsAt, 600)
			return 1
		case abi.XENMEMDecreaseReservation, abi.XENMEMMaximumRAMPage, abi.XENMEMCurrentReservation, abi.XENMEMMaximumReservation:
			return 1
		case getVNUMAInfo:
			return -int64(abi.EOPNOTSUPP)
		case abi.XENMEMPopulatePhysmap:
			return int64(m.get64(8)) // all extents
		}
	case abi.HypfsOp:
		return 1
	case abi.DomctlOp:
		if m.get32(0) == bindInterrupt {
			return -int64(abi.EPERM)
		}
	case abi.PhysdevOp:
		if r.args[0] == mmcfgReserved || r.args[0] == pciDeviceRemove {
			return -int64(abi.ENODEV)
		}
	case abi.VCPUOp:
		if abi.VCPUCmd(r.args[0]) == abi.VCPUOPIsUp {
			return 1
		}
	case abi.SysctlOp:
		switch m.get32(0) {
		case uint32(abi.SysctlGetDomainInfoList):
			m.put32(sysctlUnion+16, 2)
		case plugProcessor: // online, offline
			return [...]int64{-int64(abi.EEXIST), -int64(abi.EINVAL)}[m.get32(sysctlUnion+4)]
		}
	case abi.XSMOp:
		return -int64(abi.ENOSYS)
	}
	return 0
}

// TestCallsAllocateNothing looks at what is timed, but for the fake's notes.
func TestCallsAllocateNothing(t *testing.T) {
	x := newFake(obliging)
	d := mustDomain(t, x)
	x.requests = make([]request, 0, 1<<12)
	x.gntdev.calls = make([]uint32, 0, 1<<12)
	send := mustPrepare(t, d, abi.EventChannelOp, uint64(abi.EVTCHNOPBindIPI), &abi.EvtchnBindIPI{})
	list := mustPrepare(t, d, abi.SysctlOp, 0, &abi.Sysctl{Cmd: abi.SysctlGetDomainInfoList, Domains: make([]abi.DomainInfo, 4)})
	m := &abi.GnttabMapGrantRef{}
	mapping := mustPrepare(t, d, abi.GrantTableOp, uint64(abi.GNTTABOPMapGrantRef), m)
	unmapping := mustPrepare(t, d, abi.GrantTableOp, uint64(abi.GNTTABOPUnmapGrantRef), &abi.GnttabUnmapGrantRef{})
	if n := testing.AllocsPerRun(100, func() { send(); list(); mapping(); unmapping() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if m.Status != abi.GNTSTOkay {
		t.Errorf("status is %d", m.Status)
	}
}

func TestClose(t *testing.T) {
	x := newFake(nil)
	d := mustDomain(t, x)
	if _, err := d.Offer(3); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil || !x.closed {
		t.Errorf("closed is %v, error %v", x.closed, err)
	}
	for i, e := range x.opened {
		if !e.gone {
			t.Errorf("channel %d is open", i)
		}
	}
}
