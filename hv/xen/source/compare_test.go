package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv"
)

const domctlC = `#include <xen/sched.h>

static DEFINE_SPINLOCK(lock);

void getdomaininfo(struct domain *d, struct info *info)
{
    info->id = d->id;
    info->flags = 0;
}

long do_domctl(
    XEN_GUEST_HANDLE_PARAM(xen_domctl_t) u)
{
    long ret = 0;
out:
    return ret;
}

static const struct ops ops = {
    .first = do_domctl,
};
`

// treeOf is a user's tree with files.
func treeOf(t *testing.T, files map[string]string) *Tree {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, map[string]string{"xen/Makefile": "all:\n"})
	put(t, dir, files)
	tree, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestCompare(t *testing.T) {
	replaced := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(domctlC) }
	was := map[string]string{"xen/common/domctl.c": domctlC, "xen/old.c": "int a;\n", "xen/blob": "a\x00b", "tools/libs/x.c": "int x;\n"}
	for _, tt := range []struct {
		name string
		is   map[string]string
		want hv.SourceChange
	}{
		{"nothing", was, hv.SourceChange{}},
		{"what no hypervisor is built from", map[string]string{"xen/common/domctl.c": domctlC, "xen/old.c": "int a;\n", "xen/blob": "a\x00b", "tools/libs/x.c": "int y;\n"}, hv.SourceChange{}},
		{"files", map[string]string{"xen/common/domctl.c": domctlC, "xen/new.c": "int b;\nint c;\n", "xen/blob": "a\x00c"}, hv.SourceChange{
			Changed: 3, Added: 2, Removed: 1, Files: []hv.FileChange{
				{Path: "xen/blob", State: hv.FileBinary},
				{Path: "xen/new.c", State: hv.FileNew, Added: 2},
				{Path: "xen/old.c", State: hv.FileGone, Removed: 1},
			}}},
		{"functions", map[string]string{"xen/blob": "a\x00b", "xen/old.c": "int a;\n", "xen/common/domctl.c": replaced("flags = 0;", "flags = 1;\n    info->more = 1;", "    long ret", "    int ret", ".first", ".second")}, hv.SourceChange{
			Changed: 1, Added: 4, Removed: 3, Files: []hv.FileChange{
				{Path: "xen/common/domctl.c", Added: 4, Removed: 3, Functions: []string{"getdomaininfo", "do_domctl"}},
			}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Compare(t.Context(), treeOf(t, was), treeOf(t, tt.is))
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// A tree that is edited after it was built is not what was built.
func TestCompareEdited(t *testing.T) {
	before, after := treeOf(t, map[string]string{"xen/a.c": "int a;\n"}), treeOf(t, map[string]string{"xen/a.c": "int b;\n"})
	if err := os.WriteFile(filepath.Join(after.Dir, "xen/a.c"), []byte("int c;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	want := hv.SourceChange{Unknown: after.Dir + " was changed after it was built"}
	if d := cmp.Diff(want, Compare(t.Context(), before, after)); d != "" {
		t.Error(d)
	}
}

func TestCompareMany(t *testing.T) {
	files := map[string]string{}
	for i := range mostFiles + 5 {
		files["xen/f"+strings.Repeat("x", i)+".c"] = "int a;\n"
	}
	got := Compare(t.Context(), treeOf(t, nil), treeOf(t, files))
	if got.Changed != mostFiles+5 || len(got.Files) != mostFiles || got.Added != mostFiles+5 {
		t.Errorf("%d changed, %d named, %d lines", got.Changed, len(got.Files), got.Added)
	}
}

func TestFunctionAt(t *testing.T) {
	lines := strings.Split(domctlC, "\n")
	for i, want := range map[int]string{0: "", 2: "", 4: "getdomaininfo", 7: "getdomaininfo", 9: "", 10: "do_domctl", 14: "do_domctl", 15: "do_domctl", 19: "", 99: ""} {
		if got := functionAt(lines, i); got != want {
			t.Errorf("line %d (%q): %q, want %q", i+1, lines[min(i, len(lines)-1)], got, want)
		}
	}
}
