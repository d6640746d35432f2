//go:build xsm && flask

package flasktest

import (
	"strings"
	"sync"
	"testing"
	"time"

	"xsmbench/abi"
	"xsmbench/hv/model"
	"xsmbench/hv/model/toolstack"
	"xsmbench/xsm"
	"xsmbench/xsm/flask"
	"xsmbench/xsm/flask/policy"
)

// guest is a domain whose kernel makes the hypercalls that a test asks for.
type guest struct {
	id     abi.DomID
	label  string
	work   chan func(*model.VCPU)
	done   chan struct{}
	si     *abi.StartInfo
	domain *toolstack.Domain // nil for dom0

}

func newGuest(label string) *guest {
	return &guest{label: label, work: make(chan func(*model.VCPU)), done: make(chan struct{})}
}

// entry is the kernel. A vCPU that waits for work can be interrupted, as any.
func (g *guest) entry(cpu any, si *abi.StartInfo) {
	v := cpu.(*model.VCPU)
	g.id, g.si = v.Domain.ID, si
	for {
		select {
		case f := <-g.work:
			f(v)
			g.done <- struct{}{}
		case <-time.After(50 * time.Microsecond):
			v.InterruptWindow()
		}
	}
}

// do runs f on the domain's vCPU.
func (g *guest) do(t *testing.T, f func(*model.VCPU)) {
	t.Helper()
	late := time.After(10 * time.Second)
	select {
	case g.work <- f:
	case <-late:
		t.Fatalf("%s does not run", g.label)
	}
	select {
	case <-g.done:
	case <-late:
		t.Fatalf("%s does not come back from a hypercall", g.label)
	}
}

// Addresses and frames of a guest's memory, by PFN.
func va(pfn int) uint64               { return abi.VirtBase + uint64(pfn)<<abi.PageShift }
func (g *guest) mfn(pfn int) abi.MFN  { return g.si.MFNList[pfn] }
func (g *guest) table() int           { return int((g.si.PTBase - abi.VirtBase) >> abi.PageShift) }
func (g *guest) free(i int) int       { return g.table() + int(g.si.NrPTFrames) + 2 + i }
func (g *guest) page(i int) abi.MFN   { return g.mfn(g.free(i)) }
func (g *guest) entryOf(i int) uint64 { return g.l1()<<abi.PageShift | g.slot(i)<<3 }

// l1 is the lowest page table of a guest whose memory one of them maps: the
// builders lay tables out from the top level down.
func (g *guest) l1() uint64        { return uint64(g.mfn(g.table() + int(g.si.NrPTFrames) - 1)) }
func (g *guest) slot(i int) uint64 { return uint64(abi.PTIndex(va(g.free(i)), 1)) }
func own(m abi.MFN) uint64 {
	return abi.MkPte(m, abi.PtePresent|abi.PteAccessed|abi.PteDirty|abi.PteRW)
}
func readOnly(m abi.MFN) uint64  { return own(m) &^ abi.PteRW }
func frameAddr(m abi.MFN) uint64 { return uint64(m) << abi.PageShift }
func label(typ string) string    { return "system_u:vm_r:" + typ }
func number(n int64) string      { return abi.Errno(n).String() }

// privcmd is dom0's kernel for the toolstack: foreign frames are mapped over
// the last pages of its own memory.
type privcmd struct {
	v      *model.VCPU
	window uint64
}

func (k privcmd) Hypercall(op abi.Hypercall, a *abi.Args) int64 { return k.v.Hypercall(op, a) }

func (k privcmd) MapFrames(dom abi.DomID, mfns []abi.MFN) (uint64, error) {
	for i, m := range mfns {
		a := abi.Args{R: [4]uint64{k.window + uint64(i)<<abi.PageShift, own(m), abi.UVMFINVLPG, uint64(dom)}}
		if rc := k.v.Hypercall(abi.UpdateVAMappingOther, &a); rc != 0 {
			return 0, abi.Errno(-rc)
		}
	}
	return k.window, nil
}

func (k privcmd) UnmapFrames(at uint64, n int) {
	for i := range n {
		k.v.Hypercall(abi.UpdateVAMapping, &abi.Args{R: [4]uint64{at + uint64(i)<<abi.PageShift, 0, abi.UVMFINVLPG}})
	}
}

func (k privcmd) Page(at uint64) []byte { return k.v.Page(at, true, false) }

// screen is the machine's console.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) write(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p)
}

// take returns what was printed since it was last called.
func (s *screen) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.text.String()
	s.text.Reset()
	return text
}

