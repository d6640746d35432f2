package hypercall

import (
	"errors"
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// devices are the kernel's, through which a process reaches Xen.
type devices interface {
	caller
	// page gives ordinary memory of a page.
	page() (memory, error)
	// grantDevice opens a way to others' grants.
	grantDevice() (grantDevice, error)
	// grantPage grants a page of the kernel's to a domain, for writing too.
	grantPage(abi.DomID) (abi.GrantRef, error)
	// mapFrame maps a frame of another domain's.
	mapFrame(abi.DomID, uint64) (page []byte, unmap func(), err error)
	// events opens the device for events, anew with every call.
	events() (eventDevice, error)
	close() error
}

// Domain is the domain that the process runs in. As its benchmarks do, it may
// live on in a forked copy of the process. It is used by one goroutine at a
// time.
type Domain struct {
	id         abi.DomID
	privileged bool
	dev        devices
	planner    planner
	scratch    memory
	grants     *grants
	channels   channels
	avc        *avc // nil until it is asked for
}

var (
	_ bench.Hypercalls   = (*Domain)(nil)
	_ bench.Echoer       = (*Domain)(nil)
	_ bench.AVCKeeper    = (*Domain)(nil)
	_ bench.PerfCounting = (*Domain)(nil)
	_ bench.FrameMapper  = (*Domain)(nil)
)

// autoTranslated is the bit of Xen's features that says so.
const autoTranslated = 1 << 2

// newDomain asks Xen for what a domain of this kind may do, which also shows
// that hypercalls work.
func newDomain(id abi.DomID, privileged bool, dev devices, iface *Interface) (*Domain, error) {
	d := &Domain{id: id, privileged: privileged, dev: dev}
	d.planner.grants, d.planner.iface, d.planner.domains = d.openGrants, iface, domains{}
	d.planner.self = id
	f := &abi.FeatureInfo{}
	if err := d.once(abi.XenVersion, &abi.Args{R: [4]uint64{abi.XENVERGetFeatures}, H: f}); err != nil {
		return nil, fmt.Errorf("ask Xen for its features: %w", err)
	}
	d.planner.translated = f.Submap&autoTranslated != 0
	return d, nil
}

// Close closes the channels to the peer and the devices.
func (d *Domain) Close() error {
	return errors.Join(d.disconnect(), d.dev.close())
}

// DomID is the domain's own number.
func (d *Domain) DomID() abi.DomID { return d.id }

// Privileged reports whether the domain is dom0.
func (d *Domain) Privileged() bool { return d.privileged }

// Prepare readies a hypercall.
func (d *Domain) Prepare(op abi.Hypercall, a *abi.Args) (func() int64, error) {
	p, err := d.planner.plan(op, a)
	if err != nil {
		return nil, err
	}
	return p.ready(d.dev, op)
}

// once makes a hypercall outside of any benchmark.
func (d *Domain) once(op abi.Hypercall, a *abi.Args) error {
	_, err := d.result(op, a)
	return err
}

func (d *Domain) result(op abi.Hypercall, a *abi.Args) (int64, error) {
	call, err := d.Prepare(op, a)
	if err != nil {
		return 0, err
	}
	r := call()
	if r < 0 {
		return 0, abi.Errno(-r)
	}
	return r, nil
}

// Scratch gives a page of the process's. Its frames are the kernel's to know:
// only grant_copy takes the page, under the frame InvalidMFN, and grants are
// mapped where the kernel likes.
func (d *Domain) Scratch() (bench.Scratch, error) {
	if err := d.readyScratch(); err != nil {
		return bench.Scratch{}, err
	}
	return bench.Scratch{MFN: abi.InvalidMFN, VA: d.scratch.at, L1: abi.InvalidMFN}, nil
}

func (d *Domain) readyScratch() error {
	if d.scratch.b != nil {
		return nil
	}
	m, err := d.dev.page()
	if err != nil {
		return fmt.Errorf("make scratch page: %w", err)
	}
	d.scratch = m
	return nil
}

// MapFrame maps a frame of a domain that the process made. The own frames are the
// kernel's to map.
func (d *Domain) MapFrame(dom abi.DomID, frame abi.MFN) ([]byte, func(), error) {
	if !d.planner.domains[dom] {
		return nil, nil, fmt.Errorf("map frame of domain %d: the process did not make it: %w", dom, errors.ErrUnsupported)
	}
	return d.dev.mapFrame(dom, uint64(frame))
}

// openGrants opens the device for grants at the first call, so that a forked
// benchmark has one of its own.
func (d *Domain) openGrants() (*grants, error) {
	if d.grants != nil {
		return d.grants, nil
	}
	if err := d.readyScratch(); err != nil {
		return nil, err
	}
	args, err := d.dev.allocate(grantArgs)
	if err != nil {
		return nil, err
	}
	dev, err := d.dev.grantDevice()
	if err != nil {
		return nil, err
	}
	d.grants = &grants{dev: dev, args: args, page: d.scratch}
	return d.grants, nil
}

// Mode asks FLASK whether it enforces. The error is errors.ErrUnsupported if
// there is no FLASK.
func (d *Domain) Mode() (enforcing bool, err error) {
	if err := d.planner.iface.check("FLASK_GETENFORCE", flaskVersion, "xen_flask_op"); err != nil {
		return false, fmt.Errorf("ask FLASK for its mode: %s", err) // whether there is a FLASK is another question
	}
	r, err := d.result(abi.XSMOp, &abi.Args{H: &abi.XSMOpArgs{Cmd: flaskGetEnforce}})
	if errors.Is(err, abi.ENOSYS) {
		err = errors.ErrUnsupported
	}
	if err != nil {
		return false, fmt.Errorf("ask FLASK for its mode: %w", err)
	}
	return r != 0, nil
}

// Enforce has FLASK enforce its policy from now on.
func (d *Domain) Enforce() error {
	iface := d.planner.iface
	if err := iface.check("FLASK_SETENFORCE", flaskVersion, "xen_flask_op"); err != nil {
		return fmt.Errorf("have FLASK enforce: %w", err)
	}
	m, err := d.dev.allocate(flaskOpSize)
	if err != nil {
		return fmt.Errorf("have FLASK enforce: %w", err)
	}
	iface.encodeFlask(m, flaskSetEnforce)
	m.put32(flaskUnion, 1)
	if r := d.dev.hypercall(&request{op: uint64(abi.XSMOp), args: [5]uint64{m.at}}); r < 0 {
		return fmt.Errorf("have FLASK enforce: %w", abi.Errno(-r))
	}
	return nil
}

// Forbidden asks for the state of dom0's port 1, which only dom0 may. It
// returns the abi.Errno of the refusal, which tells the security modules
// apart (EPERM without FLASK, EACCES with it), and nil if there was none.
func (d *Domain) Forbidden() error {
	args := &abi.Args{R: [4]uint64{uint64(abi.EVTCHNOPStatus)}, H: &abi.EvtchnStatus{Dom: 0, Port: 1}}
	return d.once(abi.EventChannelOp, args)
}
