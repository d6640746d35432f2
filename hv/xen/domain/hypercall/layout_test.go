package hypercall

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/abi"
)

// field is a number that a structure holds at an offset.
type field struct {
	off, bytes int
	value      uint64
}

func build(size int, fields ...field) []byte {
	b := make([]byte, size)
	for _, f := range fields {
		for i := range f.bytes {
			b[f.off+i] = byte(f.value >> (8 * i))
		}
	}
	return b
}

// TestLayout makes every hypercall once and compares its registers, what Xen
// sees in memory and, after it has written, what the caller sees. Offsets are
// those of Xen 4.17's structures for 64 bits.
func TestLayout(t *testing.T) {
	const at = firstAddress + 0x1000 // the first memory holds the features
	for _, test := range []struct {
		name   string
		op     abi.Hypercall
		args   abi.Args
		own    []abi.Port // ports of the process
		frames []uint64   // and frames
		regs   [5]uint64
		size   int     // of the memory
		in     []field // what Xen reads
		out    []field // what it writes
		result int64
		want   any // what the caller has then
	}{
		{
			name: "xen_version", op: abi.XenVersion, args: abi.Args{R: [4]uint64{abi.XENVERVersion}},
			result: 4<<16 | 17,
		},
		{
			name: "multicall", op: abi.Multicall,
			args: abi.Args{R: [4]uint64{2}, H: &abi.MulticallList{Calls: []abi.MulticallEntry{
				{Op: abi.XenVersion}, {Op: abi.XenVersion},
			}}},
			regs: [5]uint64{at, 2}, size: 128,
			in:  []field{{0, 8, 17}, {64, 8, 17}},
			out: []field{{8, 8, 0x40011}, {72, 8, ^uint64(0)}},
			want: &abi.MulticallList{Calls: []abi.MulticallEntry{
				{Op: abi.XenVersion, Result: 0x40011}, {Op: abi.XenVersion, Result: -1},
			}},
		},
		{
			name: "alloc_unbound", op: abi.EventChannelOp,
			args: abi.Args{R: [4]uint64{6}, H: &abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: 3}},
			regs: [5]uint64{6, at}, size: 8,
			in: []field{{0, 2, 0x7ff0}, {2, 2, 3}}, out: []field{{4, 4, 17}},
			want: &abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: 3, Port: 17},
		},
		{
			name: "bind_ipi", op: abi.EventChannelOp, args: abi.Args{R: [4]uint64{7}, H: &abi.EvtchnBindIPI{VCPU: 1}},
			regs: [5]uint64{7, at}, size: 8,
			in: []field{{0, 4, 1}}, out: []field{{4, 4, 18}},
			want: &abi.EvtchnBindIPI{VCPU: 1, Port: 18},
		},
		{
			name: "close", op: abi.EventChannelOp, args: abi.Args{R: [4]uint64{3}, H: &abi.EvtchnClose{Port: 9}}, own: []abi.Port{9},
			regs: [5]uint64{3, at}, size: 4, in: []field{{0, 4, 9}}, want: &abi.EvtchnClose{Port: 9},
		},
		{
			name: "send", op: abi.EventChannelOp, args: abi.Args{R: [4]uint64{4}, H: &abi.EvtchnSend{Port: 9}}, own: []abi.Port{9},
			regs: [5]uint64{4, at}, size: 4, in: []field{{0, 4, 9}}, want: &abi.EvtchnSend{Port: 9},
		},
		{
			name: "unmask", op: abi.EventChannelOp, args: abi.Args{R: [4]uint64{9}, H: &abi.EvtchnUnmask{Port: 9}}, own: []abi.Port{9},
			regs: [5]uint64{9, at}, size: 4, in: []field{{0, 4, 9}}, want: &abi.EvtchnUnmask{Port: 9},
		},
		{
			name: "bind_vcpu", op: abi.EventChannelOp, args: abi.Args{R: [4]uint64{8}, H: &abi.EvtchnBindVCPU{Port: 9, VCPU: 2}}, own: []abi.Port{9},
			regs: [5]uint64{8, at}, size: 8, in: []field{{0, 4, 9}, {4, 4, 2}}, want: &abi.EvtchnBindVCPU{Port: 9, VCPU: 2},
		},
		{
			name: "status", op: abi.EventChannelOp, args: abi.Args{R: [4]uint64{5}, H: &abi.EvtchnStatus{Dom: 2, Port: 70}},
			regs: [5]uint64{5, at}, size: 24,
			in:   []field{{0, 2, 2}, {4, 4, 70}},
			out:  []field{{8, 4, abi.EVTCHNSTATInterdomain}, {12, 4, 1}, {16, 2, 4}, {20, 4, 33}},
			want: &abi.EvtchnStatus{Dom: 2, Port: 70, Status: abi.EVTCHNSTATInterdomain, VCPU: 1, RemoteDom: 4, RemotePort: 33},
		},
		{
			name: "query_size", op: abi.GrantTableOp, args: abi.Args{R: [4]uint64{6}, H: &abi.GnttabQuerySize{Dom: abi.DomSelf}},
			regs: [5]uint64{6, at, 1}, size: 16,
			in: []field{{0, 2, 0x7ff0}}, out: []field{{4, 4, 1}, {8, 4, 64}, {12, 2, 0xffff}},
			want: &abi.GnttabQuerySize{Dom: abi.DomSelf, NrFrames: 1, MaxNrFrames: 64, Status: -1},
		},
		{
			name: "current_reservation", op: abi.MemoryOp, args: abi.Args{R: [4]uint64{3}, H: &abi.MemoryDomain{DomID: abi.DomSelf}},
			regs: [5]uint64{3, at}, size: 2, in: []field{{0, 2, 0x7ff0}}, result: 65536, want: &abi.MemoryDomain{DomID: abi.DomSelf},
		},
		{
			name: "maximum_ram_page", op: abi.MemoryOp, args: abi.Args{R: [4]uint64{2}},
			regs: [5]uint64{2}, result: 1 << 20,
		},
		{
			name: "increase_reservation", op: abi.MemoryOp,
			args: abi.Args{R: [4]uint64{0}, H: &abi.MemoryReservation{ExtentStart: []uint64{0, 0}, AddressBits: 31, DomID: abi.DomSelf}},
			regs: [5]uint64{0, at}, size: 48,
			in:     []field{{0, 8, at + 32}, {8, 8, 2}, {20, 4, 31}, {24, 2, 0x7ff0}},
			out:    []field{{32, 8, 1 << 33}, {40, 8, 7}},
			result: 2, want: &abi.MemoryReservation{ExtentStart: []uint64{1 << 33, 7}, AddressBits: 31, DomID: abi.DomSelf},
		},
		{
			name: "decrease_reservation", op: abi.MemoryOp, frames: []uint64{77},
			args: abi.Args{R: [4]uint64{1}, H: &abi.MemoryReservation{ExtentStart: []uint64{77}, DomID: abi.DomSelf}},
			regs: [5]uint64{1, at}, size: 40,
			in:     []field{{0, 8, at + 32}, {8, 8, 1}, {24, 2, 0x7ff0}, {32, 8, 77}},
			result: 1, want: &abi.MemoryReservation{ExtentStart: []uint64{77}, DomID: abi.DomSelf},
		},
		{name: "yield", op: abi.SchedOp},
		{
			name: "is_up", op: abi.VCPUOp, args: abi.Args{R: [4]uint64{3, 1}},
			regs: [5]uint64{3, 1}, result: 1,
		},
		{
			name: "runstate", op: abi.VCPUOp, args: abi.Args{R: [4]uint64{4, 1}, H: &abi.VCPURunstateInfo{}},
			regs: [5]uint64{4, 1, at}, size: 48,
			out:  []field{{0, 4, 2}, {8, 8, 1 << 40}, {16, 8, 1}, {24, 8, 2}, {32, 8, 3}, {40, 8, 4}},
			want: &abi.VCPURunstateInfo{State: 2, StateEntryTime: 1 << 40, Time: [4]uint64{1, 2, 3, 4}},
		},
		{name: "get_debugreg", op: abi.GetDebugreg, args: abi.Args{R: [4]uint64{7}}, regs: [5]uint64{7}, result: 0x400},
		{
			name: "irq_status", op: abi.PhysdevOp, args: abi.Args{R: [4]uint64{5}, H: &abi.PhysdevIRQStatus{IRQ: 9}},
			regs: [5]uint64{5, at}, size: 8, in: []field{{0, 4, 9}}, out: []field{{4, 4, 1}}, want: &abi.PhysdevIRQStatus{IRQ: 9, Flags: 1},
		},
		{
			name: "console_io", op: abi.ConsoleIO, args: abi.Args{H: &abi.ConsoleBuf{}},
			regs: [5]uint64{0, 0, at}, size: 8, want: &abi.ConsoleBuf{},
		},
		{
			name: "getdomaininfo", op: abi.DomctlOp, args: abi.Args{H: &abi.Domctl{Cmd: 5, Interface: 5, DomID: 3}},
			regs: [5]uint64{at}, size: 144,
			in: []field{{0, 4, 5}, {4, 4, 0x15}, {8, 2, 3}},
			out: []field{
				{16, 2, 3}, {20, 4, 0x20}, {24, 8, 100}, {32, 8, 200}, {64, 8, 300}, {72, 8, 400},
				{80, 4, 1}, {84, 4, 2}, {88, 4, 5}, {92, 1, 0xaa}, {107, 1, 0xbb},
			},
			want: &abi.Domctl{Cmd: 5, Interface: 5, DomID: 3, Info: wantInfo(3)},
		},
		{
			name: "pausedomain", op: abi.DomctlOp, args: abi.Args{H: &abi.Domctl{Cmd: 3, DomID: 3}},
			regs: [5]uint64{at}, size: 144, in: []field{{0, 4, 3}, {4, 4, 0x15}, {8, 2, 3}}, want: &abi.Domctl{Cmd: 3, DomID: 3},
		},
		{
			name: "physinfo", op: abi.SysctlOp, args: abi.Args{H: &abi.Sysctl{Cmd: 3}},
			regs: [5]uint64{at}, size: 136, in: []field{{0, 4, 3}, {4, 4, 0x15}},
			out: []field{
				{8, 4, 2}, {12, 4, 4}, {16, 4, 16}, {24, 4, 1}, {32, 4, 3000000},
				{48, 8, 1000}, {56, 8, 2000}, {64, 8, 3000},
			},
			want: &abi.Sysctl{Cmd: 3, Phys: abi.PhysInfo{
				ThreadsPerCore: 2, CoresPerSocket: 4, SocketsPerNode: 2, NrNodes: 1, CPUKHz: 3000000,
				TotalPages: 1000, FreePages: 2000, ScrubPages: 3000,
			}},
		},
		{
			name: "sched_id", op: abi.SysctlOp, args: abi.Args{H: &abi.Sysctl{Cmd: 4}},
			regs: [5]uint64{at}, size: 136, in: []field{{0, 4, 4}, {4, 4, 0x15}}, out: []field{{8, 4, 6}}, want: &abi.Sysctl{Cmd: 4, SchedID: 6},
		},
		{
			name: "getdomaininfolist", op: abi.SysctlOp, args: abi.Args{H: &abi.Sysctl{Cmd: 6, FirstDomain: 1, Domains: make([]abi.DomainInfo, 2)}},
			regs: [5]uint64{at}, size: 136 + 2*112,
			in: []field{{0, 4, 6}, {4, 4, 0x15}, {8, 2, 1}, {12, 4, 2}, {16, 8, at + 136}},
			out: []field{
				{24, 4, 1},
				{136, 2, 1}, {140, 4, 0x20}, {144, 8, 100}, {152, 8, 200}, {184, 8, 300}, {192, 8, 400},
				{200, 4, 1}, {204, 4, 2}, {208, 4, 5}, {212, 1, 0xaa}, {227, 1, 0xbb},
			},
			want: &abi.Sysctl{Cmd: 6, FirstDomain: 1, Domains: []abi.DomainInfo{wantInfo(1)}},
		},
		{
			name: "getenforce", op: abi.XSMOp, args: abi.Args{H: &abi.XSMOpArgs{Cmd: 2, Size: 4, Buf: []byte("junk")}},
			regs: [5]uint64{at}, size: 40, in: []field{{0, 4, 2}, {4, 4, 1}}, result: 1,
			want: &abi.XSMOpArgs{Cmd: 2, Size: 1, Buf: []byte("1\x00\x00\x00")},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := newFake(nil)
			x.respond = func(r *request, m memory) int64 {
				if r.op != uint64(test.op) || r.args != test.regs {
					t.Errorf("request is %#x %#x, want %#x %#x", r.op, r.args, test.op, test.regs)
				}
				if want := build(test.size, test.in...); len(want) > 0 && !cmp.Equal(m.b, want) {
					t.Errorf("Xen reads\n% x, want\n% x", m.b, want)
				}
				for _, f := range test.out {
					copy(m.b[f.off:], build(f.bytes, field{0, f.bytes, f.value}))
				}
				return test.result
			}
			d, err := x.domain(0)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range test.own {
				d.planner.ports.add(p)
			}
			for _, f := range test.frames {
				d.planner.frames.add(f)
			}
			call, err := d.Prepare(test.op, &test.args)
			if err != nil {
				t.Fatal(err)
			}
			if r := call(); r != test.result {
				t.Errorf("result is %d, want %d", r, test.result)
			}
			if diff := cmp.Diff(test.want, test.args.H, cmp.AllowUnexported(abi.EvtchnStatus{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// wantInfo is the domain that Xen writes in TestLayout.
func wantInfo(dom abi.DomID) abi.DomainInfo {
	return abi.DomainInfo{
		Domain: dom, Flags: 0x20, TotPages: 100, MaxPages: 200, SharedInfoMFN: 300, CPUTime: 400,
		NrOnlineVCPUs: 1, MaxVCPUID: 2, SSIDRef: 5, Handle: [16]byte{0: 0xaa, 15: 0xbb},
	}
}
