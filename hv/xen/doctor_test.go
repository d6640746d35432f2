package xen

import (
	"os"
	"slices"
	"strings"
	"testing"

	treestack "xsmbench/hv/xen/toolstack"
)

// everywhere are packages of which Debian's images have no lack.
var everywhere = []string{"apt", "dpkg"}

// TestContainer: the container installs what doctor would name.
func TestContainer(t *testing.T) {
	text, err := os.ReadFile("../../docs/container/Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "--no-install-recommends")
	list, _, _ = strings.Cut(list, "&&")
	installed := strings.Fields(strings.ReplaceAll(list, "\\", " "))
	needed := treestack.Packages()
	for _, p := range programsNeeded {
		needed = append(needed, strings.Fields(p.pkg)...)
	}
	for _, pkg := range needed {
		if !slices.Contains(installed, pkg) && !slices.Contains(everywhere, pkg) {
			t.Errorf("%s is not among the container's packages %v", pkg, installed)
		}
	}
}
