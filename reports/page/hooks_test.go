package page

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xsmbench/reports/profile"
)

// TestHooksOfReleases: the section names the hooks that only some builds have.
func TestHooksOfReleases(t *testing.T) {
	r, err := profile.Open(filepath.Join("..", "..", "docs", "testdata", "xen"))
	if err != nil {
		t.Fatal(err)
	}
	if v := hooksOf(r, "native"); len(v.Only) > 0 {
		t.Errorf("builds of one tree: %v", v.Only)
	}
	c := r.Code["flask"]
	c.Hooks = slices.DeleteFunc(slices.Clone(c.Hooks), func(h string) bool { return h == "sysctl" })
	r.Code["flask"] = c
	if v := hooksOf(r, "native"); len(v.Only) != 1 || !strings.Contains(v.Only[0], "only dummy has sysctl") {
		t.Errorf("the section names %v", v.Only)
	}
}
