package abi

// PTEntries is the number of entries of a page table; the top level of PAE
// has TopEntries in use, four.
const PTEntries = 512

// PTIndex is the index of a linear address into its page table of a level, 1
// for the lowest.
func PTIndex(va uint64, level int) int {
	return int(va>>(PageShift+9*(level-1))) & (PTEntries - 1)
}
