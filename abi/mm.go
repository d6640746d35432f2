package abi

// MMUUpdate is one request of mmu_update (public/xen.h, struct mmu_update).
// The two low bits of Ptr choose the command; the rest is the machine address
// of a page-table entry, or of the frame whose M2P entry is set.
type MMUUpdate struct {
	Ptr uint64
	Val uint64
}

// Commands in the low bits of MMUUpdate.Ptr.
const (
	MMUNormalPTUpdate   = 0 // checked update of *ptr = val
	MMUMachphysUpdate   = 1 // M2P entry of the frame ptr names = val
	MMUPTUpdatePreserve = 2 // later versions' only: Xen 3.2 answers -ENOSYS
)

// MMUUpdateArgs is mmu_update's handle. R[0] is unused; R[1] is foreigndom
// (DomSelf, or another domain's id). Done receives the requests completed.
type MMUUpdateArgs struct {
	Reqs []MMUUpdate
	Done uint32
}

// UVMFlags of update_va_mapping.
const (
	UVMFNone      = 0
	UVMFTLBFlush  = 1
	UVMFINVLPG    = 2
	UVMFFlushMask = 3
	UVMFMulti     = 0
	UVMFLocal     = 0
	UVMFAll       = 1 << 2
)

// update_va_mapping takes no handle: R[0] is the virtual address, R[1] the
// new entry, R[2] the flags; update_va_mapping_otherdomain adds R[3], the
// domain identifier.

// MMUExtCmd is a command of mmuext_op.
type MMUExtCmd uint32

// Commands of mmuext_op (public/xen.h).
const (
	PinL1Table     MMUExtCmd = 0
	PinL2Table     MMUExtCmd = 1
	PinL3Table     MMUExtCmd = 2
	PinL4Table     MMUExtCmd = 3
	UnpinTable     MMUExtCmd = 4
	NewBasePtr     MMUExtCmd = 5
	TLBFlushLocal  MMUExtCmd = 6
	INVLPGLocal    MMUExtCmd = 7
	TLBFlushMulti  MMUExtCmd = 8
	INVLPGMulti    MMUExtCmd = 9
	TLBFlushAll    MMUExtCmd = 10
	INVLPGAll      MMUExtCmd = 11
	FlushCache     MMUExtCmd = 12
	SetLDT         MMUExtCmd = 13
	NewUserBasePtr MMUExtCmd = 15
)

// MMUExtOpEntry is one operation of mmuext_op (struct mmuext_op): Arg1 is the
// frame or the linear address, Arg2 the entry count (SetLDT) or the vCPU mask.
type MMUExtOpEntry struct {
	Cmd  MMUExtCmd
	_    uint32
	Arg1 uint64
	Arg2 uint64
}

// MMUExtArgs is mmuext_op's handle. R[1] is foreigndom; Done receives the
// operations completed.
type MMUExtArgs struct {
	Ops  []MMUExtOpEntry
	Done uint32
}

// Page-table entry bits of x86.
const (
	PtePresent  uint64 = 1 << 0
	PteRW       uint64 = 1 << 1
	PteUser     uint64 = 1 << 2
	PtePWT      uint64 = 1 << 3
	PtePCD      uint64 = 1 << 4
	PteAccessed uint64 = 1 << 5
	PteDirty    uint64 = 1 << 6
	PtePSE      uint64 = 1 << 7
	PteGlobal   uint64 = 1 << 8
	PteAvail0   uint64 = 1 << 9  // free for the guest
	PteAvail1   uint64 = 1 << 10 // free for the guest
	PteAvail2   uint64 = 1 << 11 // free for the guest
	PteNX       uint64 = 1 << 63
)

// PteFrameMask covers the frame number of an entry.
const PteFrameMask uint64 = 0x000f_ffff_ffff_f000

// PteMFN returns the frame that an entry maps.
func PteMFN(pte uint64) MFN { return MFN((pte & PteFrameMask) >> PageShift) }

// MkPte makes an entry from a frame and flags.
func MkPte(m MFN, flags uint64) uint64 { return uint64(m)<<PageShift | flags }

// MemoryCmd is a command of memory_op (public/memory.h), in R[0].
type MemoryCmd uint64

// Commands of memory_op.
const (
	XENMEMIncreaseReservation MemoryCmd = 0
	XENMEMDecreaseReservation MemoryCmd = 1
	XENMEMMaximumRAMPage      MemoryCmd = 2
	XENMEMCurrentReservation  MemoryCmd = 3
	XENMEMMaximumReservation  MemoryCmd = 4
	XENMEMMachphysMFNList     MemoryCmd = 5
	XENMEMPopulatePhysmap     MemoryCmd = 6
	XENMEMAddToPhysmap        MemoryCmd = 7
	XENMEMTranslateGPFNList   MemoryCmd = 8
	XENMEMMemoryMap           MemoryCmd = 9
	XENMEMMachineMemoryMap    MemoryCmd = 10
	XENMEMMachphysMapping     MemoryCmd = 12
	XENMEMSetMemoryMap        MemoryCmd = 13
	XENMEMMaximumGPFN         MemoryCmd = 14
)

// MemoryReservation (struct xen_memory_reservation): ExtentStart holds the
// frames, in (decrease: MFNs; populate: PFNs) and out (increase: MFNs;
// populate: MFNs). The hypercall returns the number of extents done.
type MemoryReservation struct {
	ExtentStart []uint64
	ExtentOrder uint32
	AddressBits uint32
	DomID       DomID
}

// MemoryDomain is the handle of current_reservation, maximum_reservation and
// maximum_gpfn.
type MemoryDomain struct{ DomID DomID }

// AddToPhysmap (struct xen_add_to_physmap).
type AddToPhysmap struct {
	DomID DomID
	Space uint32 // 0 shared_info, 1 grant_table
	Idx   uint64
	GPFN  PFN
}

// TranslateGPFNList (struct xen_translate_gpfn_list).
type TranslateGPFNList struct {
	DomID DomID
	GPFNs []PFN
	MFNs  []MFN
}

// MachphysMapping is the handle of machphys_mapping (struct
// xen_machphys_mapping): where guests read the machine-to-physical table, 8
// bytes per frame.
type MachphysMapping struct {
	Start, End uint64 // linear addresses, out
	MaxMFN     MFN    // out
}

// MachphysMFNList is the handle of machphys_mfn_list: the first frame of every
// 2 MiB of the machine-to-physical table, as many as fit.
type MachphysMFNList struct{ Extents []MFN }

// E820Entry is one range of a memory map: type 1 is RAM, 2 reserved.
type E820Entry struct {
	Addr, Size uint64
	Type       uint32
}

// MemoryMap is the handle of memory_map, machine_memory_map (out) and, with
// DomID, of set_memory_map (in; struct xen_foreign_memory_map).
type MemoryMap struct {
	DomID   DomID
	Entries []E820Entry
}
