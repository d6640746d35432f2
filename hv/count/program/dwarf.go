package program

import (
	"debug/dwarf"
	"fmt"
	"math"
	"slices"
)

// hooks are what DWARF tells of them.
type hooks struct {
	sites []site
	known []string
}

// has tells a hook from another function that is named like a wrapper, where
// the program tells its hooks.
func (h hooks) has(name string) bool { return len(h.known) == 0 || slices.Contains(h.known, name) }

// site is one inlined wrapper of a hook.
type site struct {
	hook   string
	pieces [][2]uint64
	entry  uint64
	depth  int // of nesting: the innermost owns an instruction
}

// hooksOf finds the inlined wrappers and the structure of hooks.
func hooksOf(data *dwarf.Data, spec Spec) (hooks, error) {
	w := walker{data: data, spec: spec, wrappers: map[dwarf.Offset]string{}}
	if err := w.walk(); err != nil {
		return hooks{}, err
	}
	h := hooks{known: w.known}
	for _, u := range w.uses {
		name, ok := w.wrappers[u.origin]
		if !ok || !h.has(name) {
			continue
		}
		s, err := siteOf(data, u)
		if err != nil {
			return h, fmt.Errorf("inlined %s: %w", name, err)
		}
		if s.hook = name; len(s.pieces) > 0 {
			h.sites = append(h.sites, s)
		}
	}
	return h, nil
}

type walker struct {
	data     *dwarf.Data
	spec     Spec
	wrappers map[dwarf.Offset]string // hooks, by the wrappers' abstract origins
	uses     []use
	known    []string
}

// use is an inlined subroutine.
type use struct {
	origin dwarf.Offset
	entry  *dwarf.Entry
	depth  int
}

func (w *walker) walk() error {
	r := w.data.Reader()
	depth := 0
	for {
		e, err := r.Next()
		if err != nil || e == nil {
			return err
		}
		switch e.Tag {
		case 0:
			depth--
			continue
		case dwarf.TagSubprogram:
			name, _ := e.Val(dwarf.AttrName).(string)
			if hook, ok := w.spec.HookOf(name); ok {
				w.wrappers[e.Offset] = hook
			}
		case dwarf.TagInlinedSubroutine:
			if origin, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset); ok {
				w.uses = append(w.uses, use{origin, e, depth})
			}
		case dwarf.TagStructType:
			if name, _ := e.Val(dwarf.AttrName).(string); slices.Contains(w.spec.Operations, name) && w.known == nil && e.Children {
				if w.known, err = members(r); err != nil {
					return err
				}
				continue // past its children
			}
		}
		if e.Children {
			depth++
		}
	}
}

// members reads the names of a structure's members, up to its end.
func members(r *dwarf.Reader) ([]string, error) {
	var names []string
	for depth := 1; depth > 0; {
		e, err := r.Next()
		if err != nil || e == nil {
			return names, err
		}
		switch {
		case e.Tag == 0:
			depth--
		case e.Children:
			depth++
		case e.Tag == dwarf.TagMember && depth == 1:
			if name, ok := e.Val(dwarf.AttrName).(string); ok {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// siteOf is where one wrapper was inlined to.
func siteOf(data *dwarf.Data, u use) (site, error) {
	pieces, err := data.Ranges(u.entry)
	if err != nil || len(pieces) == 0 {
		return site{}, err
	}
	pieces = slices.DeleteFunc(pieces, func(p [2]uint64) bool { return p[1] <= p[0] })
	if len(pieces) == 0 {
		return site{}, nil
	}
	s := site{pieces: pieces, entry: pieces[0][0], depth: u.depth}
	if pc, ok := u.entry.Val(dwarf.AttrEntrypc).(uint64); ok {
		s.entry = firstFrom(pieces, pc)
	}
	return s, nil
}

// firstFrom is where code in pieces begins that is entered at an address: GCC
// names one before it where it has put instructions of others in between.
func firstFrom(pieces [][2]uint64, pc uint64) uint64 {
	first := uint64(math.MaxUint64)
	for _, p := range pieces {
		if p[0] <= pc && pc < p[1] {
			return pc
		}
		if p[0] >= pc {
			first = min(first, p[0])
		}
	}
	if first == math.MaxUint64 {
		return pieces[0][0]
	}
	return first
}
