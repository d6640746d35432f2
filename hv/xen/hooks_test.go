package xen

import (
	"slices"
	"testing"

	"xsmbench/bench"
	_ "xsmbench/bench/kbench"
	_ "xsmbench/bench/lmbench"
)

// TestHookNotes: what benchmarks declare, of Xen 3.2 or of a later one, is a hook
// here or one whose place another took; and each note says who reaches its hook.
func TestHookNotes(t *testing.T) {
	target := New()
	took := map[string]string{}
	for _, h := range target.Hooks() {
		n := target.Hook(h)
		if n.By == "" || n.Through == "" {
			t.Errorf("%s: %+v", h, n)
		}
		for name := range n.Also {
			if b, ok := bench.Find(name); !ok || !target.Offers(b) {
				t.Errorf("%s: %s is no benchmark of this target", h, name)
			}
		}
		took[h] = h
		for _, w := range n.Was {
			if took[w] != "" {
				t.Errorf("%s took the place of %s, and so did %s", h, w, took[w])
			}
			took[w] = h
		}
	}
	for _, b := range bench.All() {
		reason := target.Refuses(b)
		if target.Offers(b) != (reason == "") {
			t.Errorf("%s: offered %v, refused because %q", b.FullName(), target.Offers(b), reason)
		}
		for _, c := range b.Hooks {
			if reason == "" && took[c.Hook] == "" {
				t.Errorf("%s declares %s, which Xen 4 has not", b.FullName(), c.Hook)
			}
		}
	}
	if h := target.Hook("no_hook"); h.By != "" {
		t.Errorf("%+v", h)
	}
	if !slices.IsSorted(target.Hooks()) {
		t.Error("hooks are not sorted")
	}
}
