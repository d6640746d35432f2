package store

import (
	"os"
	"path/filepath"
)

// earlierNames are folders beside the store in which versions of before it kept
// what they made. Nothing uses them any longer.
var earlierNames = []string{"model", "xen"}

// Earlier is such a folder.
type Earlier struct {
	Name string `json:"name"`
	Size int64  `json:"bytes"`
}

// Earlier lists what earlier versions have left beside the store.
func (s *Store) Earlier() []Earlier {
	var list []Earlier
	for _, name := range earlierNames {
		if path := filepath.Join(s.top, name); isFolder(path) {
			list = append(list, Earlier{name, treeSize(path)})
		}
	}
	return list
}

func isFolder(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// removeEarlier removes what earlier versions have left.
func (s *Store) removeEarlier(r *Removed) error {
	for _, e := range s.Earlier() {
		if err := removeTree(filepath.Join(s.top, e.Name)); err != nil {
			return err
		}
		r.Earlier++
		r.Bytes += e.Size
	}
	return nil
}
