package binarycheck

import (
	"maps"
	"slices"
	"testing"
)

const modelProgram = "../../cmd/xsmmodel"

// The binaries that are measured are what their build's name says: every hook
// that Xen 3.2 calls is an indirect call in dummy's and FLASK's code, and
// nothing at all in native's.
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
		for _, tags := range []string{"xsm", "xsm,flask"} {
			t.Run(arch+" "+tags, func(t *testing.T) {
				r, err := Table(build(t, arch, tags, modelProgram), "xsmbench/hv/model")
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Err(); err != nil {
					t.Error(err)
				}
				if m := r.Missing(); len(m) != 0 {
					t.Errorf("hooks without a site: %v", m)
				}
				compiled := map[string]bool{}
				for _, s := range r.Sites {
					compiled[s.Hook.String()] = true
				}
				if have := slices.Sorted(maps.Keys(compiled)); !slices.Equal(have, source) {
					t.Errorf("hooks called in the binary:\n%v\nin the source:\n%v", have, source)
				}
			})
		}
	}
}
