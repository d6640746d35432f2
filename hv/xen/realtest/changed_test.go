//go:build realxen

package realtest

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen"
	"xsmbench/hv/xen/kbuild"
	"xsmbench/hv/xen/source"
	"xsmbench/hv/xen/symbols"
)

// TestChangedFunctions builds Xen in another folder. While only lines move no function
// is changed, though everything with a line's number in it has another; then those are
// changed that an edit is in, or that contain what was edited, and no others, though
// what follows them has moved.
func TestChangedFunctions(t *testing.T) {
	t.Parallel()
	s, original, dir := packageCopy(t)
	before := bodiesOf(t, s, original)

	const grants, domctl = "xen/common/grant_table.c", "xen/common/domctl.c"
	for _, name := range []string{grants, domctl, "xen/common/domain.c", "xen/arch/x86/domain.c", "xen/arch/x86/hvm/hvm.c"} {
		path := filepath.Join(dir, name)
		write(t, path, "/*\n * What follows\n * moves.\n */\n\n"+read(t, path))
	}
	lines := bodiesOf(t, s, open(t, dir))
	if d := cmp.Diff("", names(hv.Compare(before, lines))); d != "" {
		t.Errorf("only lines moved: %s", d)
	}
	if n := withOtherCode(before, lines); n == 0 {
		t.Error("no function has the number of a line in it, so that this shows nothing")
	}

	edit(t, dir, grants, "if ( domid != DOMID_SELF && !is_gref )", "if ( domid != DOMID_SELF && domid != 0x7000 && !is_gref )")
	edit(t, dir, domctl, "info->domain = d->domain_id;", "info->domain = d->domain_id;\n    barrier();\n    info->max_vcpu_id = cpu_time + 3;\n    barrier();")
	if d := cmp.Diff("getdomaininfo gnttab_copy", names(hv.Compare(before, bodiesOf(t, s, open(t, dir))))); d != "" {
		t.Errorf("two functions edited: %s", d)
	}
}

func open(t *testing.T, dir string) *source.Tree {
	t.Helper()
	tree, err := source.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// bodiesOf builds FLASK from a tree and reads its functions.
func bodiesOf(t *testing.T, s *store.Store, tree *source.Tree) []hv.Body {
	t.Helper()
	spec := kbuild.Spec{What: "flask", Tree: tree, Fragments: []string{xen.Fragment("flask")}, Jobs: 2}
	p, err := kbuild.Build(t.Context(), s, spec, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	all, err := symbols.Bodies(p.Syms)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func names(list []hv.Difference) string {
	var all []string
	for _, d := range list {
		name := d.Name
		if d.Part {
			name += " (part)"
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

// withOtherCode counts bodies whose code has no like in another image.
func withOtherCode(before, after []hv.Body) int {
	known := map[string]bool{}
	for _, b := range before {
		known[fmt.Sprint(b.Name, b.Part, b.Code)] = true
	}
	n := 0
	for _, b := range after {
		if !known[fmt.Sprint(b.Name, b.Part, b.Code)] {
			n++
		}
	}
	return n
}
