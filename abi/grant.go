package abi

// GrantCmd is a command of grant_table_op (public/grant_table.h), in R[0].
// The handle is a pointer to the operation's structure, or, for a batch, to
// one of the list types below; the count is the list's length.
type GrantCmd uint64

// Commands of grant_table_op.
const (
	GNTTABOPMapGrantRef   GrantCmd = 0
	GNTTABOPUnmapGrantRef GrantCmd = 1
	GNTTABOPSetupTable    GrantCmd = 2
	GNTTABOPDumpTable     GrantCmd = 3
	GNTTABOPTransfer      GrantCmd = 4
	GNTTABOPCopy          GrantCmd = 5
	GNTTABOPQuerySize     GrantCmd = 6
	GNTTABOPUnmapReplace  GrantCmd = 7
)

// GrantRef is an index into a domain's grant table, GrantHandle one into the
// mapping domain's maptrack table.
type (
	GrantRef    uint32
	GrantHandle uint32
)

// GrantEntry is an entry of the shared grant table (struct grant_entry). The
// table lies in guest memory: NrGrantFrames frames of 512 entries. Flags is
// read and changed atomically together with DomID, as one 32-bit word.
type GrantEntry struct {
	Flags uint16
	DomID DomID
	Frame uint32
}

// Flags of a grant entry.
const (
	GTFInvalid           = 0
	GTFPermitAccess      = 1
	GTFAcceptTransfer    = 2
	GTFTypeMask          = 3
	GTFReadonly          = 1 << 2
	GTFReading           = 1 << 3
	GTFWriting           = 1 << 4
	GTFTransferCommitted = 1 << 2
	GTFTransferCompleted = 1 << 3
)

// Flags of a mapping.
const (
	GNTMAPDeviceMap      = 1 << 0
	GNTMAPHostMap        = 1 << 1
	GNTMAPReadonly       = 1 << 2
	GNTMAPApplicationMap = 1 << 3
	GNTMAPContainsPTE    = 1 << 4
)

// Status values of grant operations.
const (
	GNTSTOkay             int16 = 0
	GNTSTGeneralError     int16 = -1
	GNTSTBadDomain        int16 = -2
	GNTSTBadGntref        int16 = -3
	GNTSTBadHandle        int16 = -4
	GNTSTBadVirtAddr      int16 = -5
	GNTSTBadDevAddr       int16 = -6
	GNTSTNoDeviceSpace    int16 = -7
	GNTSTPermissionDenied int16 = -8
	GNTSTBadPage          int16 = -9
	GNTSTBadCopyArg       int16 = -10
)

// Operations of grant_table_op.
type (
	GnttabMapGrantRef struct {
		HostAddr   uint64 // linear address, or the PTE's machine address
		Flags      uint32
		Ref        GrantRef
		Dom        DomID
		Status     int16       // out
		Handle     GrantHandle // out
		DevBusAddr uint64      // out: machine address of the frame
	}
	GnttabUnmapGrantRef struct {
		HostAddr   uint64
		DevBusAddr uint64
		Handle     GrantHandle
		Status     int16 // out
	}
	// GnttabUnmapReplace unmaps, and moves what is mapped at NewAddr to
	// HostAddr.
	GnttabUnmapReplace struct {
		HostAddr uint64
		NewAddr  uint64
		Handle   GrantHandle
		Status   int16 // out
	}
	GnttabSetupTable struct {
		Dom       DomID
		NrFrames  uint32
		Status    int16    // out
		FrameList []uint64 // out
	}
	GnttabQuerySize struct {
		Dom         DomID
		NrFrames    uint32 // out
		MaxNrFrames uint32 // out
		Status      int16  // out
	}
	GnttabTransfer struct {
		MFN    MFN
		Dom    DomID
		Ref    GrantRef
		Status int16 // out
	}
	// GnttabCopyPtr is one side of a copy: a grant reference if UseRef,
	// else a frame of the caller's.
	GnttabCopyPtr struct {
		UseRef bool
		Ref    GrantRef
		GMFN   uint64
		Dom    DomID
		Offset uint16
	}
	GnttabCopy struct {
		Source, Dest GnttabCopyPtr
		Len          uint16
		Status       int16 // out
	}
)

// Batches of grant operations.
type (
	GnttabMapList      struct{ Ops []GnttabMapGrantRef }
	GnttabUnmapList    struct{ Ops []GnttabUnmapGrantRef }
	GnttabReplaceList  struct{ Ops []GnttabUnmapReplace }
	GnttabTransferList struct{ Ops []GnttabTransfer }
	GnttabCopyList     struct{ Ops []GnttabCopy }
)

// Geometry of the grant table.
const (
	MaxGrantFrames   = 4 // a model domain's maximum
	GrantsPerFrame   = PageSize / 8
	GnttabNrReserved = 8
)
