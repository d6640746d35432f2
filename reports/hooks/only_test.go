package hooks

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/reports/internal/golden"
	"xsmbench/reports/profile"
)

// another makes a build's code that of another release: without a hook, and
// with another in its place.
func another(r *profile.Run, build, lacks, has string) {
	c := r.Code[build]
	c.Hooks = append(slices.DeleteFunc(slices.Clone(c.Hooks), func(h string) bool { return h == lacks }), has)
	slices.Sort(c.Hooks)
	c.Absent, c.Unknown = []string{"the hypercall do_argo_op"}, []string{"entry_new"}
	c.Jumped = []string{"do_xsm_op"}
	r.Code[build] = c
	for _, b := range r.Benchmarks {
		if cost := b.Costs[build]; cost != nil {
			for i := range cost.Hooks {
				if cost.Hooks[i].Name == lacks {
					cost.Hooks[i].Name = has
				}
			}
		}
	}
}

func TestOnlyLines(t *testing.T) {
	r := fixture(t)
	if lines := OnlyLines(r, "native"); len(lines) > 0 {
		t.Errorf("builds of one tree: %v", lines)
	}
	another(r, "flask", "sysctl", "get_domain_state")
	want := []string{"hooks of dummy and flask by name: only dummy has sysctl; only flask has get_domain_state"}
	for _, base := range []string{"native", "dummy"} { // native does not tell
		if d := cmp.Diff(want, OnlyLines(r, base)); d != "" {
			t.Errorf("against %s: %s", base, d)
		}
	}
	var text bytes.Buffer
	if err := Text(&text, r, Options{Base: "native"}); err != nil {
		t.Fatal(err)
	}
	for _, line := range append(want, "not in the code of flask: the hypercall do_argo_op", "where guests may enter flask without a sign of what they come for: entry_new",
		"charged to the caller in flask, which jumps there instead of calling: hooks do_xsm_op") {
		if !strings.Contains(text.String(), "\n"+line+"\n") {
			t.Errorf("the text lacks %q", line)
		}
	}
	var out bytes.Buffer
	if err := JSON(&out, r, Options{Base: "native"}); err != nil {
		t.Fatal(err)
	}
	var got jsonRun
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]jsonOnly{{"flask", "dummy", []string{"get_domain_state"}, []string{"sysctl"}}}, got.Only); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]jsonCode{{"flask", []string{"the hypercall do_argo_op"}, []string{"entry_new"}, []string{"do_xsm_op"}}}, got.Code); d != "" {
		t.Error(d)
	}
}

// TestReleases: runs of two releases are held against each other by the names of
// their hooks.
func TestReleases(t *testing.T) {
	first, second := fixture(t), fixture(t)
	first.Path, second.Path = "4.17", "4.22"
	another(second, "flask", "xen_version", "version")
	golden.Matches(t, *update, "releases.txt", func(w io.Writer) error { return Against(w, first, second, "flask") })
	if left := profile.Unexplained(profile.Against(first, second, "flask")); len(left) > 0 {
		t.Errorf("not explained: %v", left)
	}
}
