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

const (
	compiles = "Kbench/kernbench/load=half" + kernbench.Compiled
	links    = "Lmbench/lat_proc/op=sh/process=dynamic"
)

// planOf is a plan of benchmarks, with one that needs nothing.
func planOf(names ...string) bench.Plan {
	return bench.Plan{Benchmarks: append([]string{"Target/plain"}, names...)}
}

// needsOf is a benchmark that needs a program.
var needsOf = map[*extra]string{compiler: compiles, shell: links}

// programIn is a program with libraries, files by their paths.
func programIn(t *testing.T, x *extra, files map[string]string) *guestProgram {
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
	return &guestProgram{extra: x, root: image.Root(dir), packages: []string{"libc6_1_amd64.deb", x.pack + "_0.9_amd64.deb"}, key: store.Key("of-" + x.pack)}
}

// TestProgramPart: of its package the program is taken, wherever a release has it, and
// named by its version.
func TestProgramPart(t *testing.T) {
	for _, c := range []struct {
		extra *extra
		at    string // in the package
		text  string
	}{
		{compiler, "usr/bin/tcc", "; kernbench compiles with tcc_0.9_amd64"},
		{shell, "bin/dash", "; the shell that is linked with the C library is dash_0.9_amd64"},
		{shell, "usr/bin/dash", "; the shell that is linked with the C library is dash_0.9_amd64"},
	} {
		t.Run(c.extra.pack+" in "+filepath.Dir(c.at), func(t *testing.T) {
			a, s := faketools.NewDebian(t), packageStore(t)
			if _, err := makeProgram(t.Context(), s, c.extra, on(a, 1), silent); err == nil || !strings.Contains(err.Error(), "look up package "+c.extra.pack) {
				t.Errorf("an archive without the package: %v", err)
			}
			a.Offer(c.extra.pack, "0.9", []string{"libc6", "make"}, map[string][]byte{
				c.at: faketools.ELF(faketools.Section{Name: ".text"}), "usr/lib/x86_64-linux-gnu/" + c.extra.pack + "/include/stddef.h": []byte("not taken"),
			})
			p, err := makeProgram(t.Context(), s, c.extra, on(a, 2), silent)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{strings.TrimPrefix(c.extra.path, "/")}, filesBelow(t, string(p.root))); d != "" {
				t.Errorf("the program's files (-want +got):\n%s", d)
			}
			if p.text() != c.text || p.key == "" {
				t.Errorf("%q, %q; want %q", p.text(), p.key, c.text)
			}
			if !slices.Contains(p.packages, "libc6_1_amd64.deb") || slices.ContainsFunc(p.packages, func(f string) bool { return strings.HasPrefix(f, "make") }) {
				t.Errorf("packages %v", p.packages)
			}
		})
	}
}

