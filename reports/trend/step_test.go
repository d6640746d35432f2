package trend

import (
	"fmt"
	"strings"
	"testing"

	"xsmbench/hv/git"
	"xsmbench/results/history"
)

// TestSteps: a change is the revision's with which it shows, whenever that was
// measured, or of one of those before it that were not.
func TestSteps(t *testing.T) {
	for _, c := range []struct {
		name string
		// revisions in order: a name, and the count that its run has. "a=" has no
		// figures, "b" was not to be measured, "c" has those of the one before.
		revisions string
		measured  string // the order in which they were
		want      string
	}{
		{"nothing changes", "a=5 b=5 c=5", "a b c", ""},
		{"one", "a=5 b=5 c=7", "a b c", "c 5→7"},
		{"measured in another order", "a=5 b=7 c=7 d=4", "d b a c", "b 5→7; d 7→4"},
		{"a revision that does not build", "a=5 b= c=7", "a c", "c 5→7 or b"},
		{"two that were not to be measured", "a=5 b c d=7 e=7", "a d e", "d 5→7 or b c"},
		{"the same image", "a=5 b=a c=7", "a c", "c 5→7"},
		{"the same image, and then none", "a=5 b=a c d=7", "a d", "d 5→7 or c"},
		{"back to an earlier image", "a=5 b=7 c=a", "a b", "b 5→7; c 7→5"},
		{"the first is not built", "a= b=5 c=7", "b c", "c 5→7"},
	} {
		var all []git.Revision
		var revised []Revised
		figures := map[string]figure{}
		for i, word := range strings.Fields(c.revisions) {
			name, figure, chosen := strings.Cut(word, "=")
			r := git.Revision{Commit: name, Name: name}
			if i > 0 {
				all = append(all, r)
			}
			if !chosen {
				continue
			}
			run := ""
			var value float64
			if _, err := fmt.Sscan(figure, &value); err == nil {
				run = name
				figures[name] = image(name, value, value)
			} else if figure != "" {
				run = figure
			}
			revised = append(revised, Revised{r, run})
		}
		each := func(take func(history.Run, []history.Series) error) error {
			for day, name := range strings.Fields(c.measured) {
				run := runOf(day+1, "h")
				run.ID = name
				f := figures[name]
				f.benchmark, f.unit = "A/b", "xen-instr/op"
				if err := take(run, []history.Series{f.series()}); err != nil {
					return err
				}
			}
			return nil
		}
		_, steps, err := readSteps(each, all, revised, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range steps {
			for _, change := range s.Changes {
				text := fmt.Sprintf("%s %g→%g", s.Revision.Name, change.From, change.To)
				if len(change.Or) > 0 {
					text += " or"
				}
				for _, r := range change.Or {
					text += " " + r.Name
				}
				got = append(got, text)
			}
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
	}
}
