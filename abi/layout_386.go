package abi

// Address-space layout of x86_32 with PAE (public/arch-x86/xen-x86_32.h and
// Linux 2.6.18's asm-i386/mach-xen): three levels of page tables, the top one
// with four entries; user processes below 3 GiB, the kernel above, Xen in the
// last 168 MiB.
const (
	PTLevels        = 3
	HypervisorStart = uint64(0xf580_0000)
	HypervisorEnd   = uint64(0x1_0000_0000) // first address not Xen's
	// VirtBase is where a guest kernel maps its memory: PFN n is at
	// VirtBase + n*PageSize.
	VirtBase = uint64(0xc000_0000)
	// UserEnd is the first address that a user process cannot have.
	UserEnd = uint64(0xc000_0000)
)
