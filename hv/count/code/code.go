// Package code describes the code of a hypervisor as the counting plug-in of
// package window needs it: cut into cells (a function, or the part of one that
// is the site of a hook), with the addresses at which something happens that
// decides to what the instructions after it are charged.
//
// Who makes such a map knows the hypervisor's symbols (hv/xen/symbols); the
// plug-in knows nothing but the map.
package code

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
)

// Map is the code of one hypervisor.
type Map struct {
	// Area is where what executes is the hypervisor's. The rest of the
	// upper half of the address space is the guest kernel's, the lower half
	// user space's.
	Area Range
	// Shared tells that the hypervisor and its guests are one program: then
	// what executes is the hypervisor's from an Enter to its Leave, and the
	// guest kernel's else.
	Shared bool
	// Cells are what instructions are counted by. The first is that of the
	// code in the area that no range has.
	Cells  []Cell
	Ranges []Range // disjoint, ascending
	// Entries are addresses whose execution enters a cell.
	Entries map[uint64]int
	// Handlers and Hooks are the names that events refer to.
	Handlers, Hooks []string
	Events          []Event
	// Outside are functions that are never a hook's, whatever is charged when
	// they execute: the last steps back to a hook that was interrupted.
	Outside []string
	// Known are all hooks that the hypervisor has, whether their sites were
	// found or not; empty if it does not tell (a build without a table of hooks).
	Known []string
	// Jumped are hooks that a function jumps to as its last act, instead of
	// calling them: where that ends is not known, and what they execute there is
	// charged to the handler alone.
	Jumped []string
	// Absent is what other releases of the hypervisor have and this one does
	// not: handlers, ways in and out. For people.
	Absent []string
	// Unknown are symbols at which the hypervisor may be entered without
	// passing an Enter: what such a visit executes before the next event is
	// charged to the last one.
	Unknown []string
}

// Range is a piece of code: addresses from Lo up to, not including, Hi.
type Range struct {
	Lo, Hi uint64
	Cell   int
}

// Cell is what a range's instructions are counted by.
type Cell struct {
	Function string
	Hook     string // whose call, or inlined check, this part of the function is; "" for none
	Handler  string // that the function is; "" for none
	Probe    bool   // its entry makes a window unclean
	Part     bool   // a part that the compiler moved out of the function's way
	Wait     bool   // a round of waiting for another processor
}

// EventKind says what happens at an address.
type EventKind byte

// Kinds of events.
const (
	// Enter is where the hypervisor is entered, by a guest or by an
	// interrupt or fault of its own: from a guest, everything begins anew;
	// else what was interrupted goes on after Resume. In shared code, what
	// entered goes on after Leave.
	Enter EventKind = 'i'
	// Resume is the end of an interrupt or fault of the hypervisor's own.
	Resume EventKind = 'p'
	// Leave is the way back to a guest.
	Leave EventKind = 'x'
	// Handle is the first instruction of the handler ID: what follows
	// outside of hooks is charged to it.
	Handle EventKind = 'h'
	// Call is a call out of the site of hook ID: until it returns,
	// everything is charged to the hook.
	Call EventKind = 'c'
	// Out is a call of a guest's code, out of the hypervisor in shared code:
	// until it returns, what executes is the guest's.
	Out EventKind = 'g'
	// Return is where a Call or an Out may return to.
	Return EventKind = 'r'
)

// Event is one of them. ID is an index into Handlers or Hooks.
type Event struct {
	At   uint64
	Kind EventKind
	ID   int
}

// CellAt is the cell of the range that has an address.
func (m *Map) CellAt(at uint64) (cell int, ok bool) {
	i, found := slices.BinarySearchFunc(m.Ranges, at, func(r Range, at uint64) int { return cmp.Compare(r.Lo, at) })
	if !found {
		i--
	}
	if i < 0 || at >= m.Ranges[i].Hi {
		return 0, false
	}
	return m.Ranges[i].Cell, true
}

// WriteMap writes the map for the plug-in.
func (m *Map) WriteMap(w io.Writer) error {
	b := bufio.NewWriter(w)
	events := m.sortedEvents()
	fmt.Fprintf(b, "area %x %x shared %d cells %d ranges %d entries %d events %d\n", m.Area.Lo, m.Area.Hi, bit(m.Shared), len(m.Cells), len(m.Ranges), len(m.Entries), len(events))
	for _, r := range m.Ranges {
		fmt.Fprintf(b, "r %x %x %d\n", r.Lo, r.Hi, r.Cell)
	}
	at := make([]uint64, 0, len(m.Entries))
	for a := range m.Entries {
		at = append(at, a)
	}
	slices.Sort(at)
	for _, a := range at {
		fmt.Fprintf(b, "e %x %d\n", a, m.Entries[a])
	}
	for _, e := range events {
		fmt.Fprintf(b, "v %x %c %d\n", e.At, e.Kind, e.ID)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write map of code: %w", err)
	}
	return nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sortedEvents are the events by address. A call's end comes before what else
// happens at its address.
func (m *Map) sortedEvents() []Event {
	events := slices.Clone(m.Events)
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(a.ID, b.ID))
	})
	return slices.Compact(events)
}

func rank(k EventKind) int {
	if k == Return {
		return 0
	}
	return 1
}
