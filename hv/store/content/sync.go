package content

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
)

// Sync makes the files of a tree in a folder equal to another tree's, for a
// build that goes on where the last one stopped, and returns the digest of what
// is there now. A file whose content is the same is not touched, so that make
// does not take it for newer than what was built from it; one that differs gets
// the current time, even if the other tree's is an old one. Files that an
// earlier Sync put there and that the other tree no longer has are removed;
// those of the build stay. The file named by record lists what was put there.
func Sync(from, to, record string, files Files) (digest string, c Changes, err error) {
	s := syncer{from: from, to: to, folders: map[string]bool{}}
	if err := s.run(record, files); err != nil {
		return "", Changes{}, fmt.Errorf("copy changes of %s: %w", from, err)
	}
	return s.tree.digest(), s.changes, nil
}

// Changes are what Sync did, by the names of files.
type Changes struct{ Added, Changed, Removed []string }

// All are the names of all files that are not what they were.
func (c Changes) All() []string { return slices.Concat(c.Added, c.Changed, c.Removed) }

type syncer struct {
	from, to string
	names    []string
	infos    []fs.FileInfo
	folders  map[string]bool // that are known to be there
	before   map[string]bool // what an earlier Sync put there
	changes  Changes
	tree     tree
}

func (s *syncer) run(record string, files Files) error {
	old, err := readNames(record)
	if err != nil {
		return err
	}
	s.before = map[string]bool{}
	for _, rel := range old {
		s.before[rel] = true
	}
	err = files(func(rel string, info fs.FileInfo) error {
		s.names, s.infos = append(s.names, rel), append(s.infos, info)
		return nil
	})
	if err != nil {
		return err
	}
	// If this stops half-way, the next one knows of all that may be there.
	if err := writeNames(record, append(slices.Clone(old), s.names...)); err != nil {
		return err
	}
	if err := s.removeVanished(old); err != nil {
		return err
	}
	for i, rel := range s.names {
		if err := s.update(rel, s.infos[i]); err != nil {
			return err
		}
	}
	return writeNames(record, s.names)
}

// removeVanished removes files that are not in the tree any longer, and the
// folders that are empty then. It comes first: a folder may be where a file or
// a link was.
func (s *syncer) removeVanished(old []string) error {
	now := map[string]bool{}
	for _, rel := range s.names {
		now[rel] = true
	}
	for _, rel := range old {
		if now[rel] {
			continue
		}
		s.changes.Removed = append(s.changes.Removed, rel)
		err := os.Remove(filepath.Join(s.to, rel))
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !isFolder(filepath.Join(s.to, rel)) {
			return err
		}
		for dir := filepath.Dir(rel); dir != "."; dir = filepath.Dir(dir) {
			if os.Remove(filepath.Join(s.to, dir)) != nil {
				break // not empty
			}
		}
	}
	return nil
}

// update makes one file equal.
func (s *syncer) update(rel string, info fs.FileInfo) error {
	from, to := filepath.Join(s.from, rel), filepath.Join(s.to, rel)
	if err := s.makeFolder(filepath.Dir(rel)); err != nil {
		return err
	}
	content, err := hash(from, info)
	if err != nil {
		return err
	}
	if have := hasContent(to, info, content); have == nil {
		if content, err = s.replace(rel, info); err != nil {
			return err
		}
	} else if err := s.setMode(rel, have, info); err != nil {
		return err
	}
	s.tree.add(rel, info, content)
	return nil
}

// replace copies a file to where there is none of that content.
func (s *syncer) replace(rel string, info fs.FileInfo) (content string, err error) {
	to := filepath.Join(s.to, rel)
	if err := os.RemoveAll(to); err != nil {
		return "", err
	}
	if s.before[rel] {
		s.changes.Changed = append(s.changes.Changed, rel)
	} else {
		s.changes.Added = append(s.changes.Added, rel)
	}
	return copyFile(filepath.Join(s.from, rel), to, info)
}

// setMode gives a file of the right content the right mode. Whether it can be
// executed is part of a tree's digest, and a change of the file like any other.
func (s *syncer) setMode(rel string, have, want fs.FileInfo) error {
	if isLink(want) || have.Mode().Perm() == want.Mode().Perm() {
		return nil
	}
	if (have.Mode()^want.Mode())&0o111 != 0 {
		s.changes.Changed = append(s.changes.Changed, rel)
	}
	return os.Chmod(filepath.Join(s.to, rel), want.Mode().Perm())
}

// hasContent describes a file if it has the type and the content that are wanted;
// else it is nil.
func hasContent(path string, info fs.FileInfo, content string) fs.FileInfo {
	have, err := os.Lstat(path)
	if err != nil || have.Mode().Type() != info.Mode().Type() {
		return nil
	}
	if !isLink(info) && have.Size() != info.Size() {
		return nil
	}
	if found, err := hash(path, have); err != nil || found != content {
		return nil
	}
	return have
}

// makeFolder makes a folder of the tree where something else may be, such as a
// link that would lead elsewhere.
func (s *syncer) makeFolder(rel string) error {
	if s.folders[rel] {
		return nil
	}
	path := filepath.Join(s.to, rel)
	if rel == "." {
		return os.MkdirAll(path, 0o755)
	}
	if err := s.makeFolder(filepath.Dir(rel)); err != nil {
		return err
	}
	if !isFolder(path) {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
	}
	s.folders[rel] = true
	return nil
}

func isFolder(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

func readNames(record string) ([]string, error) {
	text, err := os.ReadFile(record)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == 0 }), nil
}

// writeNames ends each name with a zero byte, which no name has.
func writeNames(record string, names []string) error {
	return renameio.WriteFile(record, []byte(strings.Join(names, "\x00")), 0o644)
}
