package gotool

import (
	"cmp"
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/mod/modfile"
)

// workspace is what a go.work of the user's says of a module that it uses.
type workspace struct {
	file     string // "" if there is none
	siblings []moduleRoot
	replaces []*modfile.Replace // with full names of folders
}

// workspaceOf finds the workspace that a module is used in, as the go command does:
// by GOWORK, or in the module's folder or above it. A go.work that does not use the
// module says nothing of it. Source trees of xsmbench itself are no siblings: a build
// says which of them it is of.
func workspaceOf(m moduleRoot) (workspace, error) {
	file := workFile(m.dir)
	if file == "" {
		return workspace{}, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return workspace{}, err
	}
	work, err := modfile.ParseWork(file, text, nil)
	if err != nil {
		return workspace{}, err
	}
	w := workspace{file: file}
	used := false
	for _, u := range work.Use {
		dir := below(file, u.Path)
		if same(dir, m.dir) {
			used = true
			continue
		}
		s, err := moduleIn(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return w, fmt.Errorf("%s:%d: use %s: there is no go.mod in it", file, u.Syntax.Start.Line, u.Path)
		case err != nil:
			return w, err
		case s.path != modulePath:
			w.siblings = append(w.siblings, s)
		}
	}
	if !used {
		return workspace{}, nil
	}
	for _, r := range work.Replace {
		if r.Old.Path == modulePath {
			continue
		}
		if r.New.Version == "" {
			r.New.Path = below(file, r.New.Path)
		}
		w.replaces = append(w.replaces, r)
	}
	return w, nil
}

// workFile is the go.work that the go command takes in a folder, "" for none.
func workFile(dir string) string {
	switch given := os.Getenv("GOWORK"); given {
	case "off":
		return ""
	case "":
	default:
		return given
	}
	for ; ; dir = filepath.Dir(dir) {
		file := filepath.Join(dir, "go.work")
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// below is a folder that a go.work names.
func below(file, name string) string {
	if name = filepath.FromSlash(name); filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(filepath.Dir(file), name)
}

// same tells whether two names are of one folder.
func same(a, b string) bool {
	if a == b {
		return true
	}
	first, err := os.Stat(a)
	second, e := os.Stat(b)
	return err == nil && e == nil && os.SameFile(first, second)
}

// joined writes a go.work of a tree, a module and what goes with the module.
func (w workspace) joined(tree, m moduleRoot) (string, error) {
	all := append([]moduleRoot{tree, m}, w.siblings...)
	var work modfile.WorkFile
	work.Syntax = &modfile.FileSyntax{}
	if err := work.AddGoStmt(latest(all)); err != nil {
		return "", fmt.Errorf("%s: %w", filepath.Join(m.dir, "go.mod"), err)
	}
	for _, u := range all {
		if err := work.AddUse(u.dir, u.path); err != nil {
			return "", err
		}
	}
	for _, r := range w.replaces {
		if err := work.AddReplace(r.Old.Path, r.Old.Version, r.New.Path, r.New.Version); err != nil {
			return "", err
		}
	}
	return string(modfile.Format(work.Syntax)), nil
}

// sums are those of the go.work.sum, "" if there is none.
func (w workspace) sums() (string, error) {
	if w.file == "" {
		return "", nil
	}
	text, err := os.ReadFile(w.file + ".sum")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

// latest is the latest Go version that one of the modules asks for.
func latest(all []moduleRoot) string {
	of := func(m moduleRoot) string { return cmp.Or(m.goVersion, all[0].goVersion) }
	return of(slices.MaxFunc(all, func(a, b moduleRoot) int { return version.Compare("go"+of(a), "go"+of(b)) }))
}
