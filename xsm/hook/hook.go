// Package hook declares Xen's security hooks. Everything else that must know
// of a hook (the operations structure, its callers' wrappers, the dummy
// module, names and counters in package xsm) is generated from Table.
package hook

// Hook is one member of struct xsm_operations.
type Hook struct {
	Name   string  // Xen's name, as in evtchn_send
	Go     string  // the wrapper's and the field's name in package xsm
	X86    bool    // inside #ifdef CONFIG_X86
	Params []Param // without the current vCPU, which every hook takes first
	Result string  // Go type of the result, "" for void
	Dummy  string  // what the dummy module returns, "" for void
	// Check is the test of privilege that the dummy of Xen 4.17 makes here, as
	// a call of package xsm's (privileged, target, console); "" for none. Where
	// 4.17 has one hook for several of 3.2's, such as domctl, it is that one's.
	Check string
	// Hypercalls says which operations reach the hook.
	Hypercalls []string
	// Source gives the callers in Xen 3.2: file:function:line. A hook
	// without a caller is dead there (complete_init).
	Source []string
	// Privilege says whether the caller has tested IS_PRIV before the hook;
	// callers that differ are separated by a semicolon. It is empty for a
	// hook without a caller.
	Privilege string
}

// Param is a hook's parameter: Xen's name and the Go type in package xsm.
type Param struct{ Name, Type string }

// Lookup finds a hook by Xen's name.
func Lookup(name string) (Hook, bool) {
	for _, h := range Table {
		if h.Name == name {
			return h, true
		}
	}
	return Hook{}, false
}
