package xen

import (
	"strings"
	"testing"

	"xsmbench/hv"
)

func TestSettings(t *testing.T) {
	for _, x := range []struct {
		kind, option, item, want string
	}{
		{"flask", "", hv.SettingPolicy, "that of Xen's source, built into the image, enforcing (flask=enforcing"},
		{"flask", "", hv.SettingAVC, "warm"},
		{"flask", "", hv.SettingOptions, "console=com1 com1=115200,8n1 dom0_mem=512M,max:528M dom0_max_vcpus=1 flask=enforcing"},
		{"flask", "flask=permissive", hv.SettingPolicy, "that of Xen's source, built into the image, permissive: what the policy denies is told, and done (flask=permissive"},
		{"flask", "flask=permissive", hv.SettingOptions, "console=com1 com1=115200,8n1 dom0_mem=512M,max:528M dom0_max_vcpus=1 flask=permissive"},
		{"flask", "flask=permissive", hv.SettingAVC, "warm"},
		{"flask", "flask=disabled", hv.SettingPolicy, "that of Xen's source, built into the image, not loaded: FLASK is disabled"},
		{"flask", "flask=disabled", hv.SettingAVC, "none"},
		{"flask", "flask=late", hv.SettingPolicy, "that of Xen's source, built into the image, not loaded: everything is allowed"},
		{"dummy", "sched=null", hv.SettingOptions, "console=com1 com1=115200,8n1 dom0_mem=512M,max:528M dom0_max_vcpus=1 flask=enforcing sched=null"},
		{"dummy", "", hv.SettingPolicy, "none"},
		{"native", "", hv.SettingAVC, "none"},
		{"native", "", hv.SettingVCPUs, "1 in dom0 and 1 in each domU, on a machine of 1 CPU"},
	} {
		b := hv.Build{Name: "x", Kind: x.kind, Arch: "amd64"}
		if x.option != "" {
			b.Options = []string{x.option}
		}
		found := ""
		for _, s := range New().Settings(t.Context(), &hv.Image{Build: b}, hv.BootSpec{}) {
			if s.Item == x.item {
				found += s.Text
			}
		}
		if !strings.HasPrefix(found, x.want) {
			t.Errorf("%s %s: %s is %q, want %q", x.kind, x.option, x.item, found, x.want)
		}
	}
}
