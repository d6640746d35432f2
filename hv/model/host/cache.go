package host

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"xsmbench/hv"
)

// cache is the directory of built programs: one folder per key, complete or
// absent, since folders are filled elsewhere and renamed into place.
type cache struct{ dir string }

// Limits of the cache: above the size, folders are removed that nothing used
// for some time, the oldest first.
const (
	cacheSize = 2 << 30 // bytes
	cacheIdle = 6 * time.Hour
)

func openCache() (cache, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return cache{}, fmt.Errorf("find cache directory: %w (set HOME or XDG_CACHE_HOME)", err)
	}
	c := cache{filepath.Join(base, "xsmbench", "model")}
	for _, sub := range []string{"images", "sources", "policies", "logs", "tmp"} {
		if err := os.MkdirAll(filepath.Join(c.dir, sub), 0o777); err != nil {
			return cache{}, fmt.Errorf("create cache: %w", err)
		}
	}
	return c, nil
}

const (
	binaryFile = "xsmmodel"
	imageFile  = "image.json"
)

func (c cache) folder(key string) string { return filepath.Join(c.dir, "images", key) }

// load finds an image; one whose program is not the one that was stored does
// not count.
func (c cache) load(key string) (*hv.Image, bool) {
	folder := c.folder(key)
	text, err := os.ReadFile(filepath.Join(folder, imageFile))
	if err != nil {
		return nil, false
	}
	var img hv.Image
	if err := json.Unmarshal(text, &img); err != nil {
		return nil, false
	}
	img.Path = filepath.Join(folder, binaryFile)
	if hash, err := hashFile(img.Path); err != nil || hash != img.Hash {
		os.RemoveAll(folder)
		return nil, false
	}
	now := time.Now()
	os.Chtimes(folder, now, now) // used: kept longer; of no consequence if it fails
	img.Cached = true
	return &img, true
}

// publish fills a folder and puts it in its place at once. If another process
// was faster, its folder stays: both are the same by construction.
func (c cache) publish(folder string, fill func(tmp string) error) error {
	tmp, err := os.MkdirTemp(filepath.Join(c.dir, "tmp"), "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := fill(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, folder); err != nil {
		if _, there := os.Stat(folder); there == nil {
			return nil
		}
		return err
	}
	return nil
}

// prune removes what was not used for long from a cache that has grown.
func (c cache) prune(now time.Time) {
	type entry struct {
		path string
		size int64
		used time.Time
	}
	var entries []entry
	var total int64
	folders, _ := filepath.Glob(filepath.Join(c.dir, "images", "*"))
	for _, f := range folders {
		dir, err := os.Stat(f)
		if err != nil {
			continue
		}
		e := entry{path: f, used: dir.ModTime()}
		if bin, err := os.Stat(filepath.Join(f, binaryFile)); err == nil {
			e.size = bin.Size()
		}
		total += e.size
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int { return a.used.Compare(b.used) })
	for _, e := range entries {
		if total <= cacheSize || now.Sub(e.used) < cacheIdle {
			return
		}
		if os.RemoveAll(e.path) == nil {
			total -= e.size
		}
	}
}
