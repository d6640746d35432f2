package plot

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Save draws the chart into a file: as PNG if that is how its name ends, else
// as SVG.
func (c *Chart) Save(path string) error {
	var b bytes.Buffer
	write := c.SVG
	if filepath.Ext(path) == ".png" {
		write = c.PNG
	}
	if err := write(&b); err != nil {
		return err
	}
	if err := renameio.WriteFile(path, b.Bytes(), 0o666); err != nil {
		return fmt.Errorf("draw %s: %w", c.Name, err)
	}
	return nil
}

// SaveAll draws charts into a directory, each as SVG and PNG.
func SaveAll(charts []*Chart, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("draw charts: %w", err)
	}
	for _, c := range charts {
		for _, ext := range []string{".svg", ".png"} {
			if err := c.Save(filepath.Join(dir, c.Name+ext)); err != nil {
				return err
			}
		}
	}
	return nil
}
