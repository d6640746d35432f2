package xen

import (
	"context"
	"fmt"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/protocol"
	"xsmbench/hv/xen/qemu"
)

// Settings say what a machine of the image is.
func (t *Target) Settings(ctx context.Context, img *hv.Image, spec hv.BootSpec) []hv.Setting {
	s := &start{img: img, accel: qemu.Accel(spec.Accel), shape: shapeOf(spec)}
	if s.accel == "" {
		s.accel = qemu.ICount
	}
	m := s.machine("/", protocol.Order{})
	var all []hv.Setting
	if version, err := qemuVersion(ctx); err == nil {
		all = append(all, hv.Setting{Item: hv.SettingEmulator, Text: fmt.Sprintf("%s, %s", version, m.Processor())})
	}
	if p, ok := t.guests.there(guestsParts); ok {
		all = append(all, hv.Setting{Item: hv.SettingGuests, Text: packagesText(p.versions)})
	}
	return append(all,
		hv.Setting{Item: hv.SettingVCPUs, Text: fmt.Sprintf(
			"1 in dom0 and 1 in each domU, on a machine of %d CPU: there is nothing to pin them to; QEMU itself is pinned to no CPU of the host", m.CPUs)},
		hv.Setting{Item: hv.SettingPolicy, Text: policyText(img.Build)},
		hv.Setting{Item: hv.SettingAVC, Text: avcText(img.Build)})
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

func policyText(b hv.Build) string {
	if b.KindOf() == "flask" {
		return "that of Xen's source, built into the image, enforcing (flask=enforcing on Xen's command line)"
	}
	return "none"
}

func avcText(b hv.Build) string {
	if b.KindOf() == "flask" {
		return "warm, unless a benchmark's name says otherwise: the operation ran before the windows that count"
	}
	return "none"
}
