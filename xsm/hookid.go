package xsm

// String returns Xen's name of the hook.
func (h HookID) String() string { return Names[h] }

// Lookup finds a hook's number by Xen's name.
func Lookup(name string) (HookID, bool) {
	for i, n := range Names {
		if n == name {
			return HookID(i), true
		}
	}
	return 0, false
}
