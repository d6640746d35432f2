package model

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// maxPollPorts is the most ports that SCHEDOP_poll takes.
const maxPollPorts = 128

// doSchedOp is sched_op (common/schedule.c): R[0] is the command.
func doSchedOp(m *Machine, v *VCPU, a *abi.Args) int64 {
	switch abi.SchedCmd(a.R[0]) {
	case abi.SCHEDOPYield:
		v.yield()
		return 0
	case abi.SCHEDOPBlock:
		v.block()
		return 0
	case abi.SCHEDOPShutdown:
		if op, _ := a.H.(*abi.SchedShutdown); op != nil {
			v.dom.shutDown(op.Reason, "")
			return 0
		}
	case abi.SCHEDOPPoll:
		if op, _ := a.H.(*abi.SchedPoll); op != nil {
			return v.poll(op)
		}
	case abi.SCHEDOPRemoteShutdown:
		if op, _ := a.H.(*abi.SchedRemoteShutdown); op != nil {
			return m.remoteShutdown(v, op)
		}
	default:
		return enosys
	}
	return efault
}

// doSchedOpCompat is sched_op's first form: the shutdown's reason is in R[1].
func doSchedOpCompat(_ *Machine, v *VCPU, a *abi.Args) int64 {
	switch abi.SchedCmd(a.R[0]) {
	case abi.SCHEDOPYield:
		v.yield()
	case abi.SCHEDOPBlock:
		v.block()
	case abi.SCHEDOPShutdown:
		v.dom.shutDown(uint32(a.R[1]), "")
	default:
		return enosys
	}
	return 0
}

// yield lets others run at the exit to the guest.
func (v *VCPU) yield() { v.pcpu.raise() }

// block opens the event mask and stops the vCPU until an event is pending.
func (v *VCPU) block() {
	v.info.UpcallMask.Store(0)
	// Look for events after blocking: one that arrives before is seen
	// here, one that arrives after unblocks.
	v.pauseFlags.Or(pauseBlocked)
	if v.info.UpcallPending.Load() != 0 {
		v.pauseFlags.And(^uint32(pauseBlocked))
		return
	}
	v.pcpu.raise()
}

// poll stops the vCPU until one of the ports is pending, masked or not, or
// the time is out.
func (v *VCPU) poll(op *abi.SchedPoll) int64 {
	if len(op.Ports) > maxPollPorts {
		return einval
	}
	v.pauseFlags.Or(pauseBlocked)
	v.polling.Store(true)
	v.dom.polling.Store(true)
	pending, rc := v.anyPending(op.Ports)
	if pending || rc != 0 {
		v.polling.Store(false)
		v.pauseFlags.And(^uint32(pauseBlocked))
		return rc
	}
	if op.Timeout != 0 {
		v.timer.polling = true
		v.timer.poll.Reset(v.until(op.Timeout))
	}
	v.pcpu.raise()
	return 0
}

// anyPending looks for a pending port in a list.
func (v *VCPU) anyPending(ports []abi.Port) (bool, int64) {
	for _, p := range ports {
		if p >= abi.NrEventChannels {
			return false, einval
		}
		if v.dom.shared.Pending[p/64].Load()&(1<<(p%64)) != 0 {
			return true, 0
		}
	}
	return false, 0
}

// remoteShutdown takes another domain down.
func (m *Machine) remoteShutdown(v *VCPU, op *abi.SchedRemoteShutdown) int64 {
	if !v.dom.Privileged {
		return eperm
	}
	d := m.domainByID(op.Dom)
	if d == nil {
		return esrch
	}
	if rc := xsm.SchedopShutdown(&v.VCPU, &v.dom.Domain, &d.Domain); rc != 0 {
		return int64(rc)
	}
	d.shutDown(op.Reason, "")
	return 0
}
