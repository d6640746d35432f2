package source

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"xsmbench/hv"
	"xsmbench/hv/store/content"
)

// mostFiles bounds the files that a comparison names: between two versions of Xen
// thousands differ.
const mostFiles = 200

// Compare tells what differs between the files that a build reads. Of a user's own
// tree that is not known if it was changed since it was opened.
func Compare(ctx context.Context, before, after *Tree) hv.SourceChange {
	c, err := compare(ctx, before, after)
	if err != nil {
		return hv.SourceChange{Unknown: err.Error()}
	}
	return c
}

func compare(ctx context.Context, before, after *Tree) (c hv.SourceChange, err error) {
	if before.Hash == after.Hash {
		return c, nil
	}
	var files [2]map[string]bool
	for i, t := range []*Tree{before, after} {
		if err := t.unchanged(); err != nil {
			return c, err
		}
		if files[i], err = t.list(); err != nil {
			return c, err
		}
	}
	all := maps.Clone(files[0])
	maps.Copy(all, files[1])
	for _, rel := range slices.Sorted(maps.Keys(all)) {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		f, differs, err := compareFile(before, after, rel, files[0][rel], files[1][rel])
		if err != nil {
			return c, err
		}
		if differs {
			add(&c, f)
		}
	}
	return c, nil
}

func add(c *hv.SourceChange, f hv.FileChange) {
	if c.Changed++; c.Changed <= mostFiles {
		c.Files = append(c.Files, f)
	}
	c.Added += f.Added
	c.Removed += f.Removed
}

// unchanged is an error if a user edited the tree since it was opened.
func (t *Tree) unchanged() error {
	if t.Fixed() {
		return nil
	}
	hash, err := content.HashTree(t.Dir, t.Files)
	if err == nil && hash != t.Hash {
		err = fmt.Errorf("%s was changed after it was built", t.Dir)
	}
	return err
}

func (t *Tree) list() (map[string]bool, error) {
	all := map[string]bool{}
	err := t.Files(func(rel string, _ fs.FileInfo) error {
		all[rel] = true
		return nil
	})
	return all, err
}

// text is a file's content, or where a symbolic link leads.
func (t *Tree) text(rel string, there bool) ([]byte, error) {
	if !there {
		return nil, nil
	}
	path := filepath.Join(t.Dir, rel)
	if to, err := os.Readlink(path); err == nil {
		return []byte(to), nil
	}
	return os.ReadFile(path)
}

func compareFile(before, after *Tree, rel string, was, is bool) (f hv.FileChange, differs bool, err error) {
	old, err := before.text(rel, was)
	if err != nil {
		return f, false, err
	}
	text, err := after.text(rel, is)
	if err != nil || was && is && bytes.Equal(old, text) {
		return f, false, err
	}
	f = hv.FileChange{Path: filepath.ToSlash(rel)}
	switch {
	case !was:
		f.State = hv.FileNew
	case !is:
		f.State = hv.FileGone
	case isBinary(old) || isBinary(text):
		f.State = hv.FileBinary
	}
	if !isBinary(old) && !isBinary(text) {
		countLines(&f, old, text)
	}
	return f, true, nil
}

// isBinary tells as git does: by a zero byte near the beginning.
func isBinary(text []byte) bool { return bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 }

var hunk = regexp.MustCompile(`^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@`)

// countLines counts lines as diff -u shows them, and names the functions that they
// are in.
func countLines(f *hv.FileChange, old, text []byte) {
	was, is := strings.Split(string(old), "\n"), strings.Split(string(text), "\n")
	from, to := 0, 0 // the next line of each, from 0
	for i, line := range strings.Split(string(diff.Diff("a", old, "b", text)), "\n") {
		m := hunk.FindStringSubmatch(line)
		switch {
		case i < 3 || line == "": // the head, and what follows the last line
		case m != nil:
			from, to = number(m[1]), number(m[2])
		case line[0] == '+':
			f.Added++
			addFunction(f, is, to)
			to++
		case line[0] == '-':
			f.Removed++
			addFunction(f, was, from)
			from++
		case line[0] == ' ':
			from++
			to++
		}
	}
}

func number(s string) int {
	n, _ := strconv.Atoi(s) // digits
	return max(0, n-1)      // lines count from 1
}

var (
	heading = regexp.MustCompile(`^[A-Za-z_].*[^;:]$`)
	called  = regexp.MustCompile(`([A-Za-z_]\w*)\s*\(`)
)

// addFunction names the function that a line is in, unless it is named already.
func addFunction(f *hv.FileChange, lines []string, at int) {
	if !strings.HasSuffix(f.Path, ".c") && !strings.HasSuffix(f.Path, ".h") {
		return
	}
	if name := functionAt(lines, at); name != "" && !slices.Contains(f.Functions, name) {
		f.Functions = append(f.Functions, name)
	}
}

// functionAt is the function of C that a line is in: what stands before the first
// parenthesis of the last line that begins with a letter. Between functions, and in
// what is no function, there is none.
func functionAt(lines []string, at int) string {
	for i := min(at, len(lines)-1); i >= 0; i-- {
		line := strings.TrimRight(lines[i], " \t\r")
		if i < at && strings.HasPrefix(line, "}") {
			return ""
		}
		if !heading.MatchString(line) {
			continue
		}
		for _, m := range called.FindAllStringSubmatch(line, -1) {
			if !strings.HasPrefix(m[1], "__attribute") {
				return m[1]
			}
		}
		return ""
	}
	return ""
}
