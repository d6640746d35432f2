//go:build xsm && xsmcount

package guest

import "xsmbench/bench"

// TablesOf returns T, the number of page tables below the top level that the
// address space of a process of this kernel has of its own.
func TablesOf(os bench.OS) int { return len(os.(*Process).mm.tables) }
