package experiment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"xsmbench/hv"
	"xsmbench/hv/hvtest"
	"xsmbench/results"
)

// unreadable is a target of which one image cannot be read.
type unreadable struct{ hvtest.Counting }

func (t *unreadable) Bodies(ctx context.Context, img *hv.Image) ([]hv.Body, error) {
	if img.Build.Name == "after" {
		return nil, errors.New("no symbols")
	}
	return t.Counting.Bodies(ctx, img)
}

// revisions are a spec of two kinds, one of them of two revisions, and a control.
func revisions(t *testing.T, target hv.Target) (results.Spec, Images) {
	t.Helper()
	spec := results.Spec{Target: target.Name(), Rounds: 1, Layouts: 1, Builds: []hv.Build{
		{Name: "dummy", Arch: "amd64", Rev: "v1"}, {Name: "before", Kind: "flask", Arch: "amd64", Rev: "v1"},
		{Name: "after", Kind: "flask", Arch: "amd64", Rev: "v2"}, {Name: "again", Kind: "flask", Arch: "amd64", Rev: "v2"},
		{Name: "before2", Kind: "flask", Arch: "amd64", Rev: "v1", ControlOf: "before"},
	}}
	images, err := Build(t.Context(), target, spec, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return spec, images
}

// Sources are compared between other images of one kind.
func TestSourceChanges(t *testing.T) {
	target := &hvtest.Counting{}
	spec, images := revisions(t, target)
	var got []string
	for _, c := range sourceChanges(t.Context(), target, spec, images) {
		got = append(got, c.Base+" "+c.Build)
		if c.Changed != 1 || c.Arch != "amd64" {
			t.Errorf("%+v", c)
		}
	}
	if d := cmp.Diff([]string{"before after", "before again"}, got); d != "" {
		t.Error(d)
	}
	if all := sourceChanges(t.Context(), &hvtest.Target{}, spec, images); all != nil {
		t.Errorf("of a target that does not tell: %v", all)
	}
}

// Policies are compared between images of one kind, where one of them loads another
// than its own.
func TestPolicyChanges(t *testing.T) {
	target, path := &hvtest.Target{}, filepath.Join(t.TempDir(), "mine")
	if err := os.WriteFile(path, []byte("policy\nallow a b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	spec := results.Spec{Target: target.Name(), Rounds: 1, Layouts: 1, Builds: []hv.Build{
		{Name: "own", Kind: "flask", Arch: "amd64"}, {Name: "mine", Kind: "flask", Arch: "amd64", Policy: path},
		{Name: "again", Kind: "flask", Arch: "amd64", Policy: path}, {Name: "dummy", Arch: "amd64"},
	}}
	images, err := Build(t.Context(), target, spec, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	rules := hv.PolicyChange{Parts: []hv.PolicyPart{{What: "rules", Added: 1, New: []string{"allow a b"}}}}
	want := []results.PolicyChange{{Base: "own", Build: "mine", Arch: "amd64", PolicyChange: rules}, {Base: "own", Build: "again", Arch: "amd64", PolicyChange: rules}}
	if d := cmp.Diff(want, policyChanges(t.Context(), target, spec, images), cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

// A run goes on without what cannot be read, and says so.
func TestRecordFunctions(t *testing.T) {
	target := &unreadable{}
	spec, images := revisions(t, target)
	d, err := results.Create(filepath.Join(t.TempDir(), "run"), results.Run{Spec: spec, Images: images.List(spec)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, want := range []string{"after: no symbols; changes of its functions will not be shown", "after: no symbols; changes of its functions will not be shown"} {
		var said []string // of the second call, too: the others are there
		recordFunctions(t.Context(), target, d, spec, images, func(line string) { said = append(said, line) })
		if got := strings.Join(said, "\n"); got != want {
			t.Errorf("said %q, want %q", got, want)
		}
	}
	for _, b := range spec.Builds {
		if has, want := d.HasFunctions(b), b.Name != "after" && b.ControlOf == ""; has != want {
			t.Errorf("%s: recorded %v", b.Name, has)
		}
	}
}
