package window

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	tests := []struct {
		name, text string
		want       []Window
		err        error // nil, ErrCutOff, or a *SyntaxError
	}{
		{"none", "end\n", nil, nil},
		{"two", "w dom0 1 2 301 678\nw domU 0 2 0 90 4:30:2 7:1:0\nend\n", []Window{
			{"dom0", 1, 2, 301, 678, map[int]Count{}},
			{"domU", 0, 2, 0, 90, map[int]Count{4: {30, 2}, 7: {1, 0}}},
		}, nil},
		{"cut off", "w dom0 1 2 3 4\n", []Window{{"dom0", 1, 2, 3, 4, map[int]Count{}}}, ErrCutOff},
		{"cut off in a line", "w dom0 1 2 3 4\nw dom0 1 2", []Window{{"dom0", 1, 2, 3, 4, map[int]Count{}}}, &SyntaxError{2, "w dom0 1 2"}},
		{"negative", "w dom0 -1 2 3 4\n", nil, &SyntaxError{1, "w dom0 -1 2 3 4"}},
		{"damaged count", "w dom0 1 2 3 4 5:6\n", nil, &SyntaxError{1, "w dom0 1 2 3 4 5:6"}},
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
	f.Add("w dom0 1 2 301 678 1:2:3\nend\n")
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
	w := func(xen uint64, ranges map[int]Count) Window { return Window{Xen: xen, Kernel: 300, Ranges: ranges} }
	hook := map[int]Count{1: {16, 1}}
	hit := map[int]Count{1: {16, 1}, probe: {5, 1}}
	tests := []struct {
		name    string
		windows []Window
		want    Summary
		exact   bool
	}{
		{"nothing", nil, Summary{Uniform: true}, false},
		{"an interrupted window is not clean", []Window{w(100, hook), w(9000, hit), w(100, hook)},
			Summary{Windows: 3, Clean: 2, AtMode: 2, Mode: 100, Kernel: 300, Ranges: hook, Uniform: true}, true},
		{"no clean window", []Window{w(9000, hit)}, Summary{Windows: 1, Uniform: true}, false},
		{"windows off the mode", []Window{w(100, hook), w(100, hook), w(120, hook)},
			Summary{Windows: 3, Clean: 3, AtMode: 2, Mode: 100, Kernel: 300, Ranges: hook, Uniform: true}, false},
		{"a tie takes the smaller", []Window{w(120, hook), w(100, hook)},
			Summary{Windows: 2, Clean: 2, AtMode: 1, Mode: 100, Kernel: 300, Ranges: hook, Uniform: true}, false},
		{"same count, other ranges", []Window{w(100, hook), w(100, map[int]Count{2: {16, 1}})},
			Summary{Windows: 2, Clean: 2, AtMode: 2, Mode: 100, Kernel: 300, Ranges: hook}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Summarize(tt.windows, []int{probe})
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
	want := []string{"ranges=/m", "out=/o", "table=dom0:4c8000:32", "table=domU:100c8000:16"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestBuildPlugin(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no gcc")
	}
	cache := t.TempDir()
	first, err := BuildPlugin(context.Background(), cache)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := BuildPlugin(context.Background(), cache); err != nil || again != first {
		t.Errorf("built again: %s, %v", again, err)
	}
}
