package abi

// xen_version: R[0] is the command.
const (
	XENVERVersion        = 0
	XENVERExtraversion   = 1 // *string
	XENVERCompileInfo    = 2 // *CompileInfo
	XENVERCapabilities   = 3 // *string
	XENVERChangeset      = 4 // *string
	XENVERPlatformParams = 5 // *uint64: start of the hypervisor's range
	XENVERGetFeatures    = 6 // *FeatureInfo
	XENVERPagesize       = 7
	XENVERGuestHandle    = 8 // *[16]byte
)

// CompileInfo is the handle of XENVER_compile_info.
type CompileInfo struct{ Compiler, By, Domain, Date string }

// FeatureInfo is the handle of XENVER_get_features.
type FeatureInfo struct {
	SubmapIdx uint32
	Submap    uint32 // out
}

// console_io: R[0] is the command; the handle is *ConsoleBuf. Returns bytes
// read, or 0 for a write.
const (
	CONSOLEIOWrite = 0
	CONSOLEIORead  = 1
)

// ConsoleBuf is console_io's handle.
type ConsoleBuf struct{ Data []byte }

// vm_assist: R[0] command, R[1] type.
const (
	VMASSTCmdEnable  = 0
	VMASSTCmdDisable = 1

	VMASSTWritablePagetables = 2
)

// physdev_op: R[0] is the command.
const (
	PHYSDEVOPIRQStatusQuery = 5  // *PhysdevIRQStatus
	PHYSDEVOPSetIOPL        = 6  // *PhysdevSetIOPL
	PHYSDEVOPSetIOBitmap    = 7  // *PhysdevSetIOBitmap
	PHYSDEVOPApicRead       = 8  // *PhysdevApic
	PHYSDEVOPApicWrite      = 9  // *PhysdevApic
	PHYSDEVOPAllocIRQVector = 10 // *PhysdevIRQ
	PHYSDEVOPFreeIRQVector  = 11 // *PhysdevIRQ
	PHYSDEVOPEOI            = 12 // *PhysdevEOI
)

// Handles of physdev_op.
type (
	PhysdevIRQStatus   struct{ IRQ, Flags uint32 }
	PhysdevSetIOPL     struct{ IOPL uint32 }
	PhysdevSetIOBitmap struct{ NrPorts uint32 }
	PhysdevApic        struct {
		APICPhysbase uint64
		Reg, Value   uint32
	}
	PhysdevIRQ struct{ IRQ, Vector uint32 }
	PhysdevEOI struct{ IRQ uint32 }
)

// platform_op's handle is *PlatformOpArgs.
const (
	XENPFSettime          = 17
	XENPFAddMemtype       = 31
	XENPFDelMemtype       = 32
	XENPFReadMemtype      = 33
	XENPFMicrocodeUpdate  = 35
	XENPFPlatformQuirk    = 39
	XENPFInterfaceVersion = 0x03000001
)

// PlatformOpArgs (struct xen_platform_op): the fields of the union that the
// command names are used.
type PlatformOpArgs struct {
	Cmd       uint32
	Interface uint32
	// settime
	Secs, NSecs uint32
	SystemTime  uint64
	// memtype
	MFN    MFN
	NrMFNs uint64
	Type   uint32
	Handle uint32
	Reg    uint32
	// microcode
	Data []byte
	// quirk
	QuirkID uint32
}

// xenoprof_op: R[0] is the command, 0 to 15 as in public/xenoprof.h; the
// handle is *XenoprofArgs.
const (
	XENOPROFInit             = 0
	XENOPROFResetActiveList  = 1
	XENOPROFResetPassiveList = 2
	XENOPROFSetActive        = 3
	XENOPROFSetPassive       = 4
	XENOPROFReserveCounters  = 5
	XENOPROFCounter          = 6
	XENOPROFSetupEvents      = 7
	XENOPROFEnableVIRQ       = 8
	XENOPROFStart            = 9
	XENOPROFStop             = 10
	XENOPROFDisableVIRQ      = 11
	XENOPROFReleaseCounters  = 12
	XENOPROFShutdown         = 13
	XENOPROFGetBuffer        = 14
)

// XenoprofArgs carries the argument of every xenoprof command.
type XenoprofArgs struct {
	DomID     DomID
	NumEvents uint32 // init: out
	IsPrimary bool   // init: out
	Counter   uint32
	Count     uint64
}

// kexec_op: R[0] is the command, R[1] the image type (0 default, 1 crash).
const (
	KEXECCmdKexec    = 0
	KEXECCmdLoad     = 1
	KEXECCmdUnload   = 2
	KEXECCmdGetRange = 3
)

// KexecArgs is kexec_op's handle.
type KexecArgs struct {
	Image []byte // load
	Range uint32 // get_range
	Nr    uint32 // get_range: which CPU
	Start uint64 // get_range: out
	Size  uint64 // get_range: out
}

// hvm_op: R[0] is the command.
const (
	HVMOPSetParam        = 0 // *HVMParam
	HVMOPGetParam        = 1 // *HVMParam
	HVMOPSetPCIIntxLevel = 2 // *HVMIntxLevel
	HVMOPSetISAIRQLevel  = 3 // *HVMISAIRQLevel
	HVMOPSetPCILinkRoute = 4 // *HVMLinkRoute
	HVMNrParams          = 16
)

// Handles of hvm_op.
type (
	HVMParam struct {
		DomID DomID
		Index uint32
		Value uint64
	}
	HVMIntxLevel struct {
		DomID                     DomID
		Domain, Bus, Device, Intx uint8
		Level                     uint8
	}
	HVMISAIRQLevel struct {
		DomID      DomID
		IRQ, Level uint8
	}
	HVMLinkRoute struct {
		DomID     DomID
		Link, IRQ uint8
	}
)
