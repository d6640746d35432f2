package experiment

import (
	"context"
	"fmt"
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
	var all [][]hv.Setting
	for _, b := range spec.Builds {
		img := images.Of(b)
		if img == nil {
			continue
		}
		of := teller.Settings(ctx, img, bootSpec(spec))
		for i := range of {
			of[i].Build = b.Name
		}
		all = append(all, of)
	}
	return JoinSettings(all)
}

// ChangedSettingError says that machines are no longer what they were when a run
// began.
type ChangedSettingError struct{ Item, Was, Is string }

// Error says what to do.
func (e *ChangedSettingError) Error() string {
	return fmt.Sprintf("%s: the run began with %s, but would now continue with %s: restore the former, or start a new run", e.Item, e.Was, e.Is)
}

// sameSettings fails with a *ChangedSettingError if figures of a run would come
// from machines that differ: another emulator counts other instructions, and so
// does another kernel, or a hypervisor with another command line. What a run did not write down is not compared.
func sameSettings(was, is []hv.Setting) error {
	for _, item := range []string{hv.SettingEmulator, hv.SettingGuests, hv.SettingOptions} {
		for _, old := range was {
			for _, now := range is {
				if old.Item == item && now.Item == item && old.Build == now.Build && old.Text != now.Text {
					return &ChangedSettingError{item, old.Text, now.Text}
				}
			}
		}
	}
	return nil
}

// JoinSettings puts one setting in place of those that all builds share. It gets those
// of each build.
func JoinSettings(builds [][]hv.Setting) []hv.Setting {
	all := slices.Concat(builds...)
	var joined []hv.Setting
	for _, s := range all {
		same := 0
		for _, o := range all {
			if o.Item == s.Item && o.Text == s.Text {
				same++
			}
		}
		if same == len(builds) {
			s.Build = ""
		}
		if !slices.Contains(joined, s) {
			joined = append(joined, s)
		}
	}
	return joined
}
