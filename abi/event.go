package abi

// EvtchnCmd is a command of event_channel_op (public/event_channel.h), in
// R[0]; the handle is the command's structure.
type EvtchnCmd uint64

// Commands of event_channel_op.
const (
	EVTCHNOPBindInterdomain EvtchnCmd = 0
	EVTCHNOPBindVIRQ        EvtchnCmd = 1
	EVTCHNOPBindPIRQ        EvtchnCmd = 2
	EVTCHNOPClose           EvtchnCmd = 3
	EVTCHNOPSend            EvtchnCmd = 4
	EVTCHNOPStatus          EvtchnCmd = 5
	EVTCHNOPAllocUnbound    EvtchnCmd = 6
	EVTCHNOPBindIPI         EvtchnCmd = 7
	EVTCHNOPBindVCPU        EvtchnCmd = 8
	EVTCHNOPUnmask          EvtchnCmd = 9
	EVTCHNOPReset           EvtchnCmd = 10
)

// Port is an event channel's port in its domain.
type Port uint32

// Argument structures of event_channel_op.
type (
	EvtchnAllocUnbound struct {
		Dom, RemoteDom DomID
		Port           Port // out
	}
	EvtchnBindInterdomain struct {
		RemoteDom  DomID
		_          uint16
		RemotePort Port
		LocalPort  Port // out
	}
	EvtchnBindVIRQ struct {
		VIRQ, VCPU uint32
		Port       Port // out
	}
	EvtchnBindPIRQ struct {
		PIRQ, Flags uint32
		Port        Port // out
	}
	EvtchnBindIPI struct {
		VCPU uint32
		Port Port // out
	}
	EvtchnClose    struct{ Port Port }
	EvtchnSend     struct{ Port Port }
	EvtchnUnmask   struct{ Port Port }
	EvtchnReset    struct{ Dom DomID }
	EvtchnBindVCPU struct {
		Port Port
		VCPU uint32
	}
	EvtchnStatus struct {
		Dom    DomID
		_      uint16
		Port   Port
		Status uint32 // out: an EVTCHNSTAT value
		VCPU   uint32 // out
		// Interdomain and unbound: the remote domain; virq and pirq: the
		// number.
		RemoteDom  DomID
		_          uint16
		RemotePort Port // or VIRQ, PIRQ
	}
)

// Values of EvtchnStatus.Status.
const (
	EVTCHNSTATClosed      = 0
	EVTCHNSTATUnbound     = 1
	EVTCHNSTATInterdomain = 2
	EVTCHNSTATPIRQ        = 3
	EVTCHNSTATVIRQ        = 4
	EVTCHNSTATIPI         = 5
)

// Virtual interrupts (public/xen.h). VIRQTimer, VIRQDebug and VIRQXenoprof
// are per vCPU, the others global.
const (
	VIRQTimer    = 0
	VIRQDebug    = 1
	VIRQConsole  = 2
	VIRQDomExc   = 3
	VIRQTBuf     = 4
	VIRQDebugger = 6
	VIRQXenoprof = 7
	VIRQConRing  = 8
	NrVIRQs      = 24
)

// NrEventChannels is a domain's number of ports.
const NrEventChannels = 1024
