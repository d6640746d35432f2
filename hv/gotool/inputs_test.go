package gotool

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"xsmbench/hv/gotool/gotooltest"
)

// TestFixed: what counts of the packages that go list names.
func TestFixed(t *testing.T) {
	for _, c := range []struct {
		name, list string
		counts     bool
	}{
		{"own", `{"Dir":"%s/p","Module":{"GoMod":"%[1]s/go.mod"}}`, true},
		{"standard", `{"Dir":"%s/p","Standard":true}`, false},
		{"module", `{"Dir":"%s/p","Module":{"Version":"v1.0.0"}}`, false},
		{"module replaced by a version", `{"Dir":"%s/p","Module":{"Version":"v1.0.0","Replace":{"Version":"v2.0.0"}}}`, false},
		{"module replaced by a folder", `{"Dir":"%s/p","Module":{"Version":"v1.0.0","Replace":{}}}`, true},
		{"vendored", `{"Dir":"%s/vendor/p","Module":{"Version":"v1.0.0"}}`, true},
		{"without a module", `{"Dir":"%s/p"}`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := gotooltest.New(t)
			dir := project(t)
			plant(t, dir, map[string]string{"p/p.go": "package p\n", "vendor/p/p.go": "package p\n"})
			fake.On("list", fmt.Sprintf("echo '"+c.list+"'", dir))
			before := inputs(t, find(t, dir))
			plant(t, dir, map[string]string{"p/p.go": "package p // changed\n", "vendor/p/p.go": "package p // changed\n"})
			if before.Current() == c.counts {
				t.Errorf("its files count: %v", !c.counts)
			}
		})
	}
}

func TestInputsErrors(t *testing.T) {
	for _, c := range []struct{ name, on, want string }{
		{"no list", "echo rubbish; exit 0", "go list: invalid character"},
		{"no package of ours", `echo '{"ImportPath":"os","Standard":true}'; exit 0`, "go list: no package of the source tree"},
		{"an error", "echo 'cmd/thing/main.go:3:1: expected declaration' >&2; exit 1", "go list: cmd/thing/main.go:3:1: expected declaration"},
		{"a bad pattern", `echo "{\"Dir\":\"$PWD\",\"EmbedPatterns\":[\"[\"]}"; exit 0`, "syntax error in pattern"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := gotooltest.New(t)
			fake.On("list", c.on)
			if _, err := find(t, project(t)).Inputs(t.Context(), program, ""); !strings.HasPrefix(text(err), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

// TestVanished: a folder that goes between listing and hashing is a change.
func TestVanished(t *testing.T) {
	fake := gotooltest.New(t)
	fake.On("list", `echo "{\"Dir\":\"$PWD/gone\"}"; exit 0`)
	if _, err := find(t, project(t)).Inputs(t.Context(), program, ""); !errors.Is(err, ErrChanged) {
		t.Errorf("error %v, want %v", err, ErrChanged)
	}
}

// TestSettingsCount: the same files under other settings are other inputs, and
// so they are in another workspace.
func TestSettingsCount(t *testing.T) {
	fake := gotooltest.New(t)
	dir := project(t)
	plain := inputs(t, find(t, dir))
	other, err := Find(dir, "386")
	if err != nil {
		t.Fatal(err)
	}
	if in := inputs(t, other); in.Digest == plain.Digest {
		t.Error("386 has the inputs of amd64")
	}
	work := plant(t, t.TempDir(), map[string]string{"go.work": "go 1.26\n"})
	fake.On("env", fmt.Sprintf(`echo '{"GOVERSION":"go1.99","GOOS":"linux","GOARCH":"amd64","GOWORK":"%s/go.work"}'; exit 0`, work))
	in := inputs(t, find(t, dir))
	if in.Digest == plain.Digest {
		t.Error("a workspace does not count")
	}
	plant(t, work, map[string]string{"go.work.sum": "other v1.0.0 h1:x\n"})
	if in.Current() {
		t.Error("the workspace's sums do not count")
	}
}
