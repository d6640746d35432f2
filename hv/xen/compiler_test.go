package xen

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/faketools"
	"xsmbench/hv/xen/image"
	"xsmbench/hv/xen/protocol"
	"xsmbench/workloads/kernbench"
)

// compiling is a plan that compiles.
func compiling() bench.Plan {
	return bench.Plan{Benchmarks: []string{"Target/plain", "Kbench/kernbench/load=half" + kernbench.Compiled}}
}

// compilerIn is a compiler of some files, by their paths.
func compilerIn(t *testing.T, files map[string]string) *guestCompiler {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &guestCompiler{root: image.Root(dir), packages: []string{"libc6_1_amd64.deb", "tcc_0.9_amd64.deb"}, key: "of-a-test"}
}

// TestCompilerPart: of the package the program is taken, and named by its version.
func TestCompilerPart(t *testing.T) {
	a, s := faketools.NewDebian(t), packageStore(t)
	if _, err := makeCompiler(t.Context(), s, on(a, 1), silent); err == nil || !strings.Contains(err.Error(), "look up package tcc") {
		t.Errorf("an archive without the package: %v", err)
	}
	a.Offer(compilerPackage, "0.9", []string{"libc6", "make"}, map[string][]byte{
		"usr/bin/tcc": faketools.ELF(faketools.Section{Name: ".text"}), "usr/lib/x86_64-linux-gnu/tcc/include/stddef.h": []byte("not taken"),
	})
	cc, err := makeCompiler(t.Context(), s, on(a, 2), silent)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{strings.TrimPrefix(protocol.CompilerPath, "/")}, filesBelow(t, string(cc.root))); d != "" {
		t.Errorf("the compiler's files (-want +got):\n%s", d)
	}
	if want := "; kernbench compiles with tcc_0.9_amd64"; cc.text() != want || cc.id() == "" {
		t.Errorf("%q, %q; want %q", cc.text(), cc.id(), want)
	}
	var none *guestCompiler
	if none.text() != "" || none.id() != "" {
		t.Errorf("no compiler is %q, %q", none.text(), none.id())
	}
	if !slices.Contains(cc.packages, "libc6_1_amd64.deb") || slices.ContainsFunc(cc.packages, func(f string) bool { return strings.HasPrefix(f, "make") }) {
		t.Errorf("packages %v", cc.packages)
	}
}

// TestCompilerFor: only a plan that compiles has a compiler. Where there is none, or
// its libraries are not those of dom0's tools, it is said, and the rest measures.
func TestCompilerFor(t *testing.T) {
	const library = "lib/x86_64-linux-gnu/libc.so.6"
	cc := compilerIn(t, map[string]string{"usr/bin/tcc": "a compiler", library: "a library"})
	same := compilerIn(t, map[string]string{library: "a library", "lib/other": "x"}).root
	other := compilerIn(t, map[string]string{library: "another library"}).root
	for _, c := range []struct {
		name  string
		plan  bench.Plan
		tools *toolstack
		err   error
		has   bool
		said  string
	}{
		{"another plan", bench.Plan{Benchmarks: benchmarks}, &toolstack{root: other}, errors.New("not asked"), false, ""},
		{"the same library", compiling(), &toolstack{root: same}, nil, true, ""},
		{"no tools", compiling(), &toolstack{missing: "they do not build"}, nil, true, ""},
		{"another library", compiling(), &toolstack{root: other}, nil, false, "guests: no C compiler, what needs one is skipped: dom0's toolstack has another " + library},
		{"no package", compiling(), &toolstack{root: same}, errors.New("look up package tcc: none\nE: more"), false, "guests: no C compiler, what needs one is skipped: look up package tcc: none"},
	} {
		target := New()
		target.opened = nil // is not asked
		name := guestsFrom(hv.Packages{}).String()
		_, err := target.compilers.get(t.Context(), name, func(context.Context) (*guestCompiler, error) { return cc, nil })
		if c.err != nil {
			target.opened = func() (*store.Store, error) { return nil, c.err }
			target.compilers.forget()
		}
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		got, err := target.compilerFor(t.Context(), c.plan, hv.Packages{}, c.tools, func(line string) { said = append(said, line) })
		if err != nil || (got != nil) != c.has || strings.Join(said, "; ") != c.said {
			t.Errorf("%s: %v, %v, said %q; want %v, %q", c.name, got, err, said, c.has, c.said)
		}
	}
	// A run that is being ended does not go on without.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New().compilerFor(ctx, compiling(), hv.Packages{}, &toolstack{}, silent); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestCompilerImage: dom0 and the domU that measures have the compiler, idle ones do
// not, and the domU has the memory for it. Without one nothing changes.
func TestCompilerImage(t *testing.T) {
	p := fakeParts(t)
	without, err := p.dom0Image(t, shape{domU: "pv", idle: 1, cpus: 1})
	if err != nil {
		t.Fatal(err)
	}
	p.equipment = &equipment{compiler: compilerIn(t, map[string]string{"usr/bin/tcc": "a compiler", "lib/libc.so.6": "a library"})}
	with, err := p.dom0Image(t, shape{domU: "pv", idle: 1, cpus: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		image            []byte
		dom0, domU, idle string
		memory           int
	}{{without, "", "", "", domUMemory}, {with, "a compiler", "a compiler", "", domUMemory + compileMemory}} {
		dom0 := unpack(t, c.image)
		domU, idle := unpack(t, []byte(dom0["/boot/domU.img"])), unpack(t, []byte(dom0["/boot/idle.img"]))
		if dom0[protocol.CompilerPath] != c.dom0 || domU[protocol.CompilerPath] != c.domU || idle[protocol.CompilerPath] != c.idle {
			t.Errorf("compilers %q, %q, %q; want %+v", dom0[protocol.CompilerPath], domU[protocol.CompilerPath], idle[protocol.CompilerPath], c)
		}
		if want := domUConfig("domU", "pv", "/boot/domU.img", "", c.memory); dom0[protocol.DomUConfig] != want {
			t.Errorf("domU is %q, want %q", dom0[protocol.DomUConfig], want)
		}
	}
}

// TestDefaultDoesNotCompile: the default suite's machines stay what they are.
func TestDefaultDoesNotCompile(t *testing.T) {
	list, err := bench.SelectSuite(bench.DefaultSuite, "")
	if err != nil {
		t.Fatal(err)
	}
	full, err := bench.SelectSuite(bench.FullSuite, "")
	if err != nil {
		t.Fatal(err)
	}
	if compiles(planOf(list)) || !compiles(planOf(full)) {
		t.Errorf("the default suite compiles: %v, the full one: %v", compiles(planOf(list)), compiles(planOf(full)))
	}
	target := New()
	for name, reason := range map[string]string{
		"Kbench/kernbench/load=half" + kernbench.Compiled: "", "Kbench/kernbench/load=optimal" + kernbench.Compiled: "",
		"Kbench/kernbench/load=maximal" + kernbench.Compiled: "no memory for all compilers at once",
		"Kbench/kernbench/load=half":                         "its programs exist in the model's guests only",
	} {
		b, ok := bench.Find(name)
		if got := target.Refuses(b); !ok || (got == "") != (reason == "") || !strings.Contains(got, reason) {
			t.Errorf("%s: refused because %q, want %q", name, got, reason)
		}
	}
}

func planOf(list []bench.Benchmark) (p bench.Plan) {
	for _, b := range list {
		p.Benchmarks = append(p.Benchmarks, b.FullName())
	}
	return p
}
