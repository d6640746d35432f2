package host

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"xsmbench/hv"
)

// fakeXSM is a framework to which modules say what the program prints as its
// description, and which policy it takes.
const fakeXSM = `package xsm

var About, Policy string
`

// describing is a program that knows no flags but those that ask for its module.
const describing = `package main

import (
	"fmt"
	"os"
	"slices"

	"xsmbench/xsm"
)

func main() {
	if i := slices.Index(os.Args, "-policy"); i >= 0 {
		if text, _ := os.ReadFile(os.Args[i+1]); string(text) != xsm.Policy {
			fmt.Fprintln(os.Stderr, "xsmmodel: policy "+os.Args[i+1]+": it is bad")
			os.Exit(3)
		}
	}
	if xsm.About == "" {
		fmt.Fprintln(os.Stderr, "xsmmodel: there is no module in this program")
		os.Exit(3)
	}
	fmt.Println(xsm.About)
}
`

// moduleOf is a folder with a module whose init function is given.
func moduleOf(t *testing.T, init string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mine")
	write(t, dir, "go.mod", "module example.com/mine\n\ngo 1.26.0\n")
	write(t, dir, "mine.go", "package mine\n\nimport \"xsmbench/xsm\"\n\nfunc init() { "+init+" }\n")
	return dir
}

// describingTree is a source tree with the program above.
func describingTree(t *testing.T) string {
	t.Helper()
	dir := tree(t, nil)
	write(t, dir, "cmd/xsmmodel/main.go", describing)
	write(t, dir, "xsm/xsm.go", fakeXSM)
	return dir
}

const (
	plainModule  = "xsm.About = `{\"Name\":\"mine\",\"Doc\":\"of mine\"}`"
	policyModule = "xsm.About, xsm.Policy = `{\"Name\":\"mine\",\"AVC\":true,\"Mode\":\"enforcing\",\"Params\":[{\"Name\":\"mine\",\"Values\":[\"lax\",\"off\"]}],\"Policy\":{\"Magic\":1145258561,\"BuiltIn\":true}}`, \"ABCD rules\""
)

// TestModule builds with a module from outside: the image has the kind that it
// registers, is found again, and is another if the module changes.
func TestModule(t *testing.T) {
	tg := newTarget(t)
	b := hv.Build{Name: "m", Kind: "mine", Arch: "amd64", Source: describingTree(t), Module: moduleOf(t, plainModule)}
	first := mustBuild(t, tg, b)
	want := hv.Kind{Name: "mine", Doc: "of mine", Dispatch: "table", OneWay: tabled}
	if first.Cached || first.Module == nil || !reflect.DeepEqual(*first.Module, want) || first.Dispatch != "table" {
		t.Errorf("image: %+v, kind %+v", first, first.Module)
	}
	if again := mustBuild(t, New(), b); !again.Cached || again.Hash != first.Hash || !reflect.DeepEqual(*again.Module, want) {
		t.Errorf("built again: cached %v, kind %+v", again.Cached, again.Module)
	}
	write(t, b.Module, "mine.go", "package mine\n\nimport \"xsmbench/xsm\"\n\nfunc init() { xsm.About = `{\"Name\":\"yours\"}` }\n")
	if changed := mustBuild(t, tg, b); changed.Cached || changed.Hash == first.Hash || changed.Module.Name != "yours" {
		t.Errorf("the module changed: cached %v, kind %+v", changed.Cached, changed.Module)
	}
	if litter, err := os.ReadDir(b.Module); err != nil || len(litter) != 2 {
		t.Errorf("the module's folder has %v, %v", litter, err)
	}
}

