package content

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// plant writes a tree: a name that ends with "@" is a link, with "*" a program.
func plant(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, strings.TrimRight(name, "@*"))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		switch {
		case err != nil:
		case strings.HasSuffix(name, "@"):
			err = os.Symlink(text, path)
		case strings.HasSuffix(name, "*"):
			err = os.WriteFile(path, []byte(text), 0o755)
		default:
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func planted(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	plant(t, dir, files)
	return dir
}

func hashOf(t *testing.T, dir string) string {
	t.Helper()
	d, err := HashTree(dir, All(dir, nil))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestHashFile(t *testing.T) {
	dir := planted(t, map[string]string{"f": "abc"})
	got, err := HashFile(filepath.Join(dir, "f"))
	if err != nil || got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := HashFile(filepath.Join(dir, "absent")); err == nil {
		t.Error("an absent file has a hash")
	}
}

func TestHashTree(t *testing.T) {
	base := map[string]string{"a": "1", "d/b": "2", "l@": "a"}
	same := hashOf(t, planted(t, base))
	if again := hashOf(t, planted(t, base)); again != same {
		t.Errorf("two digests of one tree: %s, %s", same, again)
	}
	for name, other := range map[string]map[string]string{
		"content": {"a": "x", "d/b": "2", "l@": "a"},
		"name":    {"c": "1", "d/b": "2", "l@": "a"},
		"folder":  {"a": "1", "e/b": "2", "l@": "a"},
		"link":    {"a": "1", "d/b": "2", "l@": "b"},
		"no link": {"a": "1", "d/b": "2", "l": "a"},
		"program": {"a*": "1", "d/b": "2", "l@": "a"},
		"added":   {"a": "1", "d/b": "2", "l@": "a", "n": ""},
		"removed": {"a": "1", "d/b": "2"},
	} {
		if hashOf(t, planted(t, other)) == same {
			t.Errorf("%s: the digest is the same", name)
		}
	}
}

func TestCopyTree(t *testing.T) {
	from := planted(t, map[string]string{"a": "1", "d/b*": "2", "l@": "gone", "skip/c": "3", "skipped": "4"})
	old := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(from, "a"), old, old); err != nil {
		t.Fatal(err)
	}
	files := All(from, func(rel string, _ fs.DirEntry) bool { return strings.HasPrefix(rel, "skip") })
	to := filepath.Join(t.TempDir(), "new")
	got, err := CopyTree(from, to, files)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := HashTree(from, files); err != nil || got != want || hashOf(t, to) != want {
		t.Errorf("copied %s, from %s, to %s (%v)", got, want, hashOf(t, to), err)
	}
	if info, err := os.Stat(filepath.Join(to, "a")); err != nil || !info.ModTime().Equal(old) || info.Mode().Perm() != 0o644 {
		t.Errorf("a: %v, %v", info, err)
	}
	if _, err := CopyTree(from, to, files); err == nil {
		t.Error("it copies over files")
	}
}

// A tree that changes between hashing and copying has another digest.
func TestCopyTreeThatChanges(t *testing.T) {
	from := planted(t, map[string]string{"a": "1", "b": "2"})
	before := hashOf(t, from)
	got, err := CopyTree(from, t.TempDir(), func(visit func(string, fs.FileInfo) error) error {
		return All(from, nil)(func(rel string, info fs.FileInfo) error {
			if rel == "b" {
				if err := os.WriteFile(filepath.Join(from, "b"), []byte("3"), 0o644); err != nil {
					return err
				}
			}
			return visit(rel, info)
		})
	})
	if err != nil || got == before {
		t.Errorf("digest %s, %v", got, err)
	}
}
