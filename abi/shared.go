package abi

import "sync/atomic"

// VCPUInfo is a vCPU's part of the shared page (struct vcpu_info).
type VCPUInfo struct {
	UpcallPending atomic.Uint32
	UpcallMask    atomic.Uint32
	PendingSel    atomic.Uint64
	ArchCR2       uint64
}

// SharedInfo is the page a domain shares with the hypervisor (struct
// shared_info). Words of Pending and Mask hold 64 ports each.
type SharedInfo struct {
	VCPU    [MaxVCPUs]VCPUInfo
	Pending [NrEventChannels / 64]atomic.Uint64
	Mask    [NrEventChannels / 64]atomic.Uint64
	WCSec   atomic.Uint32
	WCNSec  atomic.Uint32
}

// MaxVCPUs is a domain's number of vCPUs in the legacy shared page.
const MaxVCPUs = 32
