//go:build xsminline || xsmdirect

package xsm

import (
	"reflect"
	"slices"
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm/hook"
)

func TestChecks(t *testing.T) {
	dom0, dom1, dom2 := &Domain{Privileged: true}, &Domain{ID: 1}, &Domain{ID: 2}
	tests := map[string]struct {
		got, want abi.Errno
	}{
		"privileged":          {privileged(&VCPU{Domain: dom0}), 0},
		"unprivileged":        {privileged(&VCPU{Domain: dom1}), -abi.EPERM},
		"its own target":      {target(&VCPU{Domain: dom1}, dom1), 0},
		"another's":           {target(&VCPU{Domain: dom1}, dom2), -abi.EPERM},
		"another's, of dom0":  {target(&VCPU{Domain: dom0}, dom2), 0},
		"the console's owner": {console(dom0), 0},
		"no console":          {console(dom1), -abi.EPERM},
	}
	for name, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", name, tt.got, tt.want)
		}
	}
}

// Each wrapper makes its hook's check and no other: an unprivileged domain that
// asks about another is refused where there is one, and nowhere else.
func TestWrappersCheck(t *testing.T) {
	for i, h := range hook.Table {
		w := reflect.ValueOf(wrappers[i])
		in := arguments(w.Type())
		for _, v := range in {
			switch x := v.Interface().(type) {
			case *VCPU:
				x.Domain = &Domain{ID: 7}
			case *Domain:
				x.ID = 8
			}
		}
		var want any = -abi.EPERM
		if h.Check == "" {
			want = dummyResult(h)
		}
		if got := results(w.Call(in)); got != want {
			t.Errorf("%s = %v, want %v", h.Name, got, want)
		}
	}
	if !slices.ContainsFunc(hook.Table, func(h hook.Hook) bool { return h.Check != "" }) {
		t.Error("no hook has a check")
	}
}
