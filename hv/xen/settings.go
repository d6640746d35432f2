package xen

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/protocol"
	"xsmbench/hv/xen/qemu"
)

// Settings say what a machine of the image is.
func (t *Target) Settings(ctx context.Context, img *hv.Image, spec hv.BootSpec) []hv.Setting {
	around, err := t.around.get(img)
	if err != nil {
		around = &surroundings{tools: &toolstack{missing: "it is not known"}} // of an image that is not started
	}
	s := &start{img: img, accel: qemu.Accel(spec.Accel), shape: shapeOf(spec), around: around}
	if s.accel == "" {
		s.accel = qemu.ICount
	}
	m := s.machine("/", protocol.Order{})
	var all []hv.Setting
	if version, err := qemuVersion(ctx); err == nil {
		all = append(all, hv.Setting{Item: hv.SettingEmulator, Text: fmt.Sprintf("%s, %s", version, m.Processor())})
	}
	if k, ok := t.kernels.there(guestsFrom(img.Build.Packages).String()); ok {
		text := guestsText(k, around) + t.programsText(spec.Plan, img.Build.Packages, around.tools)
		all = append(all, hv.Setting{Item: hv.SettingGuests, Text: text})
	}
	k, _ := kindOf(img.Build) // of which it was built
	return append(all,
		hv.Setting{Item: hv.SettingVCPUs, Text: s.shape.cpusText() + "; the FPU is switched eagerly" + around.fpuText()},
		hv.Setting{Item: hv.SettingPolicy, Text: t.policyText(img, around)},
		hv.Setting{Item: hv.SettingOptions, Text: m.CmdLine},
		hv.Setting{Item: hv.SettingAVC, Text: avcText(k, k.mode(img.Build.Options))})
}

// packagesText names the packages that decide most, and all by their hash.
func packagesText(files []string) string {
	var named []string
	for _, f := range files {
		if strings.HasPrefix(f, "linux-image-") || strings.HasPrefix(f, "xen-utils-") {
			named = append(named, strings.TrimSuffix(f, ".deb"))
		}
	}
	all := store.KeyOf(files...)
	return fmt.Sprintf("%s, of %d packages (%.12s)", strings.Join(named, ", "), len(files), all)
}

// guestsText says what the guests are made of.
func guestsText(k *kernel, around *surroundings) string {
	return packagesUsed(k, around.tools) + "; the kernel is stripped, and readies its list of machine addresses for 16 GiB if it did for 512"
}

func packagesUsed(k *kernel, tools *toolstack) string {
	switch {
	case tools.missing != "":
		return packagesText(k.packages) + "; no toolstack, so that dom0 runs alone"
	case tools.packages == nil:
		return fmt.Sprintf("%s; dom0's toolstack is built from the tree (%s, %.12s)", packagesText(k.packages), tools.version, tools.key)
	}
	return packagesText(slices.Concat(k.packages, tools.packages))
}

func (s *surroundings) fpuText() string {
	if s.lazyFPU {
		return " (spec-ctrl=eager-fpu)"
	}
	return ", as this Xen always does"
}

// modeText says what a build's module does with its policy, and how it comes to that.
func (s *surroundings) modeText(b hv.Build) string {
	k, _ := kindOf(b) // of which it was built
	m := k.mode(b.Options)
	if s.late(m) {
		return fmt.Sprintf("%s from before the first domU on (%s=%s on Xen's command line: the policy denies xenstored, in dom0, the get_domain_state that it asks for at its start)", m.says, k.option, m.until)
	}
	return fmt.Sprintf("%s (%s=%s on Xen's command line)", m.says, k.option, m.value)
}

func avcText(k kind, m mode) string {
	if k.AVC && m.module != protocol.ModuleNone {
		return "warm, unless a benchmark's name says otherwise: the operation ran before the windows that count"
	}
	return "none"
}
