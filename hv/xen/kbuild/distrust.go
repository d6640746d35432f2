package kbuild

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/hv/store/content"
)

// distrust removes from a built tree what make would take for current after
// changes of the source though it is not. Xen's makefiles (since 4.17, from
// Linux's Kbuild) compare command lines and the headers that each object read,
// but they do not know
//
//   - of a header that was added before another one of that name in the search
//     path, or removed from before it;
//   - of a source that was removed: its object then has no rule, and is taken
//     as it is;
//   - which public headers the compatibility headers were made from
//     (xen/include/Makefile: a .i file depends on its .c file alone);
//   - that files were removed from FLASK's policy;
//   - of changed recipes that do not go through if_changed, and of scripts.
func distrust(tree string, c content.Changes) (lost, error) {
	if len(c.All()) == 0 {
		return lost{}, nil
	}
	if _, err := os.Stat(filepath.Join(tree, "xen", "tools", "fixdep.c")); err != nil || slices.ContainsFunc(c.All(), rebuildsAll) {
		return lost{all: true}, nil
	}
	d := distruster{tree: tree}
	for _, rel := range c.All() {
		switch rel = filepath.ToSlash(rel); {
		case strings.HasPrefix(rel, "tools/flask/policy/"):
			d.policy = true
		case path.Base(rel) == "Makefile":
			d.folders = append(d.folders, path.Dir(rel)+"/")
		case strings.HasPrefix(rel, "xen/include/public/"):
			d.headers = true
		}
	}
	for _, rel := range slices.Concat(c.Added, c.Removed) {
		switch path.Ext(rel) {
		case ".c", ".h", ".S":
			d.sources = append(d.sources, "/"+path.Base(filepath.ToSlash(rel)))
		}
	}
	if d.headers {
		d.folders = append(d.folders, "xen/include/compat/")
	}
	return lost{headers: d.headers}, d.run()
}

// lost is what a tree has no longer.
type lost struct {
	// all says that nothing of the tree can be trusted: makefiles that are older
	// notice less, and some changes concern everything.
	all bool
	// headers says that the compatibility headers were removed.
	headers bool
}

// rebuildsAll are changes after which nothing is kept: of what all makefiles
// include, of the programs and scripts that make files, and of files that are
// neither source nor makefile.
func rebuildsAll(rel string) bool {
	rel = filepath.ToSlash(rel)
	if strings.HasPrefix(rel, "tools/flask/policy/") {
		return path.Base(rel) == "Makefile.common"
	}
	for _, prefix := range []string{"xen/scripts/", "xen/tools/"} {
		if strings.HasPrefix(rel, prefix) && !strings.HasPrefix(rel, "xen/tools/kconfig/") {
			return true
		}
	}
	switch {
	case !strings.HasPrefix(rel, "xen/"), rel == "xen/Makefile":
		return true
	case path.Base(rel) == "Makefile", strings.HasPrefix(path.Base(rel), "Kconfig"):
		return false
	}
	switch path.Ext(rel) {
	case ".c", ".h", ".S":
		return false
	}
	return true
}

type distruster struct {
	tree    string
	folders []string // whose products go, with a slash at the end
	sources []string // objects that read one of that name go: "/name.h"
	policy  bool
	headers bool // a public one changed
}

func (d *distruster) run() error {
	if d.policy {
		for _, pattern := range []string{"policy.bin", "policy.conf", "xenpolicy-*", "flask-policy.*"} {
			matches, _ := filepath.Glob(filepath.Join(d.tree, "xen", "xsm", "flask", pattern))
			for _, m := range matches {
				if err := os.Remove(m); err != nil {
					return err
				}
			}
		}
	}
	if d.folders == nil && d.sources == nil {
		return nil
	}
	return removeProducts(d.tree, func(command string) bool {
		rel, err := filepath.Rel(d.tree, command)
		if err != nil {
			return true
		}
		rel = filepath.ToSlash(rel)
		if slices.ContainsFunc(d.folders, func(folder string) bool { return strings.HasPrefix(rel, folder) }) {
			return true
		}
		if d.sources == nil {
			return false
		}
		text, err := os.ReadFile(command)
		return err != nil || slices.ContainsFunc(d.sources, func(name string) bool { return bytes.Contains(text, []byte(name)) })
	})
}

// removeProducts removes the products whose command files are chosen. Make
// keeps how it made dir/name in dir/.name.cmd.
func removeProducts(tree string, choose func(command string) bool) error {
	return filepath.WalkDir(filepath.Join(tree, "xen"), func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, ok := strings.CutSuffix(e.Name(), ".cmd")
		name, hidden := strings.CutPrefix(name, ".")
		if !ok || !hidden || name == "" || !choose(p) {
			return nil
		}
		if err := os.Remove(filepath.Join(filepath.Dir(p), name)); err != nil && !os.IsNotExist(err) {
			return err
		}
		return os.Remove(p)
	})
}
