package experiment

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv"
)

func TestJoinSettings(t *testing.T) {
	got := joinSettings([]hv.Setting{
		{Item: "vcpus", Build: "native", Text: "1"}, {Item: "policy", Build: "native", Text: "none"},
		{Item: "vcpus", Build: "dummy", Text: "1"}, {Item: "policy", Build: "dummy", Text: "none"},
		{Item: "vcpus", Build: "flask", Text: "1"}, {Item: "policy", Build: "flask", Text: "enforcing"},
	}, 3)
	want := []hv.Setting{
		{Item: "vcpus", Text: "1"}, {Item: "policy", Build: "native", Text: "none"},
		{Item: "policy", Build: "dummy", Text: "none"}, {Item: "policy", Build: "flask", Text: "enforcing"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
