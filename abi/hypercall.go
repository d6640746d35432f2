package abi

// Hypercall is a hypercall's number (public/xen.h).
type Hypercall uint32

// Hypercalls of Xen 3.2.
const (
	SetTrapTable         Hypercall = 0
	MMUUpdateOp          Hypercall = 1
	SetGDT               Hypercall = 2
	StackSwitch          Hypercall = 3
	SetCallbacks         Hypercall = 4
	FPUTaskSwitch        Hypercall = 5
	SchedOpCompat        Hypercall = 6
	PlatformOp           Hypercall = 7
	SetDebugreg          Hypercall = 8
	GetDebugreg          Hypercall = 9
	UpdateDescriptor     Hypercall = 10
	MemoryOp             Hypercall = 12
	Multicall            Hypercall = 13
	UpdateVAMapping      Hypercall = 14
	SetTimerOp           Hypercall = 15
	EventChannelCompat   Hypercall = 16
	XenVersion           Hypercall = 17
	ConsoleIO            Hypercall = 18
	PhysdevOpCompat      Hypercall = 19
	GrantTableOp         Hypercall = 20
	VMAssist             Hypercall = 21
	UpdateVAMappingOther Hypercall = 22
	Iret                 Hypercall = 23
	VCPUOp               Hypercall = 24
	SetSegmentBase       Hypercall = 25
	MMUExtOp             Hypercall = 26
	XSMOp                Hypercall = 27
	NMIOp                Hypercall = 28
	SchedOp              Hypercall = 29
	CallbackOp           Hypercall = 30
	XenoprofOp           Hypercall = 31
	EventChannelOp       Hypercall = 32
	PhysdevOp            Hypercall = 33
	HVMOp                Hypercall = 34
	SysctlOp             Hypercall = 35
	DomctlOp             Hypercall = 36
	KexecOp              Hypercall = 37
	NrHypercalls         Hypercall = 38
)

// Args are a hypercall's registers. Integer arguments are in R, in the order
// of the C prototype with guest handles left out; the guest handle, if the
// hypercall takes one, is the pointer in H. A nil H, or one of a type that
// the hypercall does not take, is answered with -EFAULT.
type Args struct {
	R [4]uint64
	H any
}

// MulticallEntry is one call of a multicall batch (public/xen.h, struct
// multicall_entry); Result receives what the call returned.
type MulticallEntry struct {
	Op     Hypercall
	Args   Args
	Result int64
}

// MulticallList is what HYPERVISOR_multicall's handle points to.
type MulticallList struct{ Calls []MulticallEntry }

// DomID identifies a domain.
type DomID uint16

// Reserved domain identifiers (public/xen.h).
const (
	DomFirstReserved DomID = 0x7ff0
	DomSelf          DomID = 0x7ff0
	DomIO            DomID = 0x7ff1
	DomXen           DomID = 0x7ff2
	DomIdle          DomID = 0x7fff
	DomInvalid       DomID = 0x7ff4
)

// MFN is a machine frame number, PFN a guest's pseudo-physical one.
type (
	MFN uint64
	PFN uint64
)

// InvalidMFN marks the absence of a frame.
const InvalidMFN MFN = ^MFN(0)

// Page geometry.
const (
	PageShift = 12
	PageSize  = 1 << PageShift
)
