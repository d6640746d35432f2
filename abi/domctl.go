package abi

// DomctlCmd is a command of domctl (public/domctl.h).
type DomctlCmd uint32

// Commands of domctl.
const (
	DomctlCreateDomain      DomctlCmd = 1
	DomctlDestroyDomain     DomctlCmd = 2
	DomctlPauseDomain       DomctlCmd = 3
	DomctlUnpauseDomain     DomctlCmd = 4
	DomctlGetDomainInfo     DomctlCmd = 5
	DomctlGetMemList        DomctlCmd = 6
	DomctlGetPageFrameInfo  DomctlCmd = 7
	DomctlGetPageFrameInfo2 DomctlCmd = 8
	DomctlSetVCPUAffinity   DomctlCmd = 9
	DomctlShadowOp          DomctlCmd = 10
	DomctlMaxMem            DomctlCmd = 11
	DomctlSetVCPUContext    DomctlCmd = 12
	DomctlGetVCPUContext    DomctlCmd = 13
	DomctlGetVCPUInfo       DomctlCmd = 14
	DomctlMaxVCPUs          DomctlCmd = 15
	DomctlSchedulerOp       DomctlCmd = 16
	DomctlSetDomainHandle   DomctlCmd = 17
	DomctlSetDebugging      DomctlCmd = 18
	DomctlIRQPermission     DomctlCmd = 19
	DomctlIOMemPermission   DomctlCmd = 20
	DomctlIOPortPermission  DomctlCmd = 21
	DomctlHypercallInit     DomctlCmd = 22
	DomctlArchSetup         DomctlCmd = 23
	DomctlSetTimeOffset     DomctlCmd = 24
	DomctlGetVCPUAffinity   DomctlCmd = 25
	DomctlRealModeArea      DomctlCmd = 26
	DomctlResumeDomain      DomctlCmd = 27
	DomctlGetHVMContext     DomctlCmd = 33
	DomctlSetHVMContext     DomctlCmd = 34
	DomctlSetAddressSize    DomctlCmd = 35
	DomctlGetAddressSize    DomctlCmd = 36

	DomctlInterfaceVersion = 0x00000005
)

// Domctl is domctl's handle (struct xen_domctl): the fields of the union that
// the command names are used; results come back in the same fields.
type Domctl struct {
	Cmd       DomctlCmd
	Interface uint32
	DomID     DomID

	Create     DomctlCreate
	Info       DomainInfo
	MaxMemKB   uint64
	MaxVCPUs   uint32
	VCPU       uint32
	Context    *VCPUContext
	VCPUInfo   DomctlVCPUInfo
	Affinity   uint64 // bit per physical CPU
	Sched      DomctlScheduler
	Handle     [16]byte
	Enable     uint8
	IRQ        DomctlIRQ
	IOMem      DomctlIOMem
	IOPort     DomctlIOPort
	TimeOffset int32
	MemList    DomctlMemList
	PageInfo   DomctlPageInfo
	PageInfo2  []uint64 // frames in, types or-ed in out
	HyperGMFN  uint64   // hypercall_init
	Shadow     DomctlShadow
	AddrSize   uint32 // bits
	HVM        []byte // hvmcontext
}

// Parts of Domctl.
type (
	DomctlCreate struct {
		SSIDRef uint32
		Handle  [16]byte
		Flags   uint32 // bit 0: HVM guest
	}
	// DomainInfo is struct xen_domctl_getdomaininfo.
	DomainInfo struct {
		Domain        DomID
		Flags         uint32
		TotPages      uint64
		MaxPages      uint64
		SharedInfoMFN uint64
		CPUTime       uint64 // ns
		NrOnlineVCPUs uint32
		MaxVCPUID     uint32
		SSIDRef       uint32
		Handle        [16]byte
	}
	DomctlVCPUInfo struct {
		Online, Blocked, Running bool
		CPUTime                  uint64 // ns
		CPU                      uint32
	}
	// DomctlScheduler is the credit scheduler's parameters; Put sets them.
	DomctlScheduler struct {
		SchedID uint32 // 5: credit
		Put     bool
		Weight  uint16
		Cap     uint16
	}
	DomctlIRQ   struct{ PIRQ, Allow uint8 }
	DomctlIOMem struct {
		First MFN
		Nr    uint64
		Allow uint8
	}
	DomctlIOPort struct {
		First, Nr uint32
		Allow     uint8
	}
	DomctlMemList struct {
		MaxPFNs uint64
		Buffer  []MFN  // out
		Num     uint64 // out
	}
	DomctlPageInfo struct {
		GMFN uint64
		Type uint32 // out: DomctlPFType bits
	}
	DomctlShadow struct {
		Op        uint32
		Mode      uint32
		MB        uint32
		Dirty     []uint64 // out: bitmap
		Pages     uint64
		FaultStat uint64
		DirtyStat uint64
	}
)

