package xen

import (
	"os"
	"path/filepath"
	"slices"
	"time"
)

// prune removes files and directories that match pattern, the longest unused
// first, until they are within bounds or what is left was used a short while
// ago. A directory is as large as the file in it that is named.
func prune(pattern, file string, now time.Time) {
	type entry struct {
		path string
		size int64
		used time.Time
	}
	var entries []entry
	var total int64
	dirs, _ := filepath.Glob(pattern)
	for _, d := range dirs {
		info, err := os.Stat(d)
		if err != nil {
			continue
		}
		if filepath.Ext(d) == ".tmp" { // in the making, or left by a program that was killed
			if now.Sub(info.ModTime()) >= snapshotsIdle {
				os.RemoveAll(d)
			}
			continue
		}
		e := entry{path: d, used: info.ModTime(), size: info.Size()}
		if f, err := os.Stat(filepath.Join(d, file)); err == nil {
			e.size = f.Size()
		}
		total += e.size
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int { return a.used.Compare(b.used) })
	for _, e := range entries {
		if total <= snapshotsSize || now.Sub(e.used) < snapshotsIdle {
			return
		}
		if os.RemoveAll(e.path) == nil {
			total -= e.size
		}
	}
}
