package model

import "xsmbench/abi"

// minPeriod is the shortest period of a periodic timer, in ns.
const minPeriod = 1000 * 1000

// singleshotFuture is VCPU_SSHOTTMR_future: refuse a deadline in the past.
const singleshotFuture = 1 << 0

// doVCPUOp is vcpu_op (common/domain.c): R[0] is the command, R[1] the vCPU
// of the caller's domain.
func doVCPUOp(m *Machine, v *VCPU, a *abi.Args) int64 {
	if a.R[1] >= abi.MaxVCPUs {
		return einval
	}
	t := v.dom.vcpu(int(a.R[1]))
	if t == nil {
		return enoent
	}
	switch abi.VCPUCmd(a.R[0]) {
	case abi.VCPUOPInitialise:
		ctx, _ := a.H.(*abi.VCPUContext)
		if ctx == nil {
			return efault
		}
		return t.initialise(ctx)
	case abi.VCPUOPUp:
		if !t.initialised.Load() {
			return einval
		}
		if t.pauseFlags.And(^uint32(pauseDown))&pauseDown != 0 {
			m.wake(t)
		}
	case abi.VCPUOPDown:
		if t.pauseFlags.Or(pauseDown)&pauseDown == 0 {
			m.sleep(t)
		}
	case abi.VCPUOPIsUp:
		if t.pauseFlags.Load()&pauseDown == 0 {
			return 1
		}
	case abi.VCPUOPGetRunstateInfo:
		info, _ := a.H.(*abi.VCPURunstateInfo)
		if info == nil {
			return efault
		}
		*info = t.runstateNow()
	case abi.VCPUOPRegisterRunstate:
		return v.registerRunstate(t, a)
	case abi.VCPUOPSetPeriodicTimer:
		set, _ := a.H.(*abi.VCPUSetPeriodicTimer)
		if set == nil {
			return efault
		}
		if set.PeriodNS < minPeriod {
			return einval
		}
		t.setPeriod(set.PeriodNS)
	case abi.VCPUOPStopPeriodicTimer:
		t.setPeriod(0)
	case abi.VCPUOPSetSingleshotTimer:
		return v.singleshotOp(t, a)
	case abi.VCPUOPStopSingleshotTimer:
		if t != v {
			return einval
		}
		t.timer.singleshot.Stop()
	default:
		return enosys
	}
	return 0
}

// initialise sets the state that a vCPU starts with, once (VCPUOP_initialise).
func (v *VCPU) initialise(ctx *abi.VCPUContext) int64 {
	v.dom.bigLock.Lock()
	defer v.dom.bigLock.Unlock()
	if v.initialised.Load() {
		return eexist
	}
	return v.setContext(ctx)
}

// registerRunstate names the area in which the vCPU finds its runstate, which
// is brought up to date whenever it gets a processor.
func (v *VCPU) registerRunstate(t *VCPU, a *abi.Args) int64 {
	area, _ := a.H.(*abi.VCPURunstateInfo)
	if area == nil {
		return efault
	}
	t.runstateArea.Store(area)
	if t == v {
		*area = t.runstateNow()
	}
	return 0
}

// singleshotOp arms the calling vCPU's single-shot timer.
func (v *VCPU) singleshotOp(t *VCPU, a *abi.Args) int64 {
	if t != v {
		return einval
	}
	set, _ := a.H.(*abi.VCPUSetSingleshotTimer)
	if set == nil {
		return efault
	}
	if set.Flags&singleshotFuture != 0 && set.TimeoutAbsNS < v.SystemTime() {
		return -int64(abi.ETIME)
	}
	v.setSingleshot(set.TimeoutAbsNS)
	return 0
}
