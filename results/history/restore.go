package history

import (
	"fmt"
	"os"
	"path/filepath"
)

// Restore makes a run directory again. It writes over nothing, and into no
// other directory.
func Restore(dir string, files []File) error {
	if _, err := os.Lstat(filepath.Join(dir, "run.json")); err == nil {
		return fmt.Errorf("make run directory: %s already holds a run", dir)
	}
	for _, f := range files {
		if !filepath.IsLocal(f.Name) {
			return fmt.Errorf("make run directory: %q is no name of a file in it", f.Name)
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return fmt.Errorf("make run directory: %w", err)
		}
		if err := os.WriteFile(path, f.Text, 0o666); err != nil {
			return fmt.Errorf("make run directory: %w", err)
		}
	}
	return nil
}
