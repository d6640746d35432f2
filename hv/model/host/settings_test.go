package host

import (
	"strings"
	"testing"

	"xsmbench/hv"
)

func TestSettings(t *testing.T) {
	flask := &hv.Image{Build: hv.Build{Name: "mine", Kind: "flask", Arch: "amd64"}, Config: "xsm,flask"}
	own := &hv.Image{Build: hv.Build{Name: "flask", Arch: "amd64", Policy: "my.policy"}, Config: "xsm,flask", Policy: "0123"}
	lax := &hv.Image{Build: hv.Build{Name: "lax", Kind: "flask", Arch: "amd64", Options: []string{"flask_enforcing=0"}}}
	off := &hv.Image{Build: hv.Build{Name: "off", Kind: "flask", Arch: "amd64", Options: []string{"flask_enabled=0"}}}
	native := &hv.Image{Build: hv.Build{Name: "native", Arch: "amd64"}, Config: "none"}
	for _, x := range []struct {
		img        *hv.Image
		accel      string
		item, want string
	}{
		{flask, "", hv.SettingPolicy, "the model's own, built into the image, enforcing"},
		{own, "", hv.SettingPolicy, "my.policy, SHA-256 0123, enforcing"},
		{native, "", hv.SettingPolicy, "none"},
		{native, "", hv.SettingOptions, "empty"},
		{lax, "", hv.SettingPolicy, "the model's own, built into the image, permissive"},
		{lax, "", hv.SettingOptions, "flask_enforcing=0"},
		{lax, "", hv.SettingAVC, "warm"},
		{off, "", hv.SettingPolicy, "the model's own, built into the image, not loaded: the module is disabled"},
		{off, "", hv.SettingAVC, "none"},
		{native, "", hv.SettingAVC, "none"},
		{flask, "", hv.SettingAVC, "warm"},
		{native, "", hv.SettingVCPUs, "threads of the host"},
		{native, icount, hv.SettingVCPUs, "GOMAXPROCS=1"},
	} {
		found := 0
		for _, s := range New().Settings(t.Context(), x.img, hv.BootSpec{Accel: x.accel}) {
			if s.Item == x.item {
				found++
				if !strings.Contains(s.Text, x.want) {
					t.Errorf("%s, accelerator %q: %s is %q, want %q", x.img.Build.Name, x.accel, s.Item, s.Text, x.want)
				}
			}
		}
		if found != 1 {
			t.Errorf("%s: %d settings %s", x.img.Build.Name, found, x.item)
		}
	}
}
