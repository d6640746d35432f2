//go:build amd64 || 386

// Package mark is how a program in a domain marks windows for the plug-in of
// package window: it executes one-byte return instructions at agreed
// addresses. They lie in a table; executing slot k begins window k, the last
// slot ends it. The marks leave the guest in no way and change nothing that it
// can see, so that a build with the plug-in and one without it run alike.
//
// The table is a symbol of the program, so that whoever has the program finds
// its address (Find), and two programs linked at different bases
// (-ldflags=-T=0x…) have different tables. That tells dom0's from domU's.
//
// An empty window, Begin directly followed by End, is a handful of user
// instructions, the same ones every time: End's call and its way to the table.
package mark

// Begin begins window slot. It is undefined for a slot outside [0, Slots-1): the last
// slot is End's.
func Begin(slot int)

// End ends the window.
func End()
