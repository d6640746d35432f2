// Package toolstack is dom0's domain builder: what libxc and xend of Xen 3.2
// do to create, start, watch and destroy a paravirtual domain (xc_dom_*.c in
// tools/libxc, XendDomainInfo.py). Everything is done by hypercalls, made
// through dom0's kernel: the new domain's frames are filled through mappings
// of foreign frames, its page tables are built in its own frames and pinned
// from outside.
package toolstack

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"xsmbench/abi"
)

// Kernel is what the toolstack needs of dom0's kernel: the hypercall device
// (privcmd) and its mappings.
type Kernel interface {
	Hypercall(op abi.Hypercall, a *abi.Args) int64
	// MapFrames maps frames of a domain, writable, at adjacent addresses.
	MapFrames(dom abi.DomID, mfns []abi.MFN) (va uint64, err error)
	UnmapFrames(va uint64, n int)
	// Page is the memory of a mapped frame.
	Page(va uint64) []byte
}

// Toolstack builds domains.
type Toolstack struct{ k Kernel }

// New returns a toolstack on dom0's kernel.
func New(k Kernel) *Toolstack { return &Toolstack{k} }

// Spec describes a domain to build.
type Spec struct {
	Name    string
	Frames  int // memory, in frames
	VCPUs   int
	Weight  uint16 // the credit scheduler's, 0 for its default
	Kernel  Image
	Module  []byte // the kernel's boot module, nil for none
	CmdLine string
	// Label is the security context, which a module that knows labels turns
	// into a number.
	Label  string
	Handle [16]byte // the domain's UUID
}

// Image is a kernel to load: its bytes, and where its first processor starts.
type Image struct {
	Data  []byte
	Entry abi.VCPUEntry
}

// Domain is a domain that the toolstack has built.
type Domain struct {
	ID   abi.DomID
	Spec Spec
	// Store and Console are the domain's ports that dom0 may bind to.
	Store, Console abi.Port
	ConsoleMFN     abi.MFN
	StoreMFN       abi.MFN
	Frames         []abi.MFN // its memory as it was built, by PFN
}

// call makes a hypercall; the error, if it fails, names it.
func (t *Toolstack) call(what string, op abi.Hypercall, a *abi.Args) error {
	if rc := t.k.Hypercall(op, a); rc < 0 {
		return fmt.Errorf("%s: %w", what, abi.Errno(-rc))
	}
	return nil
}

// domctl makes a domain control operation.
func (t *Toolstack) domctl(what string, op *abi.Domctl) error {
	op.Interface = abi.DomctlInterfaceVersion
	return t.call("domctl "+what, abi.DomctlOp, &abi.Args{H: op})
}

// contextToSID is FLASK's operation of that name (FLASK_CONTEXT_TO_SID).
const contextToSID = 4

// ssidref turns a security context into the number that createdomain takes:
// the module writes it in decimal over the context. Without a module that
// knows labels there is none, and the number is 0.
func (t *Toolstack) ssidref(context string) (uint32, error) {
	if context == "" {
		return 0, nil
	}
	buf := make([]byte, max(len(context)+1, 16))
	copy(buf, context)
	op := abi.XSMOpArgs{Cmd: contextToSID, Size: uint32(len(buf)), Buf: buf}
	rc := t.k.Hypercall(abi.XSMOp, &abi.Args{H: &op})
	if rc == -int64(abi.ENOSYS) {
		return 0, nil
	}
	if rc < 0 {
		return 0, fmt.Errorf("look up label %q: %w", context, abi.Errno(-rc))
	}
	text, _, _ := strings.Cut(string(op.Buf), "\x00")
	sid, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("look up label %q: the answer %q is not a number", context, text)
	}
	return uint32(sid), nil
}

// Create makes a domain, gives it memory and a kernel, and leaves it paused.
// What has been made when a step fails is destroyed.
func (t *Toolstack) Create(s Spec) (*Domain, error) {
	d, err := t.create(s)
	if err == nil {
		if err = t.furnish(d); err == nil {
			return d, nil
		}
		err = errors.Join(err, t.Destroy(d))
	}
	return nil, fmt.Errorf("create domain %s: %w", s.Name, err)
}

func (t *Toolstack) create(s Spec) (*Domain, error) {
	sid, err := t.ssidref(s.Label)
	if err != nil {
		return nil, err
	}
	op := abi.Domctl{Cmd: abi.DomctlCreateDomain, Create: abi.DomctlCreate{SSIDRef: sid, Handle: s.Handle}}
	if err := t.domctl("createdomain", &op); err != nil {
		return nil, err
	}
	return &Domain{ID: op.DomID, Spec: s}, nil
}

// furnish does all that stands between a new domain and its start.
func (t *Toolstack) furnish(d *Domain) error {
	for _, step := range []func(*Domain) error{
		t.setLimits, t.populate, t.openChannels, t.load,
	} {
		if err := step(d); err != nil {
			return err
		}
	}
	return nil
}

// setLimits sets how many processors and how much memory the domain may have,
// and its share of the machine.
func (t *Toolstack) setLimits(d *Domain) error {
	err := t.domctl("max_vcpus", &abi.Domctl{Cmd: abi.DomctlMaxVCPUs, DomID: d.ID, MaxVCPUs: uint32(d.Spec.VCPUs)})
	if err != nil {
		return err
	}
	// Some slack, as xend leaves it.
	kb := uint64(d.Spec.Frames+slackFrames) << (abi.PageShift - 10)
	if err := t.domctl("max_mem", &abi.Domctl{Cmd: abi.DomctlMaxMem, DomID: d.ID, MaxMemKB: kb}); err != nil {
		return err
	}
	if d.Spec.Weight == 0 {
		return nil
	}
	return t.domctl("scheduler_op", &abi.Domctl{Cmd: abi.DomctlSchedulerOp, DomID: d.ID,
		Sched: abi.DomctlScheduler{SchedID: 5, Put: true, Weight: d.Spec.Weight}})
}

