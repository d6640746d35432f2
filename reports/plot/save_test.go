package plot

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestSaveAll: the end of a name says how a chart is drawn into it.
func TestSaveAll(t *testing.T) {
	chart := Charts(fixture(t, "run"))[0]
	dir := filepath.Join(t.TempDir(), "new")
	if err := SaveAll([]*Chart{chart}, dir); err != nil {
		t.Fatal(err)
	}
	for ext, begins := range map[string]string{".svg": "<?xml", ".png": "\x89PNG"} {
		text, err := os.ReadFile(filepath.Join(dir, chart.Name+ext))
		if err != nil || !bytes.HasPrefix(text, []byte(begins)) {
			t.Errorf("%s begins with %.5q, %v", ext, text, err)
		}
	}
	if err := SaveAll([]*Chart{chart}, filepath.Join(dir, chart.Name+".svg")); err == nil {
		t.Error("charts in a directory that is a file")
	}
}
