package host

import (
	"cmp"
	"context"
	"os/exec"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/child"
	"xsmbench/xsm"
)

// Settings say what a machine of the image is. The processors are those of
// cmd/xsmmodel, whose flags they are.
func (t *Target) Settings(ctx context.Context, img *hv.Image, spec hv.BootSpec) []hv.Setting {
	vcpus := "2 in dom0, each pinned to one of the model's 2 processors, and 1 in each domU, pinned to none; "
	var all []hv.Setting
	if t.Windows(spec.Accel) > 0 {
		if text := emulatorText(ctx, img.Build.Arch); text != "" {
			all = append(all, hv.Setting{Item: hv.SettingEmulator, Text: text})
		}
		vcpus += "one thread at a time executes them (" + strings.Join(steady, " ") + ")"
	} else {
		vcpus += "they are threads of the host, pinned to no CPU of it"
	}
	all = append(all, hv.Setting{Item: hv.SettingVCPUs, Text: vcpus})
	k := kindOfImage(img)
	avc := "none"
	if k.AVC {
		avc = "warm, unless a benchmark's name says otherwise: the operation ran before the windows that count"
	}
	return append(all, hv.Setting{Item: hv.SettingPolicy, Text: policyText(img, k)},
		hv.Setting{Item: hv.SettingOptions, Text: cmp.Or(commandLine(img.Build), "empty")}, hv.Setting{Item: hv.SettingAVC, Text: avc})
}

// policyText says which policy an image boots with.
func policyText(img *hv.Image, k hv.Kind) string {
	var policy string
	switch {
	case img.Policy != "":
		policy = img.Build.Policy + ", SHA-256 " + img.Policy
	case k.BuiltIn && img.Module != nil:
		policy = "the module's own, built into the image"
	case k.BuiltIn:
		policy = "the model's own, built into the image"
	default:
		return "none"
	}
	switch k.Mode {
	case "":
	case xsm.Disabled:
		policy += ", not loaded: the module is disabled"
	default:
		policy += ", " + k.Mode
	}
	if img.Build.Label != "" {
		policy += ", domU labelled " + img.Build.Label
	}
	if how := map[string]string{"deny": "denied", "allow": "allowed"}[img.Build.Unknown]; how != "" {
		policy += ", permissions that it does not have " + how
	}
	return policy
}

// emulatorText is the emulator's name and version, empty if it does not tell.
func emulatorText(ctx context.Context, arch string) string {
	out, err := child.Output(exec.CommandContext(ctx, emulators[arch], "--version"))
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return first
}
