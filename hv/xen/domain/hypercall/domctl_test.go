package hypercall

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/abi"
)

const (
	scratch = abi.DomID(64)                  // a domain that the process made
	behind  = domctlUnion + unionSize        // where a domctl's room is
	room    = firstAddress + 0x1000 + behind // its address
)

// TestDomctls makes every domctl on a scratch domain and compares what Xen reads,
// and what the caller has after Xen has written. Offsets are those of Xen 4.17's
// union, and from 128 on of the room behind it.
func TestDomctls(t *testing.T) {
	for _, tt := range []struct {
		name string
		op   abi.Domctl
		cmd  uint64 // 0 for the command's own number
		in   []field
		out  []field
		want abi.Domctl
		room int
	}{
		{
			name: "createdomain", op: abi.Domctl{Cmd: abi.DomctlCreateDomain, Create: abi.DomctlCreate{SSIDRef: 7, Handle: [16]byte{15: 0xbb}}},
			in: []field{{0, 4, 7}, {19, 1, 0xbb}, {28, 4, 1}, {32, 4, 1023}, {36, 4, 4}, {40, 4, 4}, {44, 4, 1}},
		},
		{
			name: "create an HVM domain", op: abi.Domctl{Cmd: abi.DomctlCreateDomain, Create: abi.DomctlCreate{Flags: 1}},
			in: []field{{20, 4, 3}, {28, 4, 1}, {32, 4, 1023}, {36, 4, 4}, {40, 4, 4}, {44, 4, 1}, {56, 4, 0x3ff}},
		},
		{name: "destroydomain", op: abi.Domctl{Cmd: abi.DomctlDestroyDomain}},
		{name: "resumedomain", op: abi.Domctl{Cmd: abi.DomctlResumeDomain}},
		{name: "max_vcpus", op: abi.Domctl{Cmd: abi.DomctlMaxVCPUs, MaxVCPUs: 1}, in: []field{{0, 4, 1}}},
		{name: "max_mem", op: abi.Domctl{Cmd: abi.DomctlMaxMem, MaxMemKB: 1 << 33}, in: []field{{0, 8, 1 << 33}}},
		{name: "setdomainhandle", op: abi.Domctl{Cmd: abi.DomctlSetDomainHandle, Handle: [16]byte{1, 15: 2}}, in: []field{{0, 1, 1}, {15, 1, 2}}},
		{name: "settimeoffset", op: abi.Domctl{Cmd: abi.DomctlSetTimeOffset, TimeOffset: -2}, in: []field{{0, 8, ^uint64(1)}}},
		{name: "setdebugging", op: abi.Domctl{Cmd: abi.DomctlSetDebugging, Enable: 1}, in: []field{{0, 1, 1}}},
		{
			name: "put a weight", op: abi.Domctl{Cmd: abi.DomctlSchedulerOp, Sched: abi.DomctlScheduler{SchedID: 6, Put: true, Weight: 512}},
			in: []field{{0, 4, 6}, {8, 2, 512}}, out: []field{{8, 2, 256}, {10, 2, 5}},
			want: abi.Domctl{Sched: abi.DomctlScheduler{SchedID: 6, Put: true, Weight: 256, Cap: 5}},
		},
		{
			name: "get a weight", op: abi.Domctl{Cmd: abi.DomctlSchedulerOp, Sched: abi.DomctlScheduler{SchedID: 6}},
			in: []field{{0, 4, 6}, {4, 4, 1}}, out: []field{{8, 2, 256}}, want: abi.Domctl{Sched: abi.DomctlScheduler{SchedID: 6, Weight: 256}},
		},
		{name: "get_address_size", op: abi.Domctl{Cmd: abi.DomctlGetAddressSize}, out: []field{{0, 4, 64}}, want: abi.Domctl{AddrSize: 64}},
		{name: "set_address_size", op: abi.Domctl{Cmd: abi.DomctlSetAddressSize, AddrSize: 64}, in: []field{{0, 4, 64}}},
		{name: "shadow_op", op: abi.Domctl{Cmd: abi.DomctlShadowOp, Shadow: abi.DomctlShadow{Op: 2, Mode: 1}}, in: []field{{0, 4, 2}, {4, 4, 1}}},
		{name: "hypercall_init", op: abi.Domctl{Cmd: abi.DomctlHypercallInit, HyperGMFN: 1 << 33}, in: []field{{0, 8, 1 << 33}}},
		{
			name: "getpageframeinfo", op: abi.Domctl{Cmd: abi.DomctlGetPageFrameInfo, PageInfo: abi.DomctlPageInfo{GMFN: 77}}, cmd: 61, room: 8,
			in: []field{{0, 8, 1}, {8, 8, room}, {128, 8, 77}}, out: []field{{128, 8, abi.DomctlPFL2Tab}},
			want: abi.Domctl{PageInfo: abi.DomctlPageInfo{GMFN: 77, Type: abi.DomctlPFL2Tab}},
		},
		{
			name: "setvcpuaffinity", op: abi.Domctl{Cmd: abi.DomctlSetVCPUAffinity, VCPU: 1, Affinity: 5}, room: 8,
			in: []field{{0, 4, 1}, {4, 4, 1}, {8, 8, room}, {16, 4, 64}, {128, 8, 5}}, out: []field{{128, 8, 1}},
		},
		{
			name: "getvcpuaffinity", op: abi.Domctl{Cmd: abi.DomctlGetVCPUAffinity}, room: 8,
			in: []field{{4, 4, 1}, {8, 8, room}, {16, 4, 64}}, out: []field{{128, 8, 1}}, want: abi.Domctl{Affinity: 1},
		},
		{
			name: "getvcpuinfo", op: abi.Domctl{Cmd: abi.DomctlGetVCPUInfo, VCPU: 2},
			in: []field{{0, 4, 2}}, out: []field{{4, 1, 1}, {6, 1, 1}, {8, 8, 1 << 40}, {16, 4, 3}},
			want: abi.Domctl{VCPU: 2, VCPUInfo: abi.DomctlVCPUInfo{Online: true, Running: true, CPUTime: 1 << 40, CPU: 3}},
		},
		{
			name: "setvcpucontext", op: abi.Domctl{Cmd: abi.DomctlSetVCPUContext, Context: &abi.VCPUContext{Flags: abi.VGCFInKernel, CR3: 9, KernelSS: 0xe02b}},
			in: []field{{8, 8, room}, {128 + 512, 8, 4}, {128 + 5008, 8, 9 << 12}, {128 + 4968, 8, 0xe02b}}, room: mostStructure,
			want: abi.Domctl{Context: &abi.VCPUContext{Flags: abi.VGCFInKernel, CR3: 9, KernelSS: 0xe02b}},
		},
		{name: "reset a vCPU", op: abi.Domctl{Cmd: abi.DomctlSetVCPUContext}, room: mostStructure},
		{
			name: "getvcpucontext", op: abi.Domctl{Cmd: abi.DomctlGetVCPUContext}, room: mostStructure,
			in: []field{{8, 8, room}}, out: []field{{128 + 512, 8, 4}, {128 + 5008, 8, 9 << 12}},
			want: abi.Domctl{Context: &abi.VCPUContext{Flags: abi.VGCFInKernel, CR3: 9}},
		},
		{name: "size of the platform", op: abi.Domctl{Cmd: abi.DomctlGetHVMContext}, out: []field{{0, 4, 3}}, want: abi.Domctl{HVM: make([]byte, 3)}},
		{
			name: "gethvmcontext", op: abi.Domctl{Cmd: abi.DomctlGetHVMContext, HVM: make([]byte, 8)}, room: 8,
			in: []field{{0, 4, 8}, {8, 8, room}}, out: []field{{0, 4, 2}, {128, 2, 0x0201}}, want: abi.Domctl{HVM: []byte{1, 2}},
		},
		{
			name: "sethvmcontext", op: abi.Domctl{Cmd: abi.DomctlSetHVMContext, HVM: []byte{1, 2}}, room: 2,
			in: []field{{0, 4, 2}, {8, 8, room}, {128, 2, 0x0201}}, want: abi.Domctl{HVM: []byte{1, 2}},
		},
		{name: "irq_permission", op: abi.Domctl{Cmd: abi.DomctlIRQPermission, IRQ: abi.DomctlIRQ{PIRQ: 9, Allow: 1}}, in: []field{{0, 4, 9}, {4, 1, 1}}},
		{
			name: "iomem_permission", op: abi.Domctl{Cmd: abi.DomctlIOMemPermission, IOMem: abi.DomctlIOMem{First: 1 << 33, Nr: 2, Allow: 1}},
			in: []field{{0, 8, 1 << 33}, {8, 8, 2}, {16, 1, 1}},
		},
		{
			name: "ioport_permission", op: abi.Domctl{Cmd: abi.DomctlIOPortPermission, IOPort: abi.DomctlIOPort{First: 0x1000, Nr: 2, Allow: 1}},
			in: []field{{0, 4, 0x1000}, {4, 4, 2}, {8, 1, 1}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newFake(func(r *request, m memory) int64 {
				cmd := tt.cmd
				if cmd == 0 {
					cmd = uint64(tt.op.Cmd)
				}
				in := append([]field{{0, 4, cmd}, {4, 4, 0x15}, {8, 2, uint64(scratch)}}, shifted(tt.in)...)
				if want := build(behind+tt.room, in...); r.op != uint64(abi.DomctlOp) || !cmp.Equal(m.b, want) {
					t.Errorf("Xen reads (-want +got):\n%s", cmp.Diff(want, m.b))
				}
				for _, f := range shifted(tt.out) {
					copy(m.b[f.off:], build(f.bytes, field{0, f.bytes, f.value}))
				}
				return 0
			})
			d := mustDomain(t, x)
			d.planner.domains[scratch] = true
			op, want := tt.op, merged(tt.op, tt.want)
			op.DomID, want.DomID = scratch, scratch
			if err := d.once(abi.DomctlOp, &abi.Args{H: &op}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, op, cmp.Comparer(func(a, b abi.VCPUEntry) bool { return (a == nil) == (b == nil) })); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// shifted are fields of the union, as fields of the whole.
func shifted(list []field) []field {
	var all []field
	for _, f := range list {
		f.off += domctlUnion
		all = append(all, f)
	}
	return all
}

// merged is an operation with the results that are expected of it.
func merged(op, results abi.Domctl) abi.Domctl {
	if cmp.Equal(results, abi.Domctl{}) {
		return op
	}
	results.Cmd = op.Cmd
	return results
}

// TestOnlyScratchDomainsChange: a domctl that changes a domain reaches Xen only for
// one that the process made and has not destroyed.
func TestOnlyScratchDomainsChange(t *testing.T) {
	asked := 0
	x := newFake(func(*request, memory) int64 { asked++; return 0 })
	d := mustDomain(t, x)
	asked = 0
	do := func(cmd abi.DomctlCmd) error {
		return d.once(abi.DomctlOp, &abi.Args{H: &abi.Domctl{Cmd: cmd, DomID: scratch}})
	}
	populate := func() error {
		return d.once(abi.MemoryOp, &abi.Args{R: [4]uint64{uint64(abi.XENMEMPopulatePhysmap)}, H: &abi.MemoryReservation{ExtentStart: []uint64{0}, DomID: scratch}})
	}
	move := func() error {
		return d.once(abi.MemoryOp, &abi.Args{R: [4]uint64{uint64(abi.XENMEMAddToPhysmap)}, H: &abi.AddToPhysmap{DomID: scratch}})
	}
	foreign := func() error { _, _, err := d.MapFrame(scratch, 5); return err }
	changes := func() []error {
		return []error{do(abi.DomctlMaxMem), populate(), move(), foreign(), do(abi.DomctlDestroyDomain)}
	}
	for _, err := range changes() {
		if !errors.Is(err, abi.EPERM) && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("before the domain is made: %v", err)
		}
	}
	if asked != 0 {
		t.Errorf("Xen was asked %d times", asked)
	}
	if err := do(abi.DomctlCreateDomain); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(changes()...); err != nil {
		t.Errorf("after the domain is made: %v", err)
	}
	if err := do(abi.DomctlDestroyDomain); !errors.Is(err, abi.EPERM) {
		t.Errorf("after it is destroyed: %v", err)
	}
	if err := do(abi.DomctlPauseDomain); err != nil {
		t.Errorf("pause another domain: %v", err)
	}
}