// TestModulePolicy gives modules from outside policies.
func TestModulePolicy(t *testing.T) {
	tg := newTarget(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"good": "ABCD rules", "bad": "ABCD none", "other": "DCBA rules"} {
		write(t, dir, name, text)
	}
	b := hv.Build{Name: "m", Kind: "mine", Arch: "amd64", Source: describingTree(t), Module: moduleOf(t, policyModule)}
	plain := mustBuild(t, tg, b)
	b.Policy = filepath.Join(dir, "good")
	img := mustBuild(t, tg, b)
	if !img.Cached || img.Hash == plain.Hash || img.Policy == "" || !img.Module.Policy {
		t.Errorf("with a policy: %+v", img)
	}
	args, err := tg.arguments(img, hv.BootSpec{})
	if err != nil || len(args) != 4 || args[2] != "-policy" {
		t.Errorf("arguments %q, %v", args, err)
	}
	for _, x := range []struct {
		img  *hv.Image
		item string
		want string
	}{
		{plain, hv.SettingPolicy, "the module's own, built into the image, enforcing"},
		{img, hv.SettingPolicy, b.Policy + ", SHA-256 " + img.Policy + ", enforcing"},
		{img, hv.SettingAVC, "warm"},
	} {
		for _, s := range tg.Settings(t.Context(), x.img, hv.BootSpec{}) {
			if s.Item == x.item && !strings.HasPrefix(s.Text, x.want) {
				t.Errorf("%s is %q, want %q", s.Item, s.Text, x.want)
			}
		}
	}
	for policy, want := range map[string]string{"bad": "bad: it is bad", "none": "none: it is bad"} {
		b.Policy = filepath.Join(dir, policy)
		if _, err := tg.Build(t.Context(), b, func(string) {}); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("policy %s: %v", policy, err)
		}
	}
	b.Module, b.Policy = moduleOf(t, plainModule), filepath.Join(dir, "good")
	if _, err := tg.Build(t.Context(), b, func(string) {}); err == nil || !strings.HasSuffix(err.Error(), "module mine loads no policy") {
		t.Errorf("a module without policies: %v", err)
	}
}

// TestModuleRefused: what is wrong with a module is said with its file and line.
func TestModuleRefused(t *testing.T) {
	tg := newTarget(t)
	source := describingTree(t)
	for init, want := range map[string]string{
		"xsm.Lost()":          "mine.go:5:19: undefined: xsm.Lost",
		"_ = xsm.About":       "there is no module in this program",
		"var p *int; *p = 1":  "mine.go:5: panic: runtime error: invalid memory address or nil pointer dereference",
		"panic(`on purpose`)": "mine.go:5: panic: on purpose",
		"xsm.About = `{`":     "read what the module is: unexpected end of JSON input",
	} {
		dir := moduleOf(t, init)
		text := "package mine\n\nimport \"xsmbench/xsm\"\n\nfunc init() { " + init + " }\n\nvar _ = xsm.About\n"
		write(t, dir, "mine.go", text)
		_, err := tg.Build(t.Context(), hv.Build{Name: "m", Arch: "amd64", Source: source, Module: dir}, func(string) {})
		if strings.Contains(want, ".go:") {
			want = dir + string(filepath.Separator) + want
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", init, err, want)
		}
	}
	_, err := tg.ModuleKind(hv.Build{Module: filepath.Join(t.TempDir(), "none")})
	if err == nil || !strings.HasSuffix(err.Error(), "none: no such directory") {
		t.Errorf("no folder: %v", err)
	}
}

// TestKinds: there is a kind for each module of this source, and its tags select
// it.
func TestKinds(t *testing.T) {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.Name+" "+strings.Join(k.tags, ","))
		if (k.module != nil) != (len(k.tags) > 1) || k.Doc == "" {
			t.Errorf("kind %+v", k)
		}
	}
	if got := strings.Join(names, "; "); got != "native ; dummy xsm; flask xsm,flask; silo xsm,silo" {
		t.Errorf("kinds %s", got)
	}
	for _, k := range kinds() {
		if (k.OneWay == "") != (len(k.Dispatches) > 1) {
			t.Errorf("%s: %d dispatches, one way only since %q", k.Name, len(k.Dispatches), k.OneWay)
		}
	}
	if _, err := kindOf(hv.Build{Name: "none"}); err == nil || !strings.Contains(err.Error(), "the model has native, dummy, flask, silo, and modules by their folders") {
		t.Errorf("another kind: %v", err)
	}
}
