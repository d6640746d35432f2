package window

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/count/code"
	"xsmbench/hv/store"
	"xsmbench/internal/require"
)

func TestRead(t *testing.T) {
	tests := []struct {
		name, text string
		want       []Window
		err        error // nil, ErrCutOff, or a *SyntaxError
	}{
		{"none", "end\n", nil, nil},
		{"two", "w dom0 1 2 301 678\na 0 0 0\na 1 3 2\nw domU 0 2 0 90 0:4:30:2 1:7:1:0\nend\n", []Window{
			{Domain: "dom0", Slot: 1, User: 2, Kernel: 301, Xen: 678, Counts: map[Place]Count{}},
			{Domain: "domU", User: 2, Xen: 90, Counts: map[Place]Count{{-1, -1, 4}: {30, 2}, {2, 1, 7}: {1, 0}}},
		}, nil},
		{"entered by an unknown way", "u 3 4:12 7:1\nw dom0 1 2 3 4\nw dom0 1 2 3 4\nend\n", []Window{
			{Domain: "dom0", Slot: 1, User: 2, Kernel: 3, Xen: 4, Counts: map[Place]Count{}, Strange: 3, StrangeCells: map[int]uint64{4: 12, 7: 1}},
			{Domain: "dom0", Slot: 1, User: 2, Kernel: 3, Xen: 4, Counts: map[Place]Count{}},
		}, nil},
		{"a damaged unknown way", "u 3 4\n", nil, &SyntaxError{1, "u 3 4"}},
		{"unknown ways without a number", "u x\n", nil, &SyntaxError{1, "u x"}},
		{"cut off", "w dom0 1 2 3 4\n", []Window{{Domain: "dom0", Slot: 1, User: 2, Kernel: 3, Xen: 4, Counts: map[Place]Count{}}}, ErrCutOff},
		{"cut off in a line", "w dom0 1 2 3 4\nw dom0 1 2", []Window{{Domain: "dom0", Slot: 1, User: 2, Kernel: 3, Xen: 4, Counts: map[Place]Count{}}}, &SyntaxError{2, "w dom0 1 2"}},
		{"negative", "w dom0 -1 2 3 4\n", nil, &SyntaxError{1, "w dom0 -1 2 3 4"}},
		{"damaged count", "a 0 1 1\nw dom0 1 2 3 4 0:6\n", nil, &SyntaxError{2, "w dom0 1 2 3 4 0:6"}},
		{"a count of five", "a 0 1 1\nw dom0 1 2 3 4 0:1:2:3:4\n", nil, &SyntaxError{2, "w dom0 1 2 3 4 0:1:2:3:4"}},
		{"an account that is not there", "a 0 1 1\nw dom0 1 2 3 4 1:1:1:1\n", nil, &SyntaxError{2, "w dom0 1 2 3 4 1:1:1:1"}},
		{"an account out of turn", "a 1 1 1\n", nil, &SyntaxError{1, "a 1 1 1"}},
		{"a damaged account", "a 0 1\n", nil, &SyntaxError{1, "a 0 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Read(strings.NewReader(tt.text))
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			var syntax *SyntaxError
			if want, ok := tt.err.(*SyntaxError); ok {
				if !errors.As(err, &syntax) || *syntax != *want {
					t.Errorf("error %v, want %v", err, want)
				}
			} else if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add("a 0 1 1\nw dom0 1 2 301 678 0:1:2:3\nend\n")
	f.Add("u 1 2:3\nw x 0 0 0 0\nend\n")
	f.Add("w x 0 0 0 0 ::\n")
	f.Fuzz(func(t *testing.T, text string) {
		windows, err := Read(strings.NewReader(text))
		if err == nil && !strings.Contains(text, "end") {
			t.Errorf("%d windows of a file without an end", len(windows))
		}
	})
}

func TestSummarize(t *testing.T) {
	const probe, handler, other = 9, 7, 8
	w := func(xen uint64, counts map[Place]Count) Window {
		return Window{Xen: xen, Kernel: 300, Counts: counts}
	}
	hook := map[Place]Count{{1, 1, 1}: {16, 1}}
	hit := map[Place]Count{{1, 1, 1}: {16, 1}, {0, -1, probe}: {5, 1}}
	asks := func(a, b uint64) map[Place]Count { // how often for each of two things
		return map[Place]Count{{0, -1, handler}: {50, a}, {1, -1, other}: {20, b}, {1, 0, other}: {5, 0}}
	}
	tests := []struct {
		name    string
		windows []Window
		want    Summary
		exact   bool
	}{
		{"nothing", nil, Summary{Uniform: true}, false},
		{"an interrupted window is not clean", []Window{w(100, hook), w(9000, hit), w(100, hook)},
			Summary{Windows: 3, Clean: 2, AtMode: 2, Mode: 100, Kernel: 300, Counts: hook, Uniform: true}, true},
		{"no clean window", []Window{w(9000, hit)}, Summary{Windows: 1, Uniform: true}, false},
		{"windows off the mode", []Window{w(100, hook), w(100, hook), w(120, hook)},
			Summary{Windows: 3, Clean: 3, AtMode: 2, Mode: 100, Kernel: 300, Counts: hook, Uniform: true}, false},
		{"a tie takes the smaller", []Window{w(120, hook), w(100, hook)},
			Summary{Windows: 2, Clean: 2, AtMode: 1, Mode: 100, Kernel: 300, Counts: hook, Uniform: true}, false},
		{"same count, other places", []Window{w(100, hook), w(100, map[Place]Count{{1, 2, 1}: {16, 1}})},
			Summary{Windows: 2, Clean: 2, AtMode: 2, Mode: 100, Kernel: 300, Counts: hook}, false},
		{"a guest that asks for more", append(slices.Repeat([]Window{w(100, asks(2, 0))}, 8), w(180, asks(3, 1)), w(150, asks(2, 1))),
			Summary{Windows: 10, Clean: 8, Other: 2, AtMode: 8, Mode: 100, Kernel: 300, Counts: asks(2, 0), Uniform: true}, true},
		{"a guest that asks for the same, with another count", []Window{w(100, asks(2, 0)), w(180, asks(2, 0)), w(100, asks(2, 0))},
			Summary{Windows: 3, Clean: 3, AtMode: 2, Mode: 100, Kernel: 300, Counts: asks(2, 0), Uniform: true}, false},
		{"a guest that asks for more too often", append(slices.Repeat([]Window{w(100, asks(2, 0))}, 7), slices.Repeat([]Window{w(180, asks(3, 1))}, 2)...),
			Summary{Windows: 9, Clean: 9, AtMode: 7, Mode: 100, Kernel: 300, Counts: asks(2, 0), Uniform: true}, false},
		{"a guest that always asks for something else", []Window{w(100, asks(2, 0)), w(180, asks(3, 1)), w(100, asks(2, 0)), w(180, asks(3, 1))},
			Summary{Windows: 4, Clean: 4, AtMode: 2, Mode: 100, Kernel: 300, Counts: asks(2, 0), Uniform: true}, false},
		{"an interrupted window does not vote", []Window{w(100, asks(2, 0)), w(9000, hit), w(9000, hit), w(100, asks(2, 0)), w(100, asks(2, 0)), w(100, asks(2, 0)), w(180, asks(3, 1))},
			Summary{Windows: 7, Clean: 4, Other: 1, AtMode: 4, Mode: 100, Kernel: 300, Counts: asks(2, 0), Uniform: true}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Summarize(tt.windows, Cells{Probes: map[int]bool{probe: true}, Handlers: map[int]bool{handler: true, other: true}})
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if got.Exact() != tt.exact {
				t.Errorf("exact: %v, want %v", got.Exact(), tt.exact)
			}
		})
	}
}

func TestArgs(t *testing.T) {
	got := Args("/m", "/o", []Marks{{"dom0", 0x4c8000, 32}, {"domU", 0x100c8000, 16}})
	want := []string{"code=/m", "out=/o", "table=dom0:4c8000:32", "table=domU:100c8000:16"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// emulators are those that are there of the programs that load the plug-in.
func emulators(t *testing.T) []string {
	t.Helper()
	require.Program(t, "gcc", "gcc")
	require.Program(t, "qemu-x86_64", "qemu-user")
	list := []string{"qemu-x86_64", "qemu-i386"}
	if _, err := exec.LookPath("qemu-system-x86_64"); err == nil {
		list = append(list, "qemu-system-x86_64")
	}
	return list
}

func TestBuildPlugin(t *testing.T) {
	for _, emulator := range emulators(t) {
		t.Run(emulator, func(t *testing.T) { testBuildPlugin(t, emulator) })
	}
}

func testBuildPlugin(t *testing.T, emulator string) {
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	first, err := BuildPlugin(t.Context(), s, emulator)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Release()
	if _, err := os.Stat(first.Path(PluginFile)); err != nil || !first.Made {
		t.Errorf("made %v: %v", first.Made, err)
	}
	again, err := BuildPlugin(t.Context(), s, emulator)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Release()
	if again.Made || again.Dir != first.Dir {
		t.Errorf("built again: %+v", again)
	}
	if err := Load(t.Context(), emulator, again.Path(PluginFile), t.TempDir()); err != nil {
		t.Error(err)
	}
	if err := Load(t.Context(), emulator, "/nowhere/window.so", t.TempDir()); err == nil || !strings.Contains(err.Error(), emulator+" does not load the plug-in: ") || !strings.Contains(err.Error(), "/nowhere/window.so") {
		t.Errorf("what is not there was loaded: %v", err)
	}
}

// emulator compiles one whose interface is of a version, puts it into PATH, and
// returns its name.
func emulator(t *testing.T, version, oldest int) string {
	t.Helper()
	dir := t.TempDir()
	name := fmt.Sprintf("emulator-%d", version)
	cmd := exec.Command("gcc", "-Wall", "-Wextra", "-Werror", "-rdynamic", fmt.Sprintf("-DVERSION=%d", version), fmt.Sprintf("-DOLDEST=%d", oldest),
		"-o", filepath.Join(dir, name), filepath.Join("testdata", "emulator.c"), "-ldl")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return name
}

// The plug-in counts the same by each interface that QEMU has had, and whose
// QEMU loads none is told what that says.
func TestInterfaces(t *testing.T) {
	require.Program(t, "gcc", "gcc")
	want := []Window{{Domain: "dom0", User: 3, Kernel: 1, Counts: map[Place]Count{}}}
	// Of two processors, what the other one executes is not in the window, and its
	// visits are not taken for this one's.
	ofTwo := []Window{{Domain: "dom0", User: 3, Kernel: 1, Xen: 4, Counts: map[Place]Count{{-1, -1, 1}: {3, 1}, {-1, -1, 3}: {1, 1}}}}
	for _, tt := range []struct {
		name            string
		version, oldest int
		err             string
	}{
		{"QEMU 7.2", 1, 0, ""},
		{"QEMU 9.0", 2, 2, ""},
		{"QEMU 10.0", 4, 2, ""},
		{"QEMU 11.1", 7, 7, ""},
		{"a later one", 9, 8, "emulator-9 does not load the plug-in: emulator: could not load plugin "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := emulator(t, tt.version, tt.oldest)
			s, err := store.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			plugin, err := BuildPlugin(t.Context(), s, name)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer plugin.Release()
			if d := cmp.Diff(want, counted(t, name, plugin.Path(PluginFile), code.Map{})); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(ofTwo, counted(t, name, plugin.Path(PluginFile), hyper, "two processors")); d != "" {
				t.Error(d)
			}
		})
	}
}

// counted are the windows of what the emulator executes, of two processors if there is
// one more word.
func counted(t *testing.T, emulator, plugin string, m code.Map, more ...string) []Window {
	t.Helper()
	dir := t.TempDir()
	codeFile, out := filepath.Join(dir, "code"), filepath.Join(dir, "out")
	var text bytes.Buffer
	if err := m.WriteMap(&text); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(codeFile, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	args := append(Args(codeFile, out, []Marks{{Domain: "dom0", Base: 0x1000, Slots: 2}}), CPUs(1+len(more))...)
	if msg, err := exec.Command(emulator, append([]string{"-plugin", plugin + "," + strings.Join(args, ",")}, more...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	windows, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return windows
}
