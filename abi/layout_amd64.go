package abi

// Address-space layout of x86_64 (public/arch-x86/xen-x86_64.h and Linux
// 2.6.18's asm-x86_64/mach-xen): four levels of page tables, the lower half
// for user processes, one L4 slot range of Xen's own, the kernel above it.
const (
	PTLevels        = 4
	HypervisorStart = uint64(0xffff_8000_0000_0000)
	HypervisorEnd   = uint64(0xffff_8800_0000_0000) // first address not Xen's
	// VirtBase is where a guest kernel maps its memory: PFN n is at
	// VirtBase + n*PageSize.
	VirtBase = uint64(0xffff_8800_0000_0000)
	// UserEnd is the first address that a user process cannot have.
	UserEnd = uint64(0x0000_8000_0000_0000)
)
