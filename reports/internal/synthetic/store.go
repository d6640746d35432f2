package synthetic

import (
	"fmt"
	"path/filepath"

	"xsmbench/results/history"
)

// NightlyStore puts the runs that WriteNightly made in dir into a history.
func NightlyStore(path, dir string) (*history.Store, error) {
	dirs, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(dirs) == 0 {
		return nil, fmt.Errorf("no runs in %s: %v", dir, err)
	}
	s, err := history.Create(path)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		if _, err := s.Add(dir, ""); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}
