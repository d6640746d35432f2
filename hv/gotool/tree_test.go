package gotool

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestIsTree(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		below string
		want  string
	}{
		{"a tree", map[string]string{"go.mod": "module xsmbench\n", program + "/main.go": ""}, "", ""},
		{"nothing there", nil, "absent", "absent: no such directory"},
		{"no module", map[string]string{"README": ""}, "", "no go.mod in it: not the root of a source tree"},
		{"another module", map[string]string{"go.mod": "module other\n"}, "", `its go.mod is of module "other", not of "xsmbench"`},
		{"no program", map[string]string{"go.mod": "module xsmbench\n"}, "", "no cmd/thing in it"},
		{"a folder for go.mod", map[string]string{"go.mod/x": ""}, "", "is a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(plant(t, t.TempDir(), c.files), c.below)
			if err := IsTree(dir, program); c.want == "" && err != nil || !strings.Contains(text(err), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestTreeAbove(t *testing.T) {
	dir := project(t)
	below := plant(t, dir, map[string]string{"a/b/file": ""})
	t.Chdir(filepath.Join(below, "a", "b"))
	got, ok := TreeAbove(program)
	if want, err := filepath.EvalSymlinks(dir); err != nil || !ok || got != want && got != dir {
		t.Errorf("found %s, want %s (%v)", got, want, err)
	}
	t.Chdir(t.TempDir())
	if got, ok := TreeAbove(program); ok {
		t.Errorf("found %s where there is none", got)
	}
}
