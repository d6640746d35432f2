package guest

import "xsmbench/abi"

// The user's addresses as Linux 2.6.18 lays them out on i386: programs at 128
// MiB, mappings from 1 GiB up, the stack below the kernel.
const (
	textBase = 0x0804_8000
	dataBase = 0x0810_0000
	mmapBase = 0x4000_0000
	mmapEnd  = 0xb000_0000
	stackTop = 0xbfff_f000

	// iretReturns says whether the kernel returns to user mode by the
	// hypercall iret: a 32-bit kernel runs in ring 1 and returns by the
	// instruction of that name.
	iretReturns = false

	// userBase says that user mode has a base pointer of its own.
	userBase = false
	// pinTop is the command that pins a top-level table.
	pinTop = abi.PinL3Table

	// eagerTables is the level whose tables a new address space gets at
	// once: the four of PAE's second level, as pgd_alloc makes them.
	eagerTables = 2
	// topFlags are those of an entry of the top level, which has none but
	// the present bit.
	topFlags = abi.PtePresent
	// kernelShared says that the top level's entries for the kernel are
	// copied. In PAE Xen keeps entries of its own in the last second-level
	// table, so every address space has one of its own.
	kernelShared = false

	// mapBase is where the kernel maps what is not its own memory (vmalloc).
	mapBase = 0xf000_0000
)
