package binarycheck

import (
	"fmt"
	"strings"

	"xsmbench/xsm"
)

// Site is a hook's call in the hypervisor's code, or its inlined check.
type Site struct {
	Hook     xsm.HookID
	Function string // the symbol of the function it is in
	PC       uint64 // address of the call instruction, or of the check
}

// Report is what a check found.
type Report struct {
	Path string
	// Sites are what the claim says of hooks; none in a native binary.
	Sites []Site
	// Findings contradict the claim, a line each. Without any it holds.
	Findings []string
}

func (r *Report) finding(format string, args ...any) {
	r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
}

// Missing lists the hooks that no site calls, without those that have no
// caller in Xen 3.2 either (complete_init).
func (r *Report) Missing() []xsm.HookID {
	var called [xsm.NrHooks]bool
	for _, s := range r.Sites {
		called[s.Hook] = true
	}
	var ids []xsm.HookID
	for i, c := range called {
		if id := xsm.HookID(i); !c && id != xsm.HookCompleteInit {
			ids = append(ids, id)
		}
	}
	return ids
}

// Err is nil if the claim holds.
func (r *Report) Err() error {
	if len(r.Findings) == 0 {
		return nil
	}
	return fmt.Errorf("check binary %s: %s", r.Path, strings.Join(r.Findings, "; "))
}