// denials returns the lines of what was printed that audit a denial.
func (s *screen) denials() []string {
	var lines []string
	for line := range strings.Lines(s.take()) {
		if strings.Contains(line, "avc:  denied") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// Sizes in frames.
const (
	machineFrames = 4096
	dom0Frames    = 1024
	guestFrames   = 96
	windowFrames  = 64
)

// world is a machine that runs dom0 and three guests of different labels; a
// fourth, an HVM guest, has been created and no more.
type world struct {
	m      *model.Machine
	screen *screen

	dom0, domU, isolated, kept *guest
	hvm                        abi.DomID
}

// boot builds and starts a machine whose boot modules are dom0's kernel and
// those given.
func boot(t *testing.T, dom0 *guest, cmdLine string, modules ...xsm.BootModule) (*model.Machine, *screen, error) {
	t.Helper()
	model.RegisterKernel(t.Name(), dom0.entry)
	s := &screen{}
	m, err := model.New(model.Config{
		Frames: machineFrames, Dom0Frames: dom0Frames, CPUs: 6, Dom0VCPUs: 2, CmdLine: cmdLine, Console: s.write,
		Modules: append([]xsm.BootModule{{Name: "kernel", Data: model.KernelImage(t.Name(), abi.PageSize)}}, modules...),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	return m, s, m.Start()
}

func newWorld(t *testing.T, cmdLine string, pol []byte) *world {
	t.Helper()
	w := &world{dom0: newGuest("dom0_t"), domU: newGuest("domU_t"), isolated: newGuest("isolated_domU_t"), kept: newGuest("nomigrate_t")}
	var err error
	if w.m, w.screen, err = boot(t, w.dom0, cmdLine, xsm.BootModule{Name: policy.FileName, Data: pol}); err != nil {
		t.Fatalf("%v\n%s", err, w.screen.take())
	}
	for _, g := range []*guest{w.domU, w.isolated, w.kept} {
		w.build(t, g)
	}
	w.dom0.do(t, func(v *model.VCPU) {
		op := &abi.Domctl{Cmd: abi.DomctlCreateDomain}
		op.Create.Flags, op.Create.SSIDRef = 1, sidOf(v, label("nomigrate_t"))
		if rc := domctl(v, op); rc != 0 {
			t.Errorf("create an HVM guest: %s", number(rc))
		}
		w.hvm = op.DomID
	})
	if d := w.screen.denials(); len(d) != 0 || t.Failed() {
		t.Fatalf("dom0 cannot build its domains: %q", d)
	}
	return w
}

// build has dom0's toolstack build and start a guest.
func (w *world) build(t *testing.T, g *guest) {
	t.Helper()
	w.dom0.do(t, func(v *model.VCPU) {
		ts := toolstack.New(privcmd{v, va(dom0Frames - windowFrames)})
		d, err := ts.Create(toolstack.Spec{
			Name: g.label, Frames: guestFrames, VCPUs: 1, Label: label(g.label),
			Kernel: toolstack.Image{Data: make([]byte, abi.PageSize), Entry: g.entry},
		})
		if err == nil {
			err = ts.Unpause(d)
		}
		if err != nil {
			t.Error(err)
			return
		}
		g.domain = d
	})
	if t.Failed() {
		t.FailNow()
	}
	g.do(t, func(*model.VCPU) {}) // it runs
}

// answer is what a hypercall returns, or the status of a grant operation.
type answer struct {
	rc     int64
	status int16
}

var ok = answer{}

func no(e abi.Errno) answer { return answer{rc: -int64(e)} }
func ret(rc int64) answer   { return answer{rc: rc} }
func status(s int16) answer { return answer{status: s} }
func (a answer) String() string {
	if a.status != 0 {
		return "status " + number(int64(a.status))
	}
	return number(a.rc)
}

// call makes a hypercall with a command in R[0].
func call[C ~uint32 | ~uint64 | ~int](v *model.VCPU, nr abi.Hypercall, cmd C, handle any, r ...uint64) int64 {
	a := abi.Args{H: handle}
	a.R[0] = uint64(cmd)
	copy(a.R[1:], r)
	return v.Hypercall(nr, &a)
}

func domctl(v *model.VCPU, op *abi.Domctl) int64 {
	op.Interface = abi.DomctlInterfaceVersion
	return call(v, abi.DomctlOp, 0, op)
}

func evtchn(v *model.VCPU, cmd abi.EvtchnCmd, handle any) int64 {
	return call(v, abi.EventChannelOp, cmd, handle)
}

// flaskOp makes an operation of FLASK's hypercall on a text.
func flaskOp(v *model.VCPU, cmd uint32, text string) (string, int64) {
	buf := make([]byte, 256)
	copy(buf, text)
	op := abi.XSMOpArgs{Cmd: cmd, Size: uint32(len(buf)), Buf: buf}
	rc := call(v, abi.XSMOp, 0, &op)
	reply, _, _ := strings.Cut(string(buf), "\x00")
	return reply, rc
}

// sidOf asks FLASK for a context's number; 0 if there is none.
func sidOf(v *model.VCPU, context string) uint32 {
	text, rc := flaskOp(v, flask.OpContextToSID, context)
	var sid uint32
	for _, c := range text {
		if rc != 0 || c < '0' || c > '9' {
			return 0
		}
		sid = sid*10 + uint32(c-'0')
	}
	return sid
}

// setEnforcing changes the mode, which also empties the cache on the way to
// enforcing, so that a permissive denial is audited again.
func (w *world) setEnforcing(t *testing.T, on bool) {
	t.Helper()
	modes := []string{"1", "0"}
	if on {
		modes = modes[:1]
	}
	w.dom0.do(t, func(v *model.VCPU) {
		for _, mode := range modes {
			if _, rc := flaskOp(v, flask.OpSetEnforce, mode); rc != 0 {
				t.Errorf("setenforce %s: %s", mode, number(rc))
			}
		}
	})
}
