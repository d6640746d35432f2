package binarycheck

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"xsmbench/xsm"
)

// build compiles a command of this module, by default one of testdata, as the
// arguments say.
func build(t *testing.T, goarch, tags, dir string, args ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles programs")
	}
	out := filepath.Join(t.TempDir(), "binary")
	args = append([]string{"build", "-tags", tags, "-o", out}, args...)
	cmd := exec.Command("go", append(args, dir)...)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %v: %v\n%s", cmd.Args[1:], err, msg)
	}
	return out
}

// overlay replaces files of package xsm for one build by what change makes
// of their text.
func overlay(t *testing.T, change func(string) string, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for _, name := range names {
		path, err := filepath.Abs(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := change(string(src))
		if text == string(src) {
			t.Fatalf("%s: nothing to replace", name)
		}
		replace[path] = filepath.Join(dir, name)
		if err := os.WriteFile(replace[path], []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, list, 0o644); err != nil {
		t.Fatal(err)
	}
	return "-overlay=" + file
}

const sample = "./testdata/hypercall"

// wantFinding fails unless a finding has the text.
func wantFinding(t *testing.T, r *Report, err error, text string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		if strings.Contains(f, text) {
			return
		}
	}
	t.Errorf("no finding %q among %q", text, r.Findings)
}

func TestNative(t *testing.T) {
	for _, arch := range []string{"amd64", "386"} {
		t.Run(arch, func(t *testing.T) {
			r, err := Native(build(t, arch, "", sample))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTable(t *testing.T) {
	for _, c := range []struct{ arch, tags string }{
		{"amd64", "xsm"}, {"386", "xsm"}, {"amd64", "xsm,flask"}, {"386", "xsm,flask"},
	} {
		t.Run(c.arch+" "+c.tags, func(t *testing.T) {
			path := build(t, c.arch, c.tags, sample)
			r, err := Table(path, "main")
			if err != nil {
				t.Fatal(err)
			}
			checkSites(t, r, sampleHooks)
			// It is no native binary, and native is none of it.
			r, err = Native(path)
			wantFinding(t, r, err, "xsm.ops is linked")
		})
	}
}

// sampleHooks are the hooks of the sample program, by function.
var sampleHooks = map[string]xsm.HookID{
	"main.evtchnSend":  xsm.HookEvtchnSend,
	"main.grantCopy":   xsm.HookGrantCopy,
	"main.mmuUpdate":   xsm.HookMMUNormalUpdate,
	"main.evtchnClose": xsm.HookEvtchnClosePost,
	"main.xsmOp":       xsm.HookDoXSMOp,
}

// checkSites fails unless the sites are those of the sample program.
func checkSites(t *testing.T, r *Report, want map[string]xsm.HookID) {
	t.Helper()
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if len(r.Sites) != len(want) {
		t.Errorf("%d sites, want %d: %v", len(r.Sites), len(want), r.Sites)
	}
	for _, s := range r.Sites {
		if id, ok := want[s.Function]; !ok || id != s.Hook {
			t.Errorf("%s calls %v", s.Function, s.Hook)
		}
	}
	if n := len(r.Missing()); n != xsm.NrHooks-1-len(want) {
		t.Errorf("%d hooks are missing, want %d", n, xsm.NrHooks-1-len(want))
	}
}

func TestDirect(t *testing.T) {
	for _, arch := range []string{"amd64", "386"} {
		t.Run(arch, func(t *testing.T) {
			path := build(t, arch, "xsm,xsmdirect", sample)
			r, err := Direct(path, "main")
			if err != nil {
				t.Fatal(err)
			}
			checkSites(t, r, sampleHooks)
			r, err = Table(path, "main")
			wantFinding(t, r, err, "no hook is called through the table")
		})
	}
}

func TestDirectFindsTheTable(t *testing.T) {
	for _, arch := range []string{"amd64", "386"} {
		r, err := Direct(build(t, arch, "xsm", sample), "main")
		wantFinding(t, r, err, "no hook is called directly")
		wantFinding(t, r, err, "refers to the table")
	}
}

func TestDirectFindsAWrapperOutOfLine(t *testing.T) {
	r, err := Direct(build(t, runtime.GOARCH, "xsm,xsmdirect", sample, "-gcflags=xsmbench/xsm=-l"), "main")
	wantFinding(t, r, err, "xsm.EvtchnSend directly: a wrapper that was not inlined")
}

func TestInline(t *testing.T) {
	for _, arch := range []string{"amd64", "386"} {
		t.Run(arch, func(t *testing.T) {
			path := build(t, arch, "xsminline", sample)
			r, err := Inline(path)
			if err != nil {
				t.Fatal(err)
			}
			// The others' dummies check nothing.
			checkSites(t, r, map[string]xsm.HookID{"main.mmuUpdate": xsm.HookMMUNormalUpdate})
		})
	}
}

func TestInlineFindsNoCheck(t *testing.T) {
	r, err := Inline(build(t, runtime.GOARCH, "", sample))
	wantFinding(t, r, err, "no check is inlined")
	r, err = Inline(build(t, runtime.GOARCH, "xsm", sample))
	wantFinding(t, r, err, "xsm.ops is linked")
}

func TestInlineFindsACheckOutOfLine(t *testing.T) {
	r, err := Inline(build(t, runtime.GOARCH, "xsminline", sample, overlay(t, func(src string) string {
		return strings.Replace(src, "func target", "//go:noinline\nfunc target", 1)
	}, "check.go")))
	wantFinding(t, r, err, "xsm.target is linked: a check that was not inlined")
}

func TestNativeFindsTheTable(t *testing.T) {
	r, err := Native(build(t, runtime.GOARCH, "", "./testdata/kept"))
	wantFinding(t, r, err, "xsm.ops is linked")
	wantFinding(t, r, err, "xsm.Register")
	wantFinding(t, r, err, "xsm.dummyEvtchnSend")
}

func TestNativeFindsAWrapperOutOfLine(t *testing.T) {
	r, err := Native(build(t, runtime.GOARCH, "", sample, "-gcflags=all=-l"))
	wantFinding(t, r, err, "xsm.EvtchnSend is linked: a hook that was not folded away")
}

func TestTableFindsItMissing(t *testing.T) {
	r, err := Table(build(t, runtime.GOARCH, "", sample), "main")
	wantFinding(t, r, err, "no table is linked")
}

func TestTableFindsNoSuchPackage(t *testing.T) {
	r, err := Table(build(t, runtime.GOARCH, "xsm", sample), "xsmbench/hv/none")
	wantFinding(t, r, err, "no function of xsmbench/hv/none is linked")
}

// A wrapper that is not inlined adds a direct call to what is measured.
func TestTableFindsAWrapperOutOfLine(t *testing.T) {
	r, err := Table(build(t, runtime.GOARCH, "xsm", sample, "-gcflags=xsmbench/xsm=-l"), "main")
	wantFinding(t, r, err, "xsm.EvtchnSend directly: a wrapper that was not inlined")
}

// direct makes the wrappers call the dummy without the table.
func direct(src string) string {
	return strings.ReplaceAll(strings.ReplaceAll(src, "ops.Load().", "dummy"), "\nfunc dummy", "\n//go:noinline\nfunc dummy")
}

func TestTableFindsDevirtualisedCalls(t *testing.T) {
	for _, arch := range []string{"amd64", "386"} {
		r, err := Table(build(t, arch, "xsm", sample, overlay(t, direct, "wrappers_table.go", "dummy.go")), "main")
		wantFinding(t, r, err, "xsm.dummyEvtchnSend directly")
		wantFinding(t, r, err, "no hook is called through the table")
	}
}

// A compiler that knows the likely target compares the function value with it
// and calls it directly if it is the one.
func TestTableFindsGuessedTargets(t *testing.T) {
	guess := func(src string) string {
		src = strings.Replace(src, "package xsm\n", "package xsm\n\nimport \"unsafe\"\n", 1)
		return strings.Replace(src, "return ops.Load().EvtchnSend(cur, d, chn)", `fn, likely := ops.Load().EvtchnSend, dummyEvtchnSend
	if *(*unsafe.Pointer)(unsafe.Pointer(&fn)) == *(*unsafe.Pointer)(unsafe.Pointer(&likely)) {
		return 0
	}
	return fn(cur, d, chn)`, 1)
	}
	for _, arch := range []string{"amd64", "386"} {
		path := build(t, arch, "xsm", sample, overlay(t, guess, "wrappers_table.go"))
		r, err := Table(path, "xsmbench/xsm")
		if err != nil {
			t.Fatal(err)
		}
		// Package xsm has its own business with the dummy, in fixup.
		found := false
		for _, f := range r.Findings {
			found = found || strings.HasPrefix(f, "xsmbench/xsm.EvtchnSend at ") &&
				strings.Contains(f, " refers to xsmbench/xsm.dummyEvtchnSend")
		}
		if !found {
			t.Errorf("%s: the comparison is not among %q", arch, r.Findings)
		}
	}
}

func TestRefusedFiles(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ path, want string }{
		"absent":   {filepath.Join(t.TempDir(), "absent"), "no such file"},
		"text":     {text, "check binary " + text},
		"stripped": {build(t, runtime.GOARCH, "xsm", sample, "-ldflags=-s"), "link it without -s"},
	}
	for name, tt := range tests {
		_, err := Native(tt.path)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Native gives %v", name, err)
		}
		_, err = Table(tt.path, "main")
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Table gives %v", name, err)
		}
	}
}

func TestPackageOf(t *testing.T) {
	for symbol, want := range map[string]string{
		"main.main":                                    "main",
		"xsmbench/hv/model.(*VCPU).Hypercall":          "xsmbench/hv/model",
		"xsmbench/hv/model.doMMU.func1":                "xsmbench/hv/model",
		"gopkg.in/a.b/c.F":                             "gopkg.in/a.b/c",
		"slices.SortFunc[go.shape.[]a/b.T,x/y.Z]":      "slices",
		"xsmbench/hv/model.walk[go.shape.struct{a/b}]": "xsmbench/hv/model",
		"_rt0_amd64_linux":                             "_rt0_amd64_linux",
	} {
		if got := packageOf(symbol); got != want {
			t.Errorf("packageOf(%s) = %s, want %s", symbol, got, want)
		}
	}
}