// TestProgramsFor: only a plan that needs a program has it. Where there is none, or its
// libraries are not those of dom0's tools, the domains are told why, and the rest
// measures.
func TestProgramsFor(t *testing.T) {
	const library = "lib/x86_64-linux-gnu/libc.so.6"
	same := programIn(t, compiler, map[string]string{library: "a library", "lib/other": "x"}).root
	other := programIn(t, compiler, map[string]string{library: "another library"}).root
	for _, x := range extras {
		p := programIn(t, x, map[string]string{strings.TrimPrefix(x.path, "/"): "a program", library: "a library"})
		for _, c := range []struct {
			name  string
			plan  bench.Plan
			tools *toolstack
			err   error
			has   bool
			lacks string
		}{
			{"another plan", planOf(), &toolstack{root: other}, errors.New("not asked"), false, ""},
			{"the same library", planOf(needsOf[x]), &toolstack{root: same}, nil, true, ""},
			{"no tools", planOf(needsOf[x]), &toolstack{missing: "they do not build"}, nil, true, ""},
			{"another library", planOf(needsOf[x]), &toolstack{root: other}, nil, false, "dom0's toolstack has another " + library},
			{"no package", planOf(needsOf[x]), &toolstack{root: same}, errors.New("look up package: none\nE: more"), false, "look up package: none"},
		} {
			t.Run(x.pack+", "+c.name, func(t *testing.T) {
				target := New()
				target.opened = func() (*store.Store, error) { return nil, c.err }
				if c.err == nil {
					if _, err := target.extras.get(t.Context(), x.name(guestsFrom(hv.Packages{})), func(context.Context) (*guestProgram, error) { return p, nil }); err != nil {
						t.Fatal(err)
					}
				}
				checkProgram(t, target, p, c.plan, c.tools, c.has, c.lacks)
			})
		}
	}
	// A run that is being ended does not go on without.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New().equip(ctx, planOf(compiles), hv.Packages{}, nil, &toolstack{}, silent); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// checkProgram equips the domains of a plan, and looks for a program, or for the reason
// why there is none.
func checkProgram(t *testing.T, target *Target, p *guestProgram, plan bench.Plan, tools *toolstack, has bool, lacks string) {
	t.Helper()
	var said []string
	e, err := target.equip(t.Context(), plan, hv.Packages{}, nil, tools, func(line string) { said = append(said, line) })
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Contains(e.programs, p); got != has || len(e.programs) > 1 {
		t.Errorf("it has the program: %v of %d, want %v", got, len(e.programs), has)
	}
	text := ""
	if lacks != "" {
		text = "guests: no " + strings.TrimPrefix(string(p.facility), "a ") + ", what needs it is skipped: " + lacks
	}
	if got := strings.Join(said, "; "); got != text {
		t.Errorf("said %q, want %q", got, text)
	}
	said = nil
	if _, err := target.equip(t.Context(), plan, hv.Packages{}, nil, tools, func(line string) { said = append(said, line) }); err != nil || said != nil {
		t.Errorf("another boot: said %q, %v", said, err)
	}
	if lacks != "" && !slices.Equal(e.lacks, []lack{{p.facility, lacks}}) {
		t.Errorf("lacks %v", e.lacks)
	}
	settings := ""
	if has {
		settings = p.text()
	}
	if got := target.programsText(plan, hv.Packages{}, tools); got != settings {
		t.Errorf("the settings say %q, want %q", got, settings)
	}
	if (e.id() == "") != (!has && lacks == "") {
		t.Errorf("named %q", e.id())
	}
}

// TestProgramImage: dom0 and the domU that measures have the programs, idle ones do not,
// and the domU has the memory for them. Without them nothing changes.
func TestProgramImage(t *testing.T) {
	cc := programIn(t, compiler, map[string]string{"usr/bin/tcc": "a compiler", "lib/libc.so.6": "a library"})
	sh := programIn(t, shell, map[string]string{"bin/dash": "a shell", "lib/libc.so.6": "a library"})
	for _, c := range []struct {
		name            string
		programs        []*guestProgram
		compiler, shell string
		dynamic         string // before the domain's name
		memory          int
	}{
		{"none", nil, "", "", "", domUMemory},
		{"compiler", []*guestProgram{cc}, "a compiler", "", "", domUMemory + compileMemory},
		{"shell", []*guestProgram{sh}, "", "a shell", "dynamic of ", domUMemory},
		{"both", []*guestProgram{cc, sh}, "a compiler", "a shell", "dynamic of ", domUMemory + compileMemory},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := fakeParts(t)
			p.equipment = &equipment{programs: c.programs}
			data, err := p.dom0Image(t, shape{domU: "pv", idle: 1, cpus: 1})
			if err != nil {
				t.Fatal(err)
			}
			dom0 := unpack(t, data)
			domU, idle := unpack(t, []byte(dom0["/boot/domU.img"])), unpack(t, []byte(dom0["/boot/idle.img"]))
			for name, files := range map[string]map[string]string{"dom0": dom0, "domU": domU} {
				dynamic := c.dynamic
				if dynamic != "" {
					dynamic += name
				}
				want := []string{c.compiler, c.shell, dynamic, "loops of " + name}
				if got := programsOf(files); !slices.Equal(got, want) {
					t.Errorf("%s has %q, want %q", name, got, want)
				}
			}
			if got := programsOf(idle); !slices.Equal(got, []string{"", "", "", "loops of domU"}) {
				t.Errorf("an idle domain has %q", got)
			}
			if want := domUConfig("domU", "pv", "/boot/domU.img", "", c.memory); dom0[protocol.DomUConfig] != want {
				t.Errorf("domU is %q, want %q", dom0[protocol.DomUConfig], want)
			}
		})
	}
}

// programsOf are a file system's: the extras, what comes with the C library, and the
// small shell, which stays.
func programsOf(files map[string]string) []string {
	return []string{files[protocol.CompilerPath], files[protocol.LibraryShellPath], files[protocol.DynamicPath], files[protocol.ShellPath]}
}

// TestDefaultNeedsNoPrograms: the default suite's machines stay what they are.
func TestDefaultNeedsNoPrograms(t *testing.T) {
	for suite, needs := range map[string]bool{bench.DefaultSuite: false, bench.FullSuite: true} {
		list, err := bench.SelectSuite(suite, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range extras {
			if got := facilitiesOf(planOf(namesOf(list)...))[x.facility]; got != needs {
				t.Errorf("the %s suite needs %s: %v", suite, x.facility, got)
			}
		}
	}
}

// TestRefusesPrograms: what needs a program that guests can have is offered.
func TestRefusesPrograms(t *testing.T) {
	target := New()
	for name, reason := range map[string]string{
		compiles: "", "Kbench/kernbench/load=optimal" + kernbench.Compiled: "",
		"Kbench/kernbench/load=maximal" + kernbench.Compiled: "no memory for all compilers at once",
		"Kbench/kernbench/load=half":                         "its programs exist in the model's guests only",
		"Lmbench/lat_proc/op=fork/process=dynamic":           "", "Lmbench/lat_proc/op=exec/process=dynamic": "", links: "",
	} {
		b, ok := bench.Find(name)
		if got := target.Refuses(b); !ok || (got == "") != (reason == "") || !strings.Contains(got, reason) {
			t.Errorf("%s: refused because %q, want %q", name, got, reason)
		}
	}
}

func namesOf(list []bench.Benchmark) (names []string) {
	for _, b := range list {
		names = append(names, b.FullName())
	}
	return names
}
