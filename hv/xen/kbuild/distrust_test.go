package kbuild

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/store/content"
)

// built is a tree after a build: products, and the files that tell what each
// was made from.
func built(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{"xen/tools/fixdep.c": "//", "xen/xsm/flask/policy.bin": "p", "xen/xsm/flask/policy.conf": "p", "xen/xsm/flask/xenpolicy-4.17": "p"}
	for product, reads := range map[string]string{
		"xen/common/a.o":                "common/a.c include/xen/x.h",
		"xen/common/sub/b.o":            "common/sub/b.c include/xen/x.h include/xen/y.h",
		"xen/common/c.o":                "common/c.c ./include/xen/index.h",
		"xen/include/compat/call.h":     "include/compat/call.i",
		"xen/include/compat/call.i":     "include/compat/call.c",
		"xen/xsm/flask/flask-policy.S":  "tools/binfile",
		"xen/xsm/flask/flask-policy.o":  "xsm/flask/flask-policy.S",
		"xen/arch/x86/asm-offsets.s":    "arch/x86/x86_64/asm-offsets.c",
		"xen/arch/x86/boot/built_in.o":  "arch/x86/boot/head.o",
		"xen/common/without-product.o~": "common/nothing.c include/xen/x.h",
	} {
		if name, ok := strings.CutSuffix(product, "~"); ok {
			product = name // what made it was cut short
		} else {
			all[product] = "made"
		}
		all[filepath.Join(filepath.Dir(product), "."+filepath.Base(product)+".cmd")] = "cmd := " + reads + "\n"
	}
	files(t, dir, all)
	return dir
}

// products are the files that a build made.
func products(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(dir, path); err == nil && !e.IsDir() && !strings.HasSuffix(rel, ".cmd") && rel != "xen/tools/fixdep.c" {
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestDistrust(t *testing.T) {
	changed := func(names ...string) content.Changes { return content.Changes{Changed: names} }
	const policy = "xen/xsm/flask/flask-policy.S xen/xsm/flask/flask-policy.o xen/xsm/flask/policy.bin xen/xsm/flask/policy.conf xen/xsm/flask/xenpolicy-4.17"
	const compat = "xen/include/compat/call.h xen/include/compat/call.i"
	tests := []struct {
		name    string
		changes content.Changes
		all     bool
		removed string
	}{
		{name: "nothing"},
		{name: "a source", changes: changed("xen/common/a.c")},
		{name: "an assembler source", changes: changed("xen/arch/x86/boot/head.S")},
		{name: "a header", changes: changed("xen/include/xen/x.h")},
		{name: "Kconfig", changes: changed("xen/common/Kconfig", "xen/Kconfig.debug")},
		{name: "an added header", changes: content.Changes{Added: []string{"xen/arch/x86/include/xen/x.h"}}, removed: "xen/common/a.o xen/common/sub/b.o"},
		{name: "a removed header", changes: content.Changes{Removed: []string{"xen/include/xen/y.h"}}, removed: "xen/common/sub/b.o"},
		{name: "a header whose name ends as another's", changes: content.Changes{Added: []string{"xen/include/dex.h"}}},
		{name: "a removed source", changes: content.Changes{Removed: []string{"xen/common/c.c"}}, removed: "xen/common/c.o"},
		{name: "a makefile", changes: changed("xen/common/Makefile"), removed: "xen/common/a.o xen/common/c.o xen/common/sub/b.o"},
		{name: "a makefile that is gone", changes: content.Changes{Removed: []string{"xen/common/sub/Makefile"}}, removed: "xen/common/sub/b.o"},
		{name: "a public header", changes: changed("xen/include/public/xen.h"), removed: compat},
		{name: "a policy", changes: changed("tools/flask/policy/modules/dom0.te"), removed: policy},
		{name: "a removed policy", changes: content.Changes{Removed: []string{"tools/flask/policy/modules/dom0.te"}}, removed: policy},
		{name: "a policy's own makefile", changes: changed("tools/flask/policy/Makefile"), removed: policy},
		{name: "several", changes: changed("xen/include/public/xen.h", "tools/flask/policy/a.te", "xen/common/sub/Makefile"), removed: compat + " xen/common/sub/b.o " + policy},

		{name: "the policy's makefile", changes: changed("tools/flask/policy/Makefile.common"), all: true},
		{name: "the makefile", changes: changed("xen/Makefile"), all: true},
		{name: "rules", changes: changed("xen/Rules.mk"), all: true},
		{name: "rules of an architecture", changes: changed("xen/arch/x86/arch.mk"), all: true},
		{name: "what all makefiles include", changes: changed("Config.mk"), all: true},
		{name: "a configuration", changes: changed("config/x86_64.mk"), all: true},
		{name: "a script", changes: changed("xen/scripts/Kbuild.include"), all: true},
		{name: "a tool", changes: changed("xen/tools/symbols.c"), all: true},
		{name: "Kconfig's program", changes: changed("xen/tools/kconfig/conf.c")},
		{name: "a generator", changes: changed("xen/xsm/flask/policy/mkflask.sh"), all: true},
		{name: "a generator's input", changes: changed("xen/xsm/flask/policy/access_vectors"), all: true},
		{name: "a list", changes: changed("xen/include/xlat.lst"), all: true},
		{name: "a linker script", changes: content.Changes{Removed: []string{"xen/arch/x86/boot/build32.lds"}}, all: true},
		{name: "one of many", changes: changed("xen/common/a.c", "version.sh"), all: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := built(t)
			before := products(t, dir)
			gone, err := distrust(dir, tt.changes)
			if err != nil || gone.all != tt.all || gone.headers != strings.Contains(tt.removed, compat) {
				t.Fatalf("%+v, %v", gone, err)
			}
			after := products(t, dir)
			removed := slices.DeleteFunc(before, func(name string) bool { return slices.Contains(after, name) })
			want := strings.Fields(tt.removed)
			slices.Sort(want)
			slices.Sort(removed)
			if d := cmp.Diff(strings.Join(want, " "), strings.Join(removed, " ")); d != "" {
				t.Error(d)
			}
			again, err := distrust(dir, tt.changes)
			if err != nil || again != gone {
				t.Errorf("again: %+v, %v", again, err)
			}
		})
	}
}

// Makefiles that are older than fixdep do not note enough.
func TestDistrustOldMakefiles(t *testing.T) {
	dir := built(t)
	files(t, dir, map[string]string{"xen/tools/fixdep.c": ""})
	if gone, err := distrust(dir, content.Changes{Changed: []string{"xen/common/a.c"}}); err != nil || !gone.all {
		t.Errorf("%+v, %v", gone, err)
	}
	if gone, err := distrust(dir, content.Changes{}); err != nil || gone.all {
		t.Errorf("without a change: %+v, %v", gone, err)
	}
}
