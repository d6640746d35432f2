package experiment

import (
	"testing"

	"xsmbench/hv"
	"xsmbench/results"
)

// TestWilliamsBalance checks what makes the design one: over all rows, each
// treatment is in each place equally often, and follows each other equally
// often.
func TestWilliamsBalance(t *testing.T) {
	for n := 1; n <= 8; n++ {
		rows := Williams(n)
		places := make([][]int, n)
		follows := make([][]int, n)
		for i := range n {
			places[i], follows[i] = make([]int, n), make([]int, n)
		}
		for _, row := range rows {
			if len(row) != n {
				t.Fatalf("n=%d: row %v", n, row)
			}
			for place, treatment := range row {
				places[treatment][place]++
				if place > 0 {
					follows[row[place-1]][treatment]++
				}
			}
		}
		for i := range n {
			for j := range n {
				if places[i][j] != len(rows)/n {
					t.Errorf("n=%d: %d is %d times in place %d of %d rows", n, i, places[i][j], j, len(rows))
				}
				if i != j && follows[i][j] != len(rows)/n {
					t.Errorf("n=%d: %d follows %d %d times in %d rows", n, j, i, follows[i][j], len(rows))
				}
			}
		}
	}
}

func TestScheduleLayouts(t *testing.T) {
	spec := results.Spec{Builds: []hv.Build{{Name: "a"}, {Name: "b"}}, Rounds: 4, Layouts: 3}
	want := []int{1, 1, 2, 2, 0, 0, 1, 1}
	slots := Schedule(spec)
	if len(slots) != len(want) {
		t.Fatalf("%d slots, want %d", len(slots), len(want))
	}
	for i, s := range slots {
		if s.Layout != want[i] || s.Build.Layout != want[i] || s.Order != i%2+1 || s.Round != i/2+1 {
			t.Errorf("slot %d: %+v, want layout %d", i, s, want[i])
		}
	}
}

// TestScheduleControls: controls take turns in one place of the design; one
// that is linked anew has a layout that no other build has in any round.
func TestScheduleControls(t *testing.T) {
	spec := results.Spec{Rounds: 6, Layouts: 6, Builds: []hv.Build{
		{Name: "a"}, {Name: "b"}, {Name: "a2", Kind: "a", ControlOf: "a"}, {Name: "a-relinked", Kind: "a", ControlOf: "a", Relinked: true},
	}}
	boots, layouts := map[string]int{}, map[string]map[int]bool{"a": {}, "a2": {}, "a-relinked": {}, "b": {}}
	of := map[int]int{} // the layout of a round
	for _, s := range Schedule(spec) {
		boots[s.Build.Name]++
		layouts[s.Build.Name][s.Layout] = true
		if s.Build.Name == "a" {
			of[s.Round] = s.Layout
		}
		if s.Order < 1 || s.Order > 3 {
			t.Errorf("%+v: a round has three boots", s)
		}
	}
	for _, s := range Schedule(spec) {
		if same := s.Layout == of[s.Round]; same == s.Build.Relinked {
			t.Errorf("%+v: round %d has layout %d", s, s.Round, of[s.Round])
		}
	}
	for name, n := range map[string]int{"a": 6, "b": 6, "a2": 3, "a-relinked": 3} {
		if boots[name] != n || len(layouts[name]) != n {
			t.Errorf("%s boots %d times with %d layouts, want %d", name, boots[name], len(layouts[name]), n)
		}
	}
	for l := range layouts["a-relinked"] {
		if layouts["a"][l] {
			t.Errorf("layout %d is of a and of its control", l)
		}
	}
	if n := len(builds(Schedule(spec))); n != 18 {
		t.Errorf("%d images, want 18: those that are booted", n)
	}
}
