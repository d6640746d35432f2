package benchtest

import (
	"fmt"
	"slices"
)

// Left reports what hypercalls left behind: ports, frames, a mapped grant, a
// pinned table, a paused peer, domains, settings. It is empty if everything was
// undone.
func (d *Domain) Left() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := &d.hyper
	var left []string
	for what, is := range map[string]bool{
		"open port": len(s.ports) > 0, "frame": len(s.frames) > 0, "mapped grant": s.mapped,
		"pinned table": s.pinned, "paused peer": s.paused, "mapped frame": s.windows > 0,
	} {
		if is {
			left = append(left, what)
		}
	}
	for id := range s.domains {
		left = append(left, fmt.Sprintf("domain %d", id))
	}
	for what := range s.changed {
		left = append(left, what)
	}
	for _, frame := range s.table {
		if slices.ContainsFunc(frame, func(b byte) bool { return b != 0 }) {
			left = append(left, "grant entry")
		}
	}
	slices.Sort(left)
	return left
}

// set notes whether a setting is other than at the start.
func (s *hypervisor) set(what string, changed bool) {
	if s.changed == nil {
		s.changed = map[string]bool{}
	}
	if changed {
		s.changed[what] = true
	} else {
		delete(s.changed, what)
	}
}
