package abi

// SchedCmd is a command of sched_op (public/sched.h), in R[0].
type SchedCmd uint64

// Commands of sched_op.
const (
	SCHEDOPYield          SchedCmd = 0
	SCHEDOPBlock          SchedCmd = 1
	SCHEDOPShutdown       SchedCmd = 2
	SCHEDOPPoll           SchedCmd = 3
	SCHEDOPRemoteShutdown SchedCmd = 4
)

// Shutdown reasons.
const (
	ShutdownPoweroff = 0
	ShutdownReboot   = 1
	ShutdownSuspend  = 2
	ShutdownCrash    = 3
)

// Handles of sched_op.
type (
	SchedShutdown struct{ Reason uint32 }
	SchedPoll     struct {
		Ports   []Port
		Timeout uint64 // ns of system time, 0 for none
	}
	SchedRemoteShutdown struct {
		Dom    DomID
		_      uint16
		Reason uint32
	}
)

// VCPUCmd is a command of vcpu_op (public/vcpu.h), in R[0]; R[1] is the vCPU.
type VCPUCmd uint64

// Commands of vcpu_op.
const (
	VCPUOPInitialise          VCPUCmd = 0
	VCPUOPUp                  VCPUCmd = 1
	VCPUOPDown                VCPUCmd = 2
	VCPUOPIsUp                VCPUCmd = 3
	VCPUOPGetRunstateInfo     VCPUCmd = 4
	VCPUOPRegisterRunstate    VCPUCmd = 5
	VCPUOPSetPeriodicTimer    VCPUCmd = 6
	VCPUOPStopPeriodicTimer   VCPUCmd = 7
	VCPUOPSetSingleshotTimer  VCPUCmd = 8
	VCPUOPStopSingleshotTimer VCPUCmd = 9
	VCPUOPRegisterVCPUInfo    VCPUCmd = 10
)

// Runstates.
const (
	RunstateRunning  = 0
	RunstateRunnable = 1
	RunstateBlocked  = 2
	RunstateOffline  = 3
)

// Handles of vcpu_op. Times are nanoseconds of system time.
type (
	VCPURunstateInfo struct {
		State          int32
		StateEntryTime uint64
		Time           [4]uint64
	}
	VCPUSetPeriodicTimer   struct{ PeriodNS uint64 }
	VCPUSetSingleshotTimer struct {
		TimeoutAbsNS uint64
		Flags        uint32
	}
)

// set_timer_op takes R[0], the deadline in ns of system time, 0 for none.
