package host

import (
	"slices"
	"strings"
	"testing"

	"xsmbench/hv"
)

func TestCheckOptions(t *testing.T) {
	for _, c := range []struct {
		b    hv.Build
		want string // of the error, "" for none
	}{
		{hv.Build{Name: "flask", Options: []string{"flask_enforcing=0"}}, ""},
		{hv.Build{Name: "flask", Options: []string{"flask_enabled=0"}}, ""},
		{hv.Build{Name: "flask", Options: []string{"flask_enforcing=0"}, Policy: "p"}, ""},
		{hv.Build{Name: "mine", Module: "/mine", Options: []string{"any=0"}}, ""},
		{hv.Build{Name: "native", Options: []string{"flask_enabled=0"}}, "flask_enabled=0: only security modules read the model's command line, and native has none"},
		{hv.Build{Name: "silo", Options: []string{"x=1"}}, "x=1: the module silo reads nothing from the command line"},
		{hv.Build{Name: "flask", Options: []string{"flask=permissive"}}, "the module flask reads no flask, but flask_enabled, flask_enforcing"},
		{hv.Build{Name: "flask", Options: []string{"flask_enforcing=no"}}, "want flask_enforcing=0 or flask_enforcing=1"},
		{hv.Build{Name: "flask", Options: []string{"flask_unknown=deny"}}, "flask_unknown=deny: --unknown sets it"},
		{hv.Build{Name: "flask", Options: []string{"flask_enabled=0"}, Policy: "p"}, "flask_enabled=0 disables flask: it would load no policy"},
		{hv.Build{Name: "flask", Options: []string{"flask_enabled=0"}, Label: "u:r:t"}, "flask_enabled=0 disables flask: it would load no policy"},
		{hv.Build{Name: "none"}, "unknown kind of build"},
	} {
		err := New().CheckOptions(c.b)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.b, err, c.want)
		}
	}
}

// TestModuleOptions: a module from outside reads what it says that it reads, and the
// image's kind is what it is then. The fake module's mode does not change.
func TestModuleOptions(t *testing.T) {
	tg := newTarget(t)
	b := hv.Build{Name: "m", Kind: "mine", Arch: "amd64", Source: describingTree(t), Module: moduleOf(t, policyModule)}
	plain := mustBuild(t, tg, b)
	b.Options = []string{"mine=lax"}
	img := mustBuild(t, tg, b)
	if !img.Cached || img.Hash == plain.Hash || img.Module.Mode != "enforcing" {
		t.Errorf("with an option: %+v", img)
	}
	args, err := tg.arguments(img, hv.BootSpec{})
	if want := []string{"-plan", "-", "-xen", "mine=lax"}; err != nil || !slices.Equal(args, want) {
		t.Errorf("arguments %q, %v, want %q", args, err, want)
	}
	b.Options = []string{"mine=very"}
	if _, err := tg.Build(t.Context(), b, func(string) {}); err == nil || !strings.HasSuffix(err.Error(), "mine=very: want mine=lax or mine=off") {
		t.Errorf("another value: %v", err)
	}
}
