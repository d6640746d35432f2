package hypercall

import (
	"errors"
	"strings"
	"testing"

	"xsmbench/abi"
)

// TestNamed makes hypercalls by names and compares their registers, what Xen sees
// in memory, and what the caller has after Xen has written.
func TestNamed(t *testing.T) {
	const at = firstAddress + 0x1000 // the first memory holds the features
	dom, port, value := abi.DomID(3), uint32(7), uint64(9)
	for _, tt := range []struct {
		name    string
		op      abi.Hypercall
		args    any // a named hypercall, or one of Xen 3.2's
		cmd     uint64
		made    abi.Hypercall // 0 for op
		regs    [5]uint64
		size    int
		in, out []field
		check   func() bool
	}{
		{
			name: "a command and a structure", op: abi.HVMOp, regs: [5]uint64{1, at}, size: 16,
			args: abi.Command("HVMOP_get_param", abi.Struct("xen_hvm_param",
				abi.Member("domid", abi.Variable(&dom)), abi.Member("index", abi.Number(1)), abi.Member("value", abi.Variable(&value)))),
			in: []field{{0, 2, 3}, {4, 4, 1}, {8, 8, 9}}, out: []field{{8, 8, 77}},
			check: func() bool { return dom == 3 && value == 77 },
		},
		{
			name: "blocks that point to each other", op: abi.DMOp, regs: [5]uint64{7, 1, at}, size: 48,
			in: []field{{0, 8, at + 16}, {8, 8, 32}, {16, 4, 20}},
			args: func() any {
				op := abi.Struct("xen_dm_op", abi.Member("op", abi.Constant("XEN_DMOP_nr_vcpus")))
				buffer := abi.Struct("xen_dm_op_buf", abi.Member("h", abi.Address(op)), abi.Member("size", abi.SizeOf(op)))
				return &abi.Named{Registers: []abi.Word{abi.Variable(&port), abi.Number(1), abi.Address(buffer)}}
			}(),
		},
		{
			name: "words", op: abi.MemoryOp, regs: [5]uint64{at}, size: 16,
			args: &abi.Named{Registers: []abi.Word{abi.Address(&abi.Block{Words: []abi.Word{abi.Number(4), abi.Variable(&value)}})}},
			in:   []field{{0, 8, 4}, {8, 8, 9}}, out: []field{{8, 8, 1 << 40}},
			check: func() bool { return value == 1<<40 },
		},
		{
			name: "a device model's command, which was hvm_op's", op: abi.HVMOp, made: abi.DMOp, cmd: abi.HVMOPSetISAIRQLevel,
			args: &abi.HVMISAIRQLevel{DomID: 5, IRQ: 4, Level: 1},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dom, port, value = 3, 7, 9
			x := newFake(nil)
			asked := false
			x.respond = func(r *request, _ memory) int64 {
				asked = true
				if want := tt.made; r.op != uint64(want) && want != 0 || want == 0 && r.op != uint64(tt.op) {
					t.Errorf("hypercall %d", r.op)
				}
				m := x.given[len(x.given)-1]
				if tt.size > 0 && (len(m.b) != tt.size || r.args != tt.regs) {
					t.Errorf("%d bytes, registers %#x, want %d, %#x", len(m.b), r.args, tt.size, tt.regs)
				}
				if tt.in != nil && string(m.b) != string(build(len(m.b), tt.in...)) {
					t.Errorf("Xen reads % x", m.b)
				}
				for _, f := range tt.out {
					copy(m.b[f.off:], build(f.bytes, field{0, f.bytes, f.value}))
				}
				return 0
			}
			d, err := x.domain(0)
			if err != nil {
				t.Fatal(err)
			}
			call, err := d.Prepare(tt.op, &abi.Args{R: [4]uint64{tt.cmd}, H: tt.args})
			if err != nil {
				t.Fatal(err)
			}
			if r := call(); r != 0 || !asked || tt.check != nil && !tt.check() {
				t.Errorf("result %d, domain %d, value %d", r, dom, value)
			}
		})
	}
}

// TestNamedRefused: what this Xen's headers lack, or lay out as no number is, is
// refused by its name, and Xen is not asked.
func TestNamedRefused(t *testing.T) {
	word := func(w abi.Word) *abi.Named { return &abi.Named{Registers: []abi.Word{w}} }
	at := func(b *abi.Block) *abi.Named { return word(abi.Address(b)) }
	for _, tt := range []struct {
		named *abi.Named
		want  string
	}{
		{word(abi.Constant("XENMEM_nothing")), "prepare memory_op: this Xen's public headers have no XENMEM_nothing"},
		{at(abi.Struct("xen_nothing")), "prepare memory_op: this Xen's public headers have no struct xen_nothing"},
		{at(abi.Struct("xen_hvm_param", abi.Member("odd", abi.Number(1)))), "prepare memory_op: this Xen's struct xen_hvm_param has no field odd"},
		{at(abi.Struct("xen_hvm_param", abi.Member("domid", abi.Address(abi.Struct("xen_nothing"))))), "no struct xen_nothing"},
		{word(abi.SizeOf(abi.Struct("xen_nothing"))), "no struct xen_nothing"},
		{at(abi.Struct("xen_domctl", abi.Member("u", abi.Number(1)))), "struct xen_domctl of 144 bytes has u, 128 bytes, at 16"},
		{&abi.Named{Registers: make([]abi.Word, 6)}, "prepare memory_op: 6 registers"},
	} {
		x := newFake(func(r *request, _ memory) int64 { t.Errorf("hypercall %d", r.op); return 0 })
		d, err := x.domain(0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Prepare(abi.MemoryOp, &abi.Args{H: tt.named})
		if err == nil || !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
	x := newFake(nil)
	x.iface = nil
	d, err := x.domain(0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Prepare(abi.MemoryOp, &abi.Args{H: word(abi.Number(0))}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without an interface: %v", err)
	}
}
