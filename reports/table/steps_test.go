package table

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv/git"
	"xsmbench/reports/internal/golden"
	"xsmbench/reports/profile"
	"xsmbench/reports/synthetic"
	"xsmbench/reports/trend"
)

// TestStepsGolden: the invented nights as revisions, of which some were not
// measured.
func TestStepsGolden(t *testing.T) {
	store, err := synthetic.NightlyStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	runs, err := store.Runs()
	if err != nil {
		t.Fatal(err)
	}
	var all []git.Revision
	var revised []trend.Revised
	for i, run := range runs {
		night := i + 1
		r := git.Revision{
			Commit: fmt.Sprintf("%040x", night), Name: fmt.Sprintf("v1-%d-g%07x", night, night), Subject: fmt.Sprint("night ", night),
			Author: "A. Author", Date: run.Run.Started.Format("2006-01-02"),
		}
		if i > 0 {
			all = append(all, r)
		}
		switch night {
		case synthetic.CountNight - 1: // not to be measured
		case synthetic.CountNight - 2:
			revised = append(revised, trend.Revised{Revision: r}) // does not build
		default:
			revised = append(revised, trend.Revised{Revision: r, Run: run.ID})
		}
	}
	trends, steps, err := trend.ReadSteps(store, all, revised, trend.Options{Unit: regexp.MustCompile("xen-instr/op|ns/op")})
	if err != nil {
		t.Fatal(err)
	}
	explain := func(c trend.StepChange) (profile.Difference, bool) {
		return profile.Difference{Total: 2, Functions: []profile.Change{
			{Function: "do_xen_version", Part: bench.PartEntry, Instructions: 3},
			{Hook: "xen_version", Part: bench.PartSite, Instructions: -4},
			{Hook: "xen_version", Function: "avc_has_perm", Part: bench.PartBody, Instructions: 2},
			{Function: "_spin_lock", Instructions: 1},
		}}, c.Change.Exact
	}
	for name, write := range map[string]func(io.Writer) error{
		"steps.txt":  func(w io.Writer) error { return Steps(w, trends, steps, explain) },
		"steps.json": func(w io.Writer) error { return StepsJSON(w, []string{"those of the series"}, steps, explain) },
		"levels.txt": func(w io.Writer) error { return Levels(w, trends) },
	} {
		golden.Matches(t, *update, name, write)
	}
	short := *trends
	short.Series = slices.Clone(trends.Series[:1])
	golden.Matches(t, *update, "steps-none.txt", func(w io.Writer) error { return Steps(w, &short, nil, explain) })
}

func TestDifferingGolden(t *testing.T) {
	for run, file := range map[string]string{"run": "differing.txt", "counted": "differing-counted.txt"} {
		c, _ := synthetic.Compare(t, run)
		golden.Matches(t, *update, file, func(w io.Writer) error { return Differing(w, c, nil) })
	}
}
