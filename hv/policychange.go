package hv

import "context"

// PolicyChange is what differs between the policies that two images enforce.
type PolicyChange struct {
	// Parts are the sorts of statements that differ, in the order in which a
	// policy has them; empty if the two say the same.
	Parts []PolicyPart `json:"parts,omitempty"`
	// Unknown says why none of this is known, "" if it is.
	Unknown string `json:"unknown,omitempty"`
}

// PolicyPart is one sort of what a policy says, where two differ.
type PolicyPart struct {
	What string `json:"what"` // "version", "types", "rules"
	// Before and After are the values, of what has one.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// Added and Removed count what only one of the two says: whole statements, and
	// what statements of both say more or less. New and Gone are the first of them,
	// in the policy's language.
	Added   int      `json:"added,omitempty"`
	Removed int      `json:"removed,omitempty"`
	New     []string `json:"new,omitempty"`
	Gone    []string `json:"gone,omitempty"`
}

// PolicyComparer is a target whose images enforce policies, and which can tell what
// differs between those of two images that it has built.
type PolicyComparer interface {
	ComparePolicies(ctx context.Context, before, after *Image) PolicyChange
}
