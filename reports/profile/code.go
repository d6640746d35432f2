package profile

import (
	"cmp"
	"slices"

	"xsmbench/hv"
)

// Code is what a build's image says of its code.
type Code struct {
	Hooks   []string // all that it has, sorted; empty if it does not tell
	Absent  []string // what other releases have and it lacks
	Unknown []string // where guests may enter it that the counting does not know
	Jumped  []string // hooks whose callers are charged with what they execute
}

// codeOf reads it off an image.
func codeOf(img hv.Image) Code {
	return Code{Hooks: slices.Sorted(slices.Values(img.Hooks)), Absent: img.Absent, Unknown: img.Unknown, Jumped: img.Jumped}
}

// Only is what hooks one of two builds has and the other lacks, by name. In
// First and Second at least one is not empty.
type Only struct {
	Build, Other  string
	First, Second []string // of Build, of Other
}

// Onlys holds the builds that tell their hooks against the base, or against the
// first that tells them if the base does not. Builds with the same hooks are left out.
func (r *Run) Onlys(base string) []Only {
	other := base
	if len(r.Code[base].Hooks) == 0 {
		i := slices.IndexFunc(r.Builds, func(b string) bool { return len(r.Code[b].Hooks) > 0 })
		if i < 0 {
			return nil
		}
		other = r.Builds[i]
	}
	var list []Only
	for _, b := range r.Builds {
		o := OnlyOf(b, r.Code[b], other, r.Code[other])
		if b != other && (len(o.First) > 0 || len(o.Second) > 0) {
			list = append(list, o)
		}
	}
	return list
}

// OnlyOf compares two builds. Both lists are empty unless both tell their hooks.
func OnlyOf(build string, c Code, other string, d Code) Only {
	o := Only{Build: build, Other: other}
	if len(c.Hooks) > 0 && len(d.Hooks) > 0 {
		o.First, o.Second = without(c.Hooks, d.Hooks), without(d.Hooks, c.Hooks)
	}
	return o
}

// without are the names of a sorted list that another sorted list lacks.
func without(list, other []string) []string {
	var only []string
	for _, name := range list {
		if _, ok := slices.BinarySearchFunc(other, name, cmp.Compare[string]); !ok {
			only = append(only, name)
		}
	}
	return only
}
