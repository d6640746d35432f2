package model

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// doSysctl is sysctl (common/sysctl.c): operations on the machine.
func doSysctl(m *Machine, v *VCPU, a *abi.Args) int64 {
	if !v.dom.Privileged {
		return eperm
	}
	op, _ := a.H.(*abi.Sysctl)
	if op == nil {
		return efault
	}
	if op.Interface != abi.SysctlInterfaceVersion {
		return eacces
	}
	m.sysctlLock.Lock()
	defer m.sysctlLock.Unlock()
	switch op.Cmd {
	case abi.SysctlReadConsole:
		if rc := xsm.ReadConsole(&v.VCPU, op.ConsoleClear); rc != 0 {
			return int64(rc)
		}
		op.Console = op.Console[:m.console.read(op.Console, op.ConsoleClear != 0)]
	case abi.SysctlTBufOp:
		if rc := xsm.TBufControl(&v.VCPU); rc != 0 {
			return int64(rc)
		}
		return m.traceControl(op)
	case abi.SysctlSchedID:
		if rc := xsm.SchedID(&v.VCPU); rc != 0 {
			return int64(rc)
		}
		op.SchedID = schedulerCredit
	case abi.SysctlGetDomainInfoList:
		return m.domainInfoList(v, op)
	case abi.SysctlPerfcOp:
		if rc := xsm.PerfControl(&v.VCPU); rc != 0 {
			return int64(rc)
		}
		return m.perfcControl(op)
	case abi.SysctlDebugKeys:
		for _, k := range op.Keys {
			m.handleKey(k)
		}
	case abi.SysctlGetCPUInfo:
		m.cpuIdle(op.CPUIdle)
	case abi.SysctlPhysInfo:
		if rc := xsm.PhysInfo(&v.VCPU); rc != 0 {
			return int64(rc)
		}
		m.physInfo(&op.Phys)
	default:
		return enosys
	}
	return 0
}

// domainInfoList describes domains from an identifier on, as many as there is
// room for. Domains that the caller may not see are left out; if the last one
// is of those, its refusal is the result, and the list is not cut.
func (m *Machine) domainInfoList(v *VCPU, op *abi.Sysctl) int64 {
	n := 0
	var rc abi.Errno
	for _, d := range m.domainList() {
		if d.ID < op.FirstDomain {
			continue
		}
		if n == len(op.Domains) {
			break
		}
		if rc = xsm.GetDomainInfo(&v.VCPU, &d.Domain); rc != 0 {
			continue
		}
		m.domainInfo(v, d, &op.Domains[n])
		n++
	}
	if rc != 0 {
		return int64(rc)
	}
	op.Domains = op.Domains[:n]
	return 0
}

// Commands of perfc_op.
const (
	perfcReset = 1
	perfcQuery = 2
)

// perfcControl resets or queries the performance counters: calls of every
// hypercall.
func (m *Machine) perfcControl(op *abi.Sysctl) int64 {
	switch op.PerfcCmd {
	case perfcReset:
		for _, c := range m.cpus {
			for i := range c.calls {
				c.calls[i].Store(0)
			}
		}
	case perfcQuery:
	default:
		return einval
	}
	op.PerfcNr = uint32(abi.NrHypercalls)
	op.Perfc = op.Perfc[:min(len(op.Perfc), int(abi.NrHypercalls))]
	for i := range op.Perfc {
		op.Perfc[i] = 0
		for _, c := range m.cpus {
			op.Perfc[i] += uint64(c.calls[i].Load())
		}
	}
	return 0
}

// cpuIdle tells how long processors have been idle, in ns.
func (m *Machine) cpuIdle(idle []uint64) {
	for i := range min(len(idle), len(m.cpus)) {
		idle[i] = m.cpus[i].idle.runstateNow().Time[abi.RunstateRunning]
	}
}

// cpuKHz is what the machine says its processors run at.
const cpuKHz = 1_000_000

func (m *Machine) physInfo(p *abi.PhysInfo) {
	*p = abi.PhysInfo{
		ThreadsPerCore: 1,
		CoresPerSocket: 1,
		SocketsPerNode: uint32(len(m.cpus)),
		NrNodes:        1,
		CPUKHz:         cpuKHz,
		TotalPages:     uint64(len(m.frames)),
		FreePages:      uint64(m.heap.available()),
	}
}

// handleKey prints what a key of the hypervisor's console asks for.
func (m *Machine) handleKey(k byte) {
	switch k {
	case 'h':
		m.printf("'h' pressed -> keys: h help, q domains, r run queues\n")
	case 'q':
		for _, d := range m.domainList() {
			m.printf("domain %d: refs %d, dying %d, pauses %d\n",
				d.ID, d.refs.Load(), d.dying.Load(), d.pauseCount.Load())
		}
	case 'r':
		for _, c := range m.cpus {
			c.lock.Lock()
			n := 0
			for v := c.runq.head; v != nil; v = v.sched.next {
				n++
			}
			dom, vcpu := c.curr.Domain.ID, c.curr.ID
			c.lock.Unlock()
			m.printf("CPU %d: runs domain %d vCPU %d, %d queued\n", c.id, dom, vcpu, n)
		}
	default:
		m.printf("key %#x has no meaning\n", k)
	}
}
