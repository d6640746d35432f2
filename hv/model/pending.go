package model

// Subsystem state, moved to the subsystem's file as it is written.
type (
	heap           struct{}
	mmu            struct{}
	pageList       struct{}
	console        struct{}
	scheduler      struct{}
	platform       struct{}
	evtchnTable    struct{}
	grantTable     struct{}
	domainShutdown struct{}
	domainArch     struct{}
	vcpuSched      struct{}
	vcpuTimer      struct{}
)
