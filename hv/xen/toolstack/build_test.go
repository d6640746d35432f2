package toolstack

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/store"
	"xsmbench/hv/xen/faketools"
	"xsmbench/hv/xen/kbuild"
	"xsmbench/hv/xen/protocol"
	"xsmbench/hv/xen/source"
)

// Fake programs. Make takes each folder down, and makes a program or a library
// in it.
const (
	fakeMake = `
case "$1" in --version) echo "GNU Make (fake)"; exit;; esac
dir=$2
echo "${dir##*/}" >>"$control/made"
if [ -e "$control/fails-${dir##*/}" ]; then cat "$control/fails-${dir##*/}" >&2; exit 2; fi
case ${dir##*/} in
libs) mkdir -p "$dir/light" && cp "$control/elf" "$dir/light/libxenlight.so.4.22" && cp "$control/elf" "$dir/light/libxl-save-helper" ;;
console) mkdir -p "$dir/daemon" && cp "$control/elf" "$dir/daemon/xenconsoled" ;;
helpers) cp "$control/elf" "$dir/xen-init-dom0" ;;
xenstored | xenstore) cp "$control/elf" "$dir/xenstored" ;;
xl) cp "$control/elf" "$dir/xl" ;;
esac
`
	fakeGCC = `
case "$1" in --version) echo "gcc 1.0"; exit;; esac
read -r line
if [ -e "$control/lacks" ]; then case $line in *"$(cat "$control/lacks")"*) exit 1 ;; esac; fi
`
	fakeStrip  = `case "$1" in --version) exit;; esac; for f; do :; done; echo "stripped ${f##*/}" >>"$control/made"` + "\n"
	fakeConfig = `#!/bin/sh
for a; do if [ "$a" = PKG_CONFIG=/bin/false ]; then exit 0; fi; done
echo "configure: error: called otherwise" >&2
exit 1
`
)

// world is a machine on which toolstacks can be built.
type world struct {
	*faketools.Tools
	store *store.Store
	dir   string // the tree
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{store: s, dir: t.TempDir()}
	w.Tools = faketools.New(t, map[string]string{"make": fakeMake, "gcc": fakeGCC, "strip": fakeStrip, "iasl": "exit 0\n", "autoconf": "exit 0\n"})
	w.Write("elf", string(faketools.ELF(faketools.Section{Name: ".text"})))
	w.put(t, map[string]string{
		"configure": fakeConfig, "Config.mk": "", "xen/Makefile": "", "xen/common/kernel.c": "", "xen/common/grant_table.c": "",
		"xen/include/public/xen.h": "", "xen/include/xsm/dummy.h": "", "tools/flask/policy/modules/dom0.te": "",
	})
	for _, name := range []string{"include", "libs", "xenstored", "console", "helpers", "xl", "golang"} {
		w.put(t, map[string]string{"tools/" + name + "/Makefile": "all:\n"})
	}
	return w
}

