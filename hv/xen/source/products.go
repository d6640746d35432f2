package source

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"xsmbench/hv/git"
)

// products are the files that a build has left in a tree, since a user may have
// built in place. They are no source: they would count in the hash, and make would
// take the copies for newer than what they are made from, though the source was
// edited since, or is now configured otherwise.
//
// No list has their names for every version of Xen, but there are marks:
//
//   - In a checkout, Xen's own .gitignore files leave products out. What git
//     tracks is source, and so is what is in none of the two lists.
//   - Xen's makefiles keep how they made dir/name in dir/.name.cmd (since 4.17).
//   - Some names are always those of products. In a tree that is no checkout, the
//     two marks leave over what has no command file: make makes it again, since
//     what it is made from was left out, but for the headers in the list.
type products struct {
	dir   string
	files git.Files // empty if the tree is no checkout
}

// productsOf looks at a user's tree. In one of the store nothing was built.
func productsOf(t *Tree) products {
	dir, p := t.Dir, products{dir: t.Dir}
	if t.Fixed() {
		return p
	}
	files, err := git.ListFiles(context.Background(), dir, "xen", "tools")
	// A tree may lie in a repository that knows nothing of it.
	if err == nil && files.Tracked[filepath.Join("xen", "Makefile")] {
		p.files = files
	}
	return p
}

func (p products) has(rel string) bool {
	switch {
	case p.files.Tracked[rel]:
		return false
	case p.files.Ignored[rel], isProduct(rel):
		return true
	}
	_, err := os.Lstat(filepath.Join(p.dir, filepath.Dir(rel), "."+filepath.Base(rel)+".cmd"))
	return err == nil && strings.HasPrefix(filepath.ToSlash(rel), "xen/")
}

// productNames are those of generated files in xen/.
var productNames = map[string]bool{
	"xen/xen": true, "xen/xen-syms": true, "xen/xen.efi": true, "xen/xen.gz": true,
	"xen/xen-syms.map": true, "xen/xen.efi.map": true, "xen/System.map": true, "xen/.config": true, "xen/.config.old": true,
	"xen/include/xen/compile.h": true, "xen/xsm/flask/policy.bin": true, "xen/xsm/flask/policy.conf": true,
	"xen/xsm/flask/flask-policy.S": true, "xen/arch/x86/xen.lds": true, "xen/tools/kconfig/conf": true, "xen/tools/symbols": true,
	"xen/include/xen/lib/x86/cpuid-autogen.h": true, "xen/arch/x86/include/asm/asm-macros.h": true, "xen/arch/x86/include/asm/asm-offsets.h": true,
}

func isProduct(rel string) bool {
	rel = filepath.ToSlash(rel)
	base := filepath.Base(rel)
	switch {
	case productNames[rel]:
		return true
	case strings.HasPrefix(rel, "xen/include/generated/"), strings.HasPrefix(rel, "xen/include/config/"):
		return true
	case strings.HasPrefix(base, ".") && (strings.HasSuffix(base, ".d") || strings.HasSuffix(base, ".cmd") || strings.Contains(base, ".o.") || strings.HasSuffix(base, ".d2")):
		return true
	}
	switch filepath.Ext(base) {
	case ".o", ".a", ".i", ".s":
		return true
	}
	return false
}
