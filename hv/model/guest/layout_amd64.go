package guest

import "xsmbench/abi"

// The user's addresses as Linux 2.6.18 lays them out on x86_64: programs at 4
// MiB, mappings from a third of the space up, the stack at the top.
const (
	textBase = 0x0000_0000_0040_0000
	dataBase = 0x0000_0000_0060_0000
	mmapBase = 0x0000_2aaa_aaaa_b000
	mmapEnd  = 0x0000_7fff_f000_0000
	stackTop = 0x0000_7fff_ffff_f000

	// iretReturns says whether the kernel returns to user mode by the
	// hypercall iret: a 64-bit kernel runs in ring 3 like its processes and
	// has no other way back from a fault or a signal.
	iretReturns = true

	// userBase says that user mode has a base pointer of its own.
	userBase = true
	// pinTop is the command that pins a top-level table.
	pinTop = abi.PinL4Table

	// eagerTables is the level whose tables a new address space gets at
	// once, 0 for none.
	eagerTables = 0
	// topFlags are those of an entry of the top level.
	topFlags = tableFlags
	// kernelShared says that the top level's entries for the kernel are
	// copied, so that every address space shares the tables below.
	kernelShared = true

	// mapBase is where the kernel maps what is not its own memory (vmalloc).
	mapBase = 0xffff_8890_0000_0000
)
