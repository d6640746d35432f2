package experiment

import (
	"context"
	"slices"

	"xsmbench/hv"
	"xsmbench/results"
)

// Settings are what the target says of how it sets up the machines of a run's
// builds. What is the same for all builds stands once, for none of them.
func Settings(ctx context.Context, t hv.Target, spec results.Spec, images Images) []hv.Setting {
	teller, ok := t.(hv.SettingsTeller)
	if !ok {
		return nil
	}
	var all []hv.Setting
	builds := 0
	for _, b := range spec.Builds {
		img := images.Of(b)
		if img == nil {
			continue
		}
		builds++
		for _, s := range teller.Settings(ctx, img, bootSpec(spec)) {
			s.Build = b.Name
			all = append(all, s)
		}
	}
	return joinSettings(all, builds)
}

// joinSettings puts one setting in place of those that all builds share.
func joinSettings(all []hv.Setting, builds int) []hv.Setting {
	var joined []hv.Setting
	for _, s := range all {
		same := 0
		for _, o := range all {
			if o.Item == s.Item && o.Text == s.Text {
				same++
			}
		}
		if same == builds {
			s.Build = ""
		}
		if !slices.Contains(joined, s) {
			joined = append(joined, s)
		}
	}
	return joined
}
