package model

import (
	"slices"
	"sync"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// Profiling (common/xenoprof.c): one domain, the primary profiler, programs
// the counters and says which domains are profiled; those take part by
// enabling the interrupt and mapping their buffer.

// profState is where the primary profiler stands.
type profState uint8

const (
	profIdle profState = iota
	profInitialized
	profCountersReserved
	profReady
	profProfiling
)

const (
	profCounters  = 2  // counters of the processor
	maxProfDomain = 32 // domains on either list
	profLastOp    = 15
)

// profile is the profiler's state.
type profile struct {
	lock      sync.Mutex
	primary   *Domain
	state     profState
	active    []*Domain
	passive   []*Domain
	enabled   map[*Domain]bool // the interrupt is enabled
	counts    [profCounters]uint64
	activated int // active domains that are enabled
}

// nonPrivileged reports whether every domain may make a command.
func nonPrivileged(cmd uint64) bool {
	switch cmd {
	case abi.XENOPROFInit, abi.XENOPROFEnableVIRQ, abi.XENOPROFDisableVIRQ, abi.XENOPROFGetBuffer:
		return true
	}
	return false
}

// doXenoprofOp is xenoprof_op: R[0] is the command.
func doXenoprofOp(m *Machine, v *VCPU, a *abi.Args) int64 {
	p, cmd := &m.profile, a.R[0]
	if cmd > profLastOp {
		return einval
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	if !nonPrivileged(cmd) && v.dom != p.primary {
		return eperm
	}
	if rc := xsm.Profile(&v.VCPU, &v.dom.Domain, int(cmd)); rc != 0 {
		return int64(rc)
	}
	op, _ := a.H.(*abi.XenoprofArgs)
	switch cmd {
	case abi.XENOPROFInit, abi.XENOPROFGetBuffer, abi.XENOPROFSetActive, abi.XENOPROFSetPassive, abi.XENOPROFCounter:
		if op == nil {
			return efault
		}
	}
	switch cmd {
	case abi.XENOPROFInit:
		return p.init(v.dom, op)
	case abi.XENOPROFGetBuffer:
		if op.DomID != abi.DomSelf && !v.dom.Privileged {
			return eperm
		}
		op.NumEvents = profCounters
		return 0
	case abi.XENOPROFEnableVIRQ, abi.XENOPROFDisableVIRQ:
		return p.enable(v.dom, cmd == abi.XENOPROFEnableVIRQ)
	case abi.XENOPROFSetActive, abi.XENOPROFSetPassive:
		return m.profAdd(op.DomID, cmd == abi.XENOPROFSetActive)
	}
	return p.control(cmd, op)
}

// init makes the first privileged caller the primary profiler.
func (p *profile) init(d *Domain, op *abi.XenoprofArgs) int64 {
	if p.primary == nil && d.Privileged {
		p.primary = d
		p.state = profInitialized
	}
	op.NumEvents = profCounters
	op.IsPrimary = p.primary == d
	if p.enabled == nil {
		p.enabled = map[*Domain]bool{}
	}
	return 0
}

// enable lets a profiled domain take part, or not.
func (p *profile) enable(d *Domain, on bool) int64 {
	if on && p.primary == nil {
		return eperm
	}
	if on && !slices.Contains(p.active, d) {
		return enoent
	}
	if on != p.enabled[d] && slices.Contains(p.active, d) {
		if on {
			p.activated++
		} else {
			p.activated--
		}
	}
	if p.enabled == nil {
		p.enabled = map[*Domain]bool{}
	}
	p.enabled[d] = on
	return 0
}

// profAdd puts a domain on the list of those that profile themselves, or of
// those that are sampled without their doing.
func (m *Machine) profAdd(id abi.DomID, active bool) int64 {
	p := &m.profile
	d := m.domainByID(id)
	switch {
	case p.state != profInitialized && p.state != profIdle:
		return eperm
	case d == nil:
		return einval
	case slices.Contains(p.active, d) || slices.Contains(p.passive, d):
		return 0
	}
	list := &p.passive
	if active {
		list = &p.active
	}
	if len(*list) == maxProfDomain {
		return -int64(abi.E2BIG)
	}
	*list = append(*list, d)
	return 0
}

// control is the primary profiler's commands: each has its place in the order
// of states.
func (p *profile) control(cmd uint64, op *abi.XenoprofArgs) int64 {
	step := func(from, to profState, otherwise int64) int64 {
		if p.state != from {
			return otherwise
		}
		p.state = to
		return 0
	}
	switch cmd {
	case abi.XENOPROFResetActiveList:
		p.active, p.activated = nil, 0
	case abi.XENOPROFResetPassiveList:
		p.passive = nil
	case abi.XENOPROFReserveCounters:
		return step(profInitialized, profCountersReserved, eperm)
	case abi.XENOPROFCounter:
		if p.state != profCountersReserved && p.state != profReady {
			return eperm
		}
		if op.Counter >= profCounters {
			return -int64(abi.E2BIG)
		}
		p.counts[op.Counter] = op.Count
	case abi.XENOPROFSetupEvents:
		return step(profCountersReserved, profReady, eperm)
	case abi.XENOPROFStart:
		if p.activated != len(p.active) {
			return eperm
		}
		return step(profReady, profProfiling, eperm)
	case abi.XENOPROFStop:
		return step(profProfiling, profReady, eperm)
	case abi.XENOPROFReleaseCounters:
		if p.state != profCountersReserved && p.state != profReady {
			return 0
		}
		p.state = profInitialized
	case abi.XENOPROFShutdown:
		if p.state == profInitialized {
			p.state, p.primary = profIdle, nil
			p.active, p.passive, p.activated = nil, nil, 0
			clear(p.enabled)
		}
	default:
		return enosys
	}
	return 0
}
