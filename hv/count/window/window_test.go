package window

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
			{"dom0", 1, 2, 301, 678, map[Place]Count{}},
			{"domU", 0, 2, 0, 90, map[Place]Count{{-1, -1, 4}: {30, 2}, {2, 1, 7}: {1, 0}}},
		}, nil},
		{"cut off", "w dom0 1 2 3 4\n", []Window{{"dom0", 1, 2, 3, 4, map[Place]Count{}}}, ErrCutOff},
		{"cut off in a line", "w dom0 1 2 3 4\nw dom0 1 2", []Window{{"dom0", 1, 2, 3, 4, map[Place]Count{}}}, &SyntaxError{2, "w dom0 1 2"}},
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
	f.Add("w x 0 0 0 0 ::\n")
	f.Fuzz(func(t *testing.T, text string) {
		windows, err := Read(strings.NewReader(text))
		if err == nil && !strings.Contains(text, "end") {
			t.Errorf("%d windows of a file without an end", len(windows))
		}
	})
}

func TestSummarize(t *testing.T) {
	const probe = 9
	w := func(xen uint64, counts map[Place]Count) Window {
		return Window{Xen: xen, Kernel: 300, Counts: counts}
	}
	hook := map[Place]Count{{1, 1, 1}: {16, 1}}
	hit := map[Place]Count{{1, 1, 1}: {16, 1}, {0, -1, probe}: {5, 1}}
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
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Summarize(tt.windows, map[int]bool{probe: true})
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

func TestBuildPlugin(t *testing.T) {
	require.Program(t, "gcc", "gcc")
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	first, err := BuildPlugin(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Release()
	if _, err := os.Stat(first.Path(PluginFile)); err != nil || !first.Made {
		t.Errorf("made %v: %v", first.Made, err)
	}
	again, err := BuildPlugin(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Release()
	if again.Made || again.Dir != first.Dir {
		t.Errorf("built again: %+v", again)
	}
}