// Flags of DomainInfo.
const (
	DomInfDying    = 1 << 0
	DomInfHVM      = 1 << 1
	DomInfShutdown = 1 << 2
	DomInfPaused   = 1 << 3
	DomInfBlocked  = 1 << 4
	DomInfRunning  = 1 << 5

	DomInfShutdownShift = 16
	DomInfShutdownMask  = 255
)

// Page types that getpageframeinfo reports.
const (
	DomctlPFLTabTypeMask = 0x7 << 28
	DomctlPFNoTab        = 0
	DomctlPFL1Tab        = 1 << 28
	DomctlPFL2Tab        = 2 << 28
	DomctlPFL3Tab        = 3 << 28
	DomctlPFL4Tab        = 4 << 28
	DomctlPFLPinTab      = 1 << 31
	DomctlPFXTab         = 0xf << 28
)

// Shadow operations.
const (
	ShadowOpOff             = 0
	ShadowOpEnable          = 32
	ShadowOpEnableTest      = 1
	ShadowOpEnableLogdirty  = 2
	ShadowOpEnableTranslate = 3
	ShadowOpClean           = 11
	ShadowOpPeek            = 12
	ShadowOpGetAllocation   = 30
	ShadowOpSetAllocation   = 31
)

// SysctlCmd is a command of sysctl (public/sysctl.h).
type SysctlCmd uint32

// Commands of sysctl.
const (
	SysctlReadConsole       SysctlCmd = 1
	SysctlTBufOp            SysctlCmd = 2
	SysctlPhysInfo          SysctlCmd = 3
	SysctlSchedID           SysctlCmd = 4
	SysctlPerfcOp           SysctlCmd = 5
	SysctlGetDomainInfoList SysctlCmd = 6
	SysctlDebugKeys         SysctlCmd = 7
	SysctlGetCPUInfo        SysctlCmd = 8

	SysctlInterfaceVersion = 0x00000006
)

// Sysctl is sysctl's handle (struct xen_sysctl).
type Sysctl struct {
	Cmd       SysctlCmd
	Interface uint32

	ConsoleClear uint32
	Console      []byte // readconsole: buffer, cut to what was read
	TBufCmd      uint32 // 0 get_info 1 set_cpu_mask 2 set_evt_mask 3 set_size 4 enable 5 disable
	TBufMask     uint64
	TBufSize     uint32
	Phys         PhysInfo
	SchedID      uint32   // out
	PerfcCmd     uint32   // 1 reset, 2 query
	PerfcNr      uint32   // out: number of counters
	Perfc        []uint64 // out: counters, one per hypercall number, as room is given
	FirstDomain  DomID
	Domains      []DomainInfo // capacity in, cut to what was filled
	Keys         []byte
	CPUIdle      []uint64 // ns idle per physical CPU
}

// PhysInfo is struct xen_sysctl_physinfo.
type PhysInfo struct {
	ThreadsPerCore, CoresPerSocket, SocketsPerNode, NrNodes uint32
	CPUKHz                                                  uint32
	TotalPages, FreePages, ScrubPages                       uint64
}

// XSMOpArgs is xsm_op's handle. Its layout is the module's own: FLASK reads
// it as struct flask_op of 3.2 (Cmd, Size, Buf). It returns a non-negative
// count or value, or a negated error.
type XSMOpArgs struct {
	Cmd  uint32
	Size uint32
	Buf  []byte
}
