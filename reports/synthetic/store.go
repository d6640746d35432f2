package synthetic

import (
	"errors"
	"path/filepath"

	"xsmbench/results/history"
)

// NightlyStore is a history of what WriteNightly makes. Both are made in dir.
func NightlyStore(dir string) (*history.Store, error) {
	nightly := filepath.Join(dir, "nightly")
	if err := WriteNightly(nightly); err != nil {
		return nil, err
	}
	s, err := history.Create(filepath.Join(dir, "history.db"))
	if err != nil {
		return nil, err
	}
	for night := 1; night <= Nights; night++ {
		if _, err := s.Add(nightDir(nightly, night), ""); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}
