package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCurrent makes sure that the committed page is what the tables say.
func TestCurrent(t *testing.T) {
	have, err := os.ReadFile("../../../docs/flask-mapping.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, page()) {
		t.Error("docs/flask-mapping.md is not current: run go generate ./xsm/flask")
	}
	if n := strings.Count(string(have), "\n| `"); n != 98 {
		t.Errorf("%d permissions, want 98", n)
	}
}

func TestRun(t *testing.T) {
	if err := run(nil); err == nil {
		t.Error("no output file, no error")
	}
	if err := run([]string{filepath.Join(t.TempDir(), "none", "page.md")}); err == nil {
		t.Error("no directory, no error")
	}
}