// slackFrames is how much more memory than it is built with a domain may have.
const slackFrames = 256

// populate gives the domain its frames.
func (t *Toolstack) populate(d *Domain) error {
	list := make([]uint64, d.Spec.Frames)
	for i := range list {
		list[i] = uint64(i)
	}
	op := abi.MemoryReservation{ExtentStart: list, DomID: d.ID}
	rc := t.k.Hypercall(abi.MemoryOp, &abi.Args{R: [4]uint64{uint64(abi.XENMEMPopulatePhysmap)}, H: &op})
	if rc < 0 {
		return fmt.Errorf("memory_op populate_physmap: %w", abi.Errno(-rc))
	}
	if rc != int64(len(list)) {
		return fmt.Errorf("memory_op populate_physmap: %d of %d frames: %w", rc, len(list), abi.ENOMEM)
	}
	d.Frames = make([]abi.MFN, len(list))
	for i, m := range list {
		d.Frames[i] = abi.MFN(m)
	}
	return nil
}

// openChannels makes the domain's ports for the store and the console.
func (t *Toolstack) openChannels(d *Domain) error {
	for _, port := range []*abi.Port{&d.Store, &d.Console} {
		op := abi.EvtchnAllocUnbound{Dom: d.ID, RemoteDom: 0}
		err := t.call("evtchn alloc_unbound", abi.EventChannelOp,
			&abi.Args{R: [4]uint64{uint64(abi.EVTCHNOPAllocUnbound)}, H: &op})
		if err != nil {
			return err
		}
		*port = op.Port
	}
	return nil
}

// Bind binds a port of dom0's to one that a domain keeps for it.
func (t *Toolstack) Bind(d *Domain, remote abi.Port) (abi.Port, error) {
	op := abi.EvtchnBindInterdomain{RemoteDom: d.ID, RemotePort: remote}
	err := t.call("evtchn bind_interdomain", abi.EventChannelOp,
		&abi.Args{R: [4]uint64{uint64(abi.EVTCHNOPBindInterdomain)}, H: &op})
	return op.LocalPort, err
}

// Close closes a port of dom0's.
func (t *Toolstack) Close(p abi.Port) error {
	return t.call("evtchn close", abi.EventChannelOp,
		&abi.Args{R: [4]uint64{uint64(abi.EVTCHNOPClose)}, H: &abi.EvtchnClose{Port: p}})
}

// BindVIRQ binds a virtual interrupt of dom0's.
func (t *Toolstack) BindVIRQ(virq uint32) (abi.Port, error) {
	op := abi.EvtchnBindVIRQ{VIRQ: virq}
	err := t.call("evtchn bind_virq", abi.EventChannelOp,
		&abi.Args{R: [4]uint64{uint64(abi.EVTCHNOPBindVIRQ)}, H: &op})
	return op.Port, err
}

// Unpause starts a domain, Pause stops it.
func (t *Toolstack) Unpause(d *Domain) error {
	return t.domctl("unpausedomain", &abi.Domctl{Cmd: abi.DomctlUnpauseDomain, DomID: d.ID})
}

// Pause stops a domain until it is unpaused.
func (t *Toolstack) Pause(d *Domain) error {
	return t.domctl("pausedomain", &abi.Domctl{Cmd: abi.DomctlPauseDomain, DomID: d.ID})
}

// Info asks for a domain's state.
func (t *Toolstack) Info(id abi.DomID) (abi.DomainInfo, error) {
	op := abi.Domctl{Cmd: abi.DomctlGetDomainInfo, DomID: id}
	err := t.domctl("getdomaininfo", &op)
	if err == nil && op.DomID != id {
		err = fmt.Errorf("domctl getdomaininfo: %w", abi.ESRCH)
	}
	return op.Info, err
}

// ShutDown reports whether a domain has shut down or died, and the reason.
func (t *Toolstack) ShutDown(d *Domain) (down bool, reason uint32, err error) {
	info, err := t.Info(d.ID)
	if err != nil {
		return false, 0, err
	}
	down = info.Flags&(abi.DomInfShutdown|abi.DomInfDying) != 0
	return down, info.Flags >> abi.DomInfShutdownShift & abi.DomInfShutdownMask, nil
}

// destroyTries bounds how often a destruction that asks for it is repeated.
const destroyTries = 1000

// Destroy ends a domain and frees what it had. Mappings of its frames, and
// ports bound to it, must be gone for all of it to be freed.
func (t *Toolstack) Destroy(d *Domain) error {
	var err error
	for range destroyTries {
		err = t.domctl("destroydomain", &abi.Domctl{Cmd: abi.DomctlDestroyDomain, DomID: d.ID})
		if !errors.Is(err, abi.EAGAIN) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("destroy domain %d: %w", d.ID, err)
	}
	return nil
}

// PhysInfo asks for the machine's free memory, in frames.
func (t *Toolstack) PhysInfo() (abi.PhysInfo, error) {
	op := abi.Sysctl{Cmd: abi.SysctlPhysInfo, Interface: abi.SysctlInterfaceVersion}
	err := t.call("sysctl physinfo", abi.SysctlOp, &abi.Args{H: &op})
	return op.Phys, err
}
