package content

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var long = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

// age makes all files of a tree old.
func age(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		return os.Chtimes(path, long, long)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// state describes a tree: "old" or "new", and the content.
func state(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			got[rel] = "folder"
		case isLink(info):
			got[rel], err = os.Readlink(path)
			got[rel] = "to " + got[rel]
		default:
			text, err := os.ReadFile(path)
			got[rel] = "new " + string(text)
			if info.ModTime().Equal(long) {
				got[rel] = "old " + string(text)
			}
			if info.Mode()&0o111 != 0 {
				got[rel] += " *"
			}
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSync(t *testing.T) {
	first := map[string]string{"a": "1", "d/b": "2", "d/c": "3", "l@": "a"}
	for name, c := range map[string]struct {
		second map[string]string
		built  map[string]string // what the build adds
		want   map[string]string
	}{
		"nothing": {first, nil, map[string]string{"a": "old 1", "d": "folder", "d/b": "old 2", "d/c": "old 3", "l": "to a"}},
		"changed": {
			map[string]string{"a": "9", "d/b": "22", "d/c": "3", "l@": "d"}, nil,
			map[string]string{"a": "new 9", "d": "folder", "d/b": "new 22", "d/c": "old 3", "l": "to d"},
		},
		"added, removed": {
			map[string]string{"a": "1", "e/f/g": "4"}, nil,
			map[string]string{"a": "old 1", "e": "folder", "e/f": "folder", "e/f/g": "new 4"},
		},
		"mode": {
			map[string]string{"a*": "1", "d/b": "2", "d/c": "3", "l@": "a"}, nil,
			map[string]string{"a": "old 1 *", "d": "folder", "d/b": "old 2", "d/c": "old 3", "l": "to a"},
		},
		"what is built stays": {
			map[string]string{"a": "1"}, map[string]string{"d/b.o": "object", "x.o": "object"},
			map[string]string{"a": "old 1", "d": "folder", "d/b.o": "old object", "x.o": "old object"},
		},
		"what is built over a source goes": {
			first, map[string]string{"d/b": "made"},
			map[string]string{"a": "old 1", "d": "folder", "d/b": "new 2", "d/c": "old 3", "l": "to a"},
		},
		"other types": {
			map[string]string{"a/x": "1", "d@": "a", "l": "now a file"}, nil,
			map[string]string{"a": "folder", "a/x": "new 1", "d": "to a", "l": "new now a file"},
		},
		"folder where the build has a file": {
			map[string]string{"a": "1", "x.o/y": "2"}, map[string]string{"x.o": "object"},
			map[string]string{"a": "old 1", "x.o": "folder", "x.o/y": "new 2"},
		},
		"file where the build has a folder": {
			map[string]string{"a": "1", "o": "2"}, map[string]string{"o/x.o": "object"},
			map[string]string{"a": "old 1", "o": "new 2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			work := t.TempDir()
			to, record := filepath.Join(work, "tree"), filepath.Join(work, "names")
			syncs(t, planted(t, first), to, record)
			for rel := range c.built {
				_ = os.Remove(filepath.Join(to, rel)) // as a compiler replaces what is there
			}
			plant(t, to, c.built)
			age(t, to)
			from := planted(t, c.second)
			age(t, from) // older than what is there, as an old revision's files may be
			if digest := syncs(t, from, to, record); digest != hashOf(t, from) {
				t.Errorf("digest %s, the tree's is %s", digest, hashOf(t, from))
			}
			if diff := cmp.Diff(c.want, state(t, to)); diff != "" {
				t.Errorf("the tree (-want +got):\n%s", diff)
			}
			age(t, to)
			before := state(t, to)
			syncs(t, from, to, record)
			if diff := cmp.Diff(before, state(t, to)); diff != "" {
				t.Errorf("again (-before +after):\n%s", diff)
			}
		})
	}
}

// Sync says what it did; the second time there is nothing to do. A file's mode
// counts as far as it is part of the digest.
func TestSyncChanges(t *testing.T) {
	work := t.TempDir()
	to, record := filepath.Join(work, "tree"), filepath.Join(work, "names")
	for _, c := range []struct {
		tree map[string]string
		want Changes
	}{
		{map[string]string{"a": "1", "d/b": "2"}, Changes{Added: []string{"a", "d/b"}}},
		{map[string]string{"a": "1", "d/b": "2"}, Changes{}},
		{map[string]string{"a": "9", "c": "3"}, Changes{Added: []string{"c"}, Changed: []string{"a"}, Removed: []string{"d/b"}}},
		{map[string]string{"a": "9", "c*": "3"}, Changes{Changed: []string{"c"}}},
		{map[string]string{"a": "9", "c*": "3"}, Changes{}},
		{map[string]string{"a*": "9", "c": "3"}, Changes{Changed: []string{"a", "c"}}},
	} {
		from := planted(t, c.tree)
		_, got, err := Sync(from, to, record, All(from, nil))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.tree, diff)
		}
	}
}

// Who may read and write a file is not part of a tree, and no change of it.
func TestSyncPermissions(t *testing.T) {
	work, from := t.TempDir(), planted(t, map[string]string{"a": "1"})
	to, record := filepath.Join(work, "tree"), filepath.Join(work, "names")
	syncs(t, from, to, record)
	if err := os.Chmod(filepath.Join(from, "a"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, got, err := Sync(from, to, record, All(from, nil))
	if diff := cmp.Diff(Changes{}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if info, err := os.Stat(filepath.Join(to, "a")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func syncs(t *testing.T, from, to, record string) string {
	t.Helper()
	digest, _, err := Sync(from, to, record, All(from, nil))
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// A Sync that stops half-way leaves a record of all that may be there.
func TestSyncStops(t *testing.T) {
	work := t.TempDir()
	to, record := filepath.Join(work, "tree"), filepath.Join(work, "names")
	syncs(t, planted(t, map[string]string{"a": "1", "b": "2"}), to, record)
	from := planted(t, map[string]string{"c": "3", "d": "4"})
	files := All(from, nil)
	_, _, err := Sync(from, to, record, func(visit func(string, os.FileInfo) error) error {
		if err := files(visit); err != nil {
			return err
		}
		return os.Remove(filepath.Join(from, "d"))
	})
	if err == nil {
		t.Fatal("a file that vanishes is no error")
	}
	plant(t, to, map[string]string{"d": "half of i"})
	syncs(t, planted(t, map[string]string{"a": "1"}), to, record)
	if diff := cmp.Diff(map[string]string{"a": "new 1"}, state(t, to)); diff != "" {
		t.Errorf("the tree (-want +got):\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	if _, err := HashTree(absent, All(absent, nil)); err == nil {
		t.Error("HashTree of nothing")
	}
	if _, err := CopyTree(absent, t.TempDir(), All(absent, nil)); err == nil {
		t.Error("CopyTree of nothing")
	}
	if _, _, err := Sync(absent, t.TempDir(), filepath.Join(t.TempDir(), "names"), All(absent, nil)); err == nil {
		t.Error("Sync of nothing")
	}
	if _, _, err := Sync(t.TempDir(), t.TempDir(), t.TempDir(), All(t.TempDir(), nil)); err == nil {
		t.Error("Sync with a folder as its record")
	}
}
