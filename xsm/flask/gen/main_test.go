package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestFresh makes sure that the committed constants are those of the policy.
func TestFresh(t *testing.T) {
	want, err := generate("../policy/source")
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../classes.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("classes.go is stale: run go generate in xsm/flask")
	}
}

func TestMalformed(t *testing.T) {
	good := map[string]string{
		"security_classes": "class a\n",
		"initial_sids":     "sid s\n",
		"access_vectors":   "class a\n{ p }\n",
	}
	for _, c := range []struct{ file, text string }{
		{"security_classes", "sid a\n"},
		{"security_classes", "class\n"},
		{"security_classes", "class a\nclass b\n"}, // b has no permissions
		{"initial_sids", "class s\n"},
		{"access_vectors", "class a { p"},
		{"access_vectors", "class a p }"},
	} {
		dir := t.TempDir()
		for name, text := range good {
			if name == c.file {
				text = c.text
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := generate(dir); err == nil {
			t.Errorf("%s of %q: no error", c.file, c.text)
		}
	}
}
