//go:build realxen

package realtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/hv/store"
	"xsmbench/hv/store/content"
	"xsmbench/hv/xen"
	"xsmbench/hv/xen/debian"
	"xsmbench/hv/xen/kbuild"
	"xsmbench/hv/xen/source"
)

// TestIncremental changes Xen's source step by step and builds each step in the
// tree of the one before. What comes out is byte for byte what a build from
// scratch gives, and back at the beginning it is what was built first.
func TestIncremental(t *testing.T) {
	t.Parallel()
	s, original, dir := packageCopy(t)
	first := buildFlask(t, s, original, false)

	const hooks, header, flask = "xen/xsm/flask/hooks.c", "xen/xsm/flask/include/security.h", "xen/xsm/flask/Makefile"
	const public, policy = "xen/include/public/vcpu.h", "tools/flask/policy/modules/dom0.te"
	steps := []struct {
		name   string
		change func(t *testing.T)
	}{
		{"a source, a header, a file more", func(t *testing.T) {
			edit(t, dir, hooks, "static int cf_check flask_evtchn_send(", "static noinline int cf_check flask_evtchn_send(")
			edit(t, dir, header, "#define SECCLASS_NULL", "#define SECCLASS_UNUSED 1\n#define SECCLASS_NULL")
			write(t, filepath.Join(dir, "xen/xsm/flask/more.c"), "int flask_more(void);\nint flask_more(void) { return 3; }\n")
			edit(t, dir, flask, "obj-y += avc.o", "obj-y += avc.o\nobj-y += more.o")
		}},
		{"a public header, the policy", func(t *testing.T) {
			edit(t, dir, public, "struct vcpu_set_singleshot_timer {", "struct vcpu_set_singleshot_timer { /* . */")
			edit(t, dir, policy, "get_vnumainfo psr_cmt_op psr_alloc get_cpu_policy", "get_vnumainfo psr_cmt_op psr_alloc")
		}},
	}
	last := first
	for _, step := range steps {
		step.change(t)
		tree, err := source.Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		last = buildFlask(t, s, tree, false)
		t.Logf("%s: image %.12s", step.name, last)
	}
	tree, err := source.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if clean := buildFlask(t, s, tree, true); clean != last {
		t.Errorf("the image of the last step has the hash %s, from scratch %s", last, clean)
	}

	// Back again, but for a comment at an end, so that it is built and not found.
	back := t.TempDir()
	if _, err := content.CopyTree(original.Dir, back, original.Files); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(back, hooks), read(t, filepath.Join(back, hooks))+"/* the end */\n")
	if tree, err = source.Open(t.Context(), back); err != nil {
		t.Fatal(err)
	}
	if again := buildFlask(t, s, tree, false); again != first {
		t.Errorf("back at the first source the image has the hash %s, at first it had %s", again, first)
	}
}

func quiet(string) {}

// buildFlask builds and returns the hash of the image.
func buildFlask(t *testing.T, s *store.Store, tree *source.Tree, clean bool) string {
	t.Helper()
	spec := kbuild.Spec{What: "flask", Tree: tree, Fragments: []string{xen.Fragment("flask")}, Jobs: 2, Clean: clean}
	p, err := kbuild.Build(t.Context(), s, spec, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	hash, err := content.HashFile(p.Image)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// edit replaces text that must be there.
func edit(t *testing.T, dir, name, old, new string) {
	t.Helper()
	path := filepath.Join(dir, name)
	text := read(t, path)
	if !strings.Contains(text, old) {
		t.Fatalf("%s has no %q", name, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(text, old, new, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// packageCopy is the distribution's source of Xen, and a copy of it to be changed.
func packageCopy(t *testing.T) (s *store.Store, original *source.Tree, dir string) {
	t.Helper()
	s, err := store.Default()
	if err != nil {
		t.Fatal(err)
	}
	if original, err = source.Package(t.Context(), s, debian.Machine{}, quiet); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(original.Release)
	dir = t.TempDir()
	if _, err := content.CopyTree(original.Dir, dir, original.Files); err != nil {
		t.Fatal(err)
	}
	return s, original, dir
}
