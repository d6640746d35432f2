package experiment

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv"
)

func TestJoinSettings(t *testing.T) {
	got := JoinSettings([][]hv.Setting{
		{{Item: "vcpus", Build: "native", Text: "1"}, {Item: "policy", Build: "native", Text: "none"}},
		{{Item: "vcpus", Build: "dummy", Text: "1"}, {Item: "policy", Build: "dummy", Text: "none"}},
		{{Item: "vcpus", Build: "flask", Text: "1"}, {Item: "policy", Build: "flask", Text: "enforcing"}},
	})
	want := []hv.Setting{
		{Item: "vcpus", Text: "1"}, {Item: "policy", Build: "native", Text: "none"},
		{Item: "policy", Build: "dummy", Text: "none"}, {Item: "policy", Build: "flask", Text: "enforcing"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A run goes on only on the machines that it began with, as far as they are
// known.
func TestSameSettings(t *testing.T) {
	was := []hv.Setting{{Item: hv.SettingEmulator, Text: "QEMU 7.2"}, {Item: hv.SettingGuests, Text: "Linux 6.1"}, {Item: hv.SettingAVC, Build: "flask", Text: "warm"}, {Item: hv.SettingOptions, Build: "lax", Text: "flask=permissive"}}
	for _, c := range []struct {
		name string
		is   []hv.Setting
		want error
	}{
		{"the same", was, nil},
		{"not known", nil, nil},
		{"the emulator", []hv.Setting{{Item: hv.SettingEmulator, Text: "QEMU 10"}, was[1]}, &ChangedSettingError{hv.SettingEmulator, "QEMU 7.2", "QEMU 10"}},
		{"the kernel", []hv.Setting{was[0], {Item: hv.SettingGuests, Text: "Linux 6.12"}}, &ChangedSettingError{hv.SettingGuests, "Linux 6.1", "Linux 6.12"}},
		{"the command line", []hv.Setting{was[0], {Item: hv.SettingOptions, Build: "lax", Text: "flask=late"}}, &ChangedSettingError{hv.SettingOptions, "flask=permissive", "flask=late"}},
		{"what changes no figure", []hv.Setting{was[0], was[1], {Item: hv.SettingAVC, Build: "flask", Text: "as it comes"}}, nil},
	} {
		err := sameSettings(was, c.is)
		if c.want == nil {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		var changed *ChangedSettingError
		if !errors.As(err, &changed) || changed.Error() != c.want.Error() {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}
