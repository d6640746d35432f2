package binarycheck

import (
	"maps"
	"slices"
	"testing"

	"xsmbench/xsm/hook"
)

const modelProgram = "../../cmd/xsmmodel"

// The binaries that are measured are what their build's name says: every hook
// that Xen 3.2 calls is an indirect call in dummy's and FLASK's code, or a
// direct one where that was asked for, and nothing at all in native's, or the
// check of Xen's dummy.
func TestModel(t *testing.T) {
	source := sourceHooks(t)
	for _, arch := range []string{"amd64", "386"} {
		t.Run(arch+" native", func(t *testing.T) {
			r, err := Native(build(t, arch, "", modelProgram))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Err(); err != nil {
				t.Error(err)
			}
		})
		t.Run(arch+" xsminline", func(t *testing.T) {
			r, err := Inline(build(t, arch, "xsminline", modelProgram))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Err(); err != nil {
				t.Error(err)
			}
			var checking []string
			for _, h := range hook.Table {
				if h.Check != "" {
					checking = append(checking, h.Name)
				}
			}
			slices.Sort(checking)
			if have := hooksOf(r); !slices.Equal(have, checking) {
				t.Errorf("hooks checked in the binary:\n%v\nthat have a check:\n%v", have, checking)
			}
		})
		for tags, check := range map[string]func(string, ...string) (*Report, error){
			"xsm": Table, "xsm,flask": Table, "xsm,xsmdirect": Direct, "xsm,flask,xsmdirect": Direct,
		} {
			t.Run(arch+" "+tags, func(t *testing.T) {
				r, err := check(build(t, arch, tags, modelProgram), "xsmbench/hv/model")
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Err(); err != nil {
					t.Error(err)
				}
				if m := r.Missing(); len(m) != 0 {
					t.Errorf("hooks without a site: %v", m)
				}
				if have := hooksOf(r); !slices.Equal(have, source) {
					t.Errorf("hooks called in the binary:\n%v\nin the source:\n%v", have, source)
				}
			})
		}
	}
}

// hooksOf are the names of the hooks that have a site.
func hooksOf(r *Report) []string {
	names := map[string]bool{}
	for _, s := range r.Sites {
		names[s.Hook.String()] = true
	}
	return slices.Sorted(maps.Keys(names))
}