func (w *world) put(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(w.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) build(t *testing.T) (*store.Entry, error) {
	t.Helper()
	entry, err := Build(t.Context(), w.store, Spec{Tree: &source.Tree{Dir: w.dir, Version: "4.22"}, Jobs: 2}, func(string) {})
	if entry != nil {
		t.Cleanup(entry.Release)
	}
	return entry, err
}

// made is what was made, in one line.
func (w *world) made() string { return strings.Join(w.Lines("made"), " ") }

const onceMade = "include libs xenstored console helpers xl stripped xl"

// Debian's source package has no configure scripts, but what they are made from.
func TestMakeConfigure(t *testing.T) {
	w := newWorld(t)
	w.Write("configure", fakeConfig)
	w.Add("autoconf", `case "$1" in --version) echo "autoconf 1"; exit;; esac
echo "autoconf ${PWD##*/}" >>"$control/made"; cp "$control/configure" configure; chmod +x configure
`)
	w.Real("chmod")
	if err := os.Remove(filepath.Join(w.dir, "configure")); err != nil {
		t.Fatal(err)
	}
	w.put(t, map[string]string{"configure.ac": "", "tools/configure.ac": ""})
	if _, err := w.build(t); err != nil {
		t.Fatal(err)
	}
	if got, want := w.made(), "autoconf tree autoconf tools "+onceMade; got != want {
		t.Errorf("made %q, want %q", got, want)
	}
}

func TestBuild(t *testing.T) {
	w := newWorld(t)
	entry, err := w.build(t)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.made(); got != onceMade {
		t.Errorf("made %q, want %q", got, onceMade)
	}
	var got []string
	err = fs.WalkDir(os.DirFS(entry.Path(RootDir)), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			got = append(got, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Programs {
		if name = protocol.ToolstackDir[1:] + "/" + name; !slices.Contains(got, name) {
			t.Errorf("%s is not there", name)
		}
	}
	if all := strings.Join(got, " "); !strings.Contains(all, "libgcc_s.so.1") || !strings.Contains(all, "libc.so.6") || strings.Contains(all, "libxenlight") {
		t.Errorf("libraries that nothing needs, or not those that are needed: %v", got)
	}
}

// An edit of what the tools do not read needs no other toolstack; one of what they
// read does.
func TestWhatDecides(t *testing.T) {
	for _, tt := range []struct {
		file string
		make bool
	}{
		{"xen/common/grant_table.c", false}, {"xen/common/kernel.c", false}, {"xen/include/xsm/dummy.h", false}, {"xen/xsm/flask/hooks.c", false},
		{"tools/flask/policy/modules/dom0.te", false},
		{"xen/include/public/xen.h", true}, {"tools/xl/xl.c", true}, {"xen/Makefile", true}, {"xen/include/xen/libelf.h", true},
		{"xen/common/unlzma.c", true}, {"xen/arch/x86/include/asm/msr-index.h", true},
	} {
		w := newWorld(t)
		if _, err := w.build(t); err != nil {
			t.Fatal(err)
		}
		w.put(t, map[string]string{tt.file: "edited\n"})
		if _, err := w.build(t); err != nil {
			t.Fatal(err)
		}
		if again := w.made() != onceMade; again != tt.make {
			t.Errorf("%s: built again %v", tt.file, again)
		}
	}
}

// A tree that reads more than is known is built with the whole hypervisor at
// hand; an older one has xenstored elsewhere.
func TestOtherTrees(t *testing.T) {
	w := newWorld(t)
	if err := os.RemoveAll(filepath.Join(w.dir, "tools/xenstored")); err != nil {
		t.Fatal(err)
	}
	w.put(t, map[string]string{"tools/xenstore/Makefile": "all:\n"})
	w.Add("make", `case "$1" in -C) if [ ! -s "$2/../../xen/common/grant_table.c" ]; then echo "x.c:1:10: fatal error: grant_table.c" >&2; exit 2; fi;; esac`+fakeMake)
	w.put(t, map[string]string{"xen/common/grant_table.c": "int x;\n"})
	if _, err := w.build(t); err != nil {
		t.Fatal(err)
	}
	if got, want := w.made(), strings.ReplaceAll(onceMade, "xenstored", "xenstore"); got != want {
		t.Errorf("made %q, want %q", got, want)
	}
}

func TestBuildErrors(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*world)
		want  string
	}{
		{"a source does not compile", func(w *world) { w.Write("fails-libs", "note\nxl.c:1:2: error: bad\n") }, "compile the toolstack of Xen: xl.c:1:2: error: bad"},
		{"configure fails", func(w *world) {
			w.put(t, map[string]string{"configure": "#!/bin/sh\necho 'configure: error: no yajl' >&2\nexit 1\n"})
		}, "configure the toolstack of Xen: configure: error: no yajl"},
		{"no program", func(w *world) { w.Write("elf", "a script") }, "install the toolstack of Xen: the build made no program xl"},
	} {
		w := newWorld(t)
		tt.spoil(w)
		_, err := w.build(t)
		var failed *kbuild.Error
		if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.As(err, &failed) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
			continue
		}
		if _, err := os.Stat(failed.Log); err != nil {
			t.Errorf("%s: the log: %v", tt.name, err)
		}
	}
}

func TestMissing(t *testing.T) {
	for _, tt := range []struct {
		spoil func(*world)
		want  []string
	}{
		{func(*world) {}, nil},
		{func(w *world) { w.Write("lacks", "yajl") }, []string{"libyajl-dev"}},
		{func(w *world) { w.Write("lacks", "#include"); w.Remove("iasl"); w.Remove("autoconf") }, []string{"libyajl-dev", "uuid-dev", "zlib1g-dev", "acpica-tools", "autoconf"}},
	} {
		w := newWorld(t)
		tt.spoil(w)
		if d := cmp.Diff(tt.want, Missing(t.Context())); d != "" {
			t.Error(d)
		}
		if tt.want == nil {
			continue
		}
		var missing *MissingError
		if _, err := w.build(t); !errors.As(err, &missing) || !strings.Contains(err.Error(), strings.Join(tt.want, ", ")) {
			t.Errorf("error %v", err)
		}
		if w.made() != "" {
			t.Error("something was made")
		}
	}
}

func TestCancelled(t *testing.T) {
	w := newWorld(t)
	w.Pipe("begun")
	w.Pipe("never")
	w.Add("make", `case "$1" in -C) echo begun >"$control/begun"; read _ <"$control/never";; esac`+"\n")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		w.Hear("begun")
		cancel()
	}()
	_, err := Build(ctx, w.store, Spec{Tree: &source.Tree{Dir: w.dir, Version: "4.22"}}, func(string) {})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
