package merge

import (
	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/results"
)

// Setups compares runs that are not merged into one, but whose counts are to stand side
// by side, as those of several revisions do. The zero value knows none.
type Setups struct {
	dir, key string
	run      results.Run
	emulator string
	of       string // whose emulator that is
}

// Add refuses a run of another plan than those before, or of another version of this
// program or of the emulator, with a DiffersError.
func (s *Setups) Add(dir string, run results.Run) (err error) {
	if s.dir == "" {
		s.dir, s.run = dir, run
		if s.key, err = experiment.PlanKey(run.Spec); err != nil {
			return err
		}
	} else if err := comparePlans(dir, run, s.dir, s.run, s.key); err != nil {
		return err
	}
	for _, t := range toldBefore(run) {
		is := texts(t.Settings, hv.SettingEmulator)
		switch {
		case is == "" || is == s.emulator:
		case s.emulator == "":
			s.emulator, s.of = is, dir
		default:
			return &DiffersError{dir, s.of, "the emulator of " + t.Build, is, s.emulator, otherSetup}
		}
	}
	return nil
}
