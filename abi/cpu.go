package abi

// TrapFrame is what the model's processor hands to a guest's trap handler.
type TrapFrame struct {
	Vector uint8
	Error  uint32 // page fault: PF bits below
	CR2    uint64 // page fault: the linear address
	User   bool   // the interrupted code ran in user mode
}

// Bits of a page fault's error code.
const (
	PFProt  = 1 << 0
	PFWrite = 1 << 1
	PFUser  = 1 << 2
)

// Trap vectors.
const (
	TrapDivide    = 0
	TrapNoDevice  = 7
	TrapGP        = 13
	TrapPageFault = 14
)

// TrapInfo is an entry of set_trap_table (struct trap_info); Handler takes the
// place of the selector and address.
type TrapInfo struct {
	Vector  uint8
	Flags   uint8 // bits 0-1: privilege level; bit 2: clear event enable
	Handler func(*TrapFrame)
}

// TrapTable is set_trap_table's handle. A nil table clears all traps.
type TrapTable struct{ Traps []TrapInfo }

// Callbacks is set_callbacks' handle: the entry points for events and for
// failures (public/arch-x86/xen.h). It is also the handle of callback_op, whose
// command is in R[0]: 0 register (what is not nil), 1 unregister.
type Callbacks struct {
	Event, Failsafe func()
}

// NMICallback is nmi_op's handle, whose command is in R[0]: 0 register, 1
// unregister.
type NMICallback struct{ Handler func() }

// IretFrame is iret's handle: the state to return to.
type IretFrame struct {
	User     bool // return to user mode
	EventsOn bool // clear the vCPU's upcall mask on return
}

// StackSwitch takes R[0] ss, R[1] esp. FPUTaskSwitch takes R[0], set.
// SetGDT takes R[0], entries, and GDTFrames. UpdateDescriptor takes R[0], the
// machine address, and R[1], the descriptor. SetDebugreg takes R[0], register,
// R[1], value; GetDebugreg R[0]. SetSegmentBase takes R[0], which, and R[1].

// GDTFrames is set_gdt's handle.
type GDTFrames struct{ Frames []MFN }

// VCPUContext is the state of a vCPU that VCPUOP_initialise and the domctl
// setvcpucontext take (struct vcpu_guest_context).
type VCPUContext struct {
	Flags     uint64 // VGCFInKernel…
	Entry     VCPUEntry
	CR3       MFN // top-level page table
	Traps     []TrapInfo
	Callbacks Callbacks
	KernelSS  uint64
	KernelSP  uint64
	GDT       []MFN
	StartInfo *StartInfo // in the register that the ABI names (rsi/esi)
	EventMask bool
}

// VCPUEntry is where a vCPU starts: the instruction pointer of a vCPU of the
// model. The processor is the hypervisor's *VCPU, seen as an interface so that
// this package needs none of it.
type VCPUEntry func(cpu any, si *StartInfo)

// Flags of VCPUContext.
const (
	VGCFI387Valid = 1 << 0
	VGCFInKernel  = 1 << 2
	VGCFOnline    = 1 << 5 // the vCPU may run without VCPUOP_up
)

// StartInfo is what a domain finds at its start (struct start_info).
type StartInfo struct {
	Magic         string
	NrPages       uint64
	Shared        *SharedInfo
	SharedMFN     MFN
	Flags         uint32 // SIF bits
	StoreMFN      MFN
	StoreEvtchn   Port
	ConsoleMFN    MFN
	ConsoleEvtchn Port
	PTBase        uint64 // linear address of the top-level page table
	NrPTFrames    uint64
	MFNList       []MFN // the P2M table, indexed by PFN
	ModStart      uint64
	Module        []byte // the first boot module that is not a policy
	CmdLine       string
}

// Flags of StartInfo.
const (
	SIFPrivileged = 1 << 0
	SIFInitDomain = 1 << 1
)
