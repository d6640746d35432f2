package xen

import (
	"strings"
	"testing"

	"xsmbench/hv"
)

func TestSettings(t *testing.T) {
	for _, x := range []struct {
		kind, item, want string
	}{
		{"flask", hv.SettingPolicy, "that of Xen's source, built into the image, enforcing (flask=enforcing"},
		{"flask", hv.SettingAVC, "warm"},
		{"dummy", hv.SettingPolicy, "none"},
		{"native", hv.SettingAVC, "none"},
		{"native", hv.SettingVCPUs, "1 in dom0 and 1 in each domU, on a machine of 1 CPU"},
	} {
		found := ""
		for _, s := range New().Settings(t.Context(), &hv.Image{Build: hv.Build{Name: "x", Kind: x.kind, Arch: "amd64"}}, hv.BootSpec{}) {
			if s.Item == x.item {
				found += s.Text
			}
		}
		if !strings.HasPrefix(found, x.want) {
			t.Errorf("%s: %s is %q, want %q", x.kind, x.item, found, x.want)
		}
	}
}
