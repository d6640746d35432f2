package image

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Root is a directory into which packages were unpacked.
type Root string

// libraryDirs are where Debian's packages for x86_64 keep shared libraries.
var libraryDirs = []string{"lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib/xen-4.17/lib/x86_64-linux-gnu"}

// Libraries lists the shared libraries and the interpreter that the programs
// need, directly or through each other, as paths below the root. Names are as
// the dynamic linker looks for them; the files may be symbolic links.
func (r Root) Libraries(programs ...string) ([]string, error) {
	found := map[string]bool{}
	todo := append([]string{}, programs...)
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		needed, err := r.needed(name)
		if err != nil {
			return nil, err
		}
		for _, n := range needed {
			if !found[n] {
				found[n] = true
				todo = append(todo, n)
			}
		}
	}
	var list []string
	for n := range found {
		list = append(list, n)
	}
	sort.Strings(list)
	return list, nil
}

// needed lists what one ELF file asks for, as paths below the root.
func (r Root) needed(name string) ([]string, error) {
	file, err := r.resolve(name)
	if err != nil {
		return nil, fmt.Errorf("find libraries of %s: %w", name, err)
	}
	f, err := elf.Open(file)
	if err != nil {
		return nil, fmt.Errorf("find libraries of %s: %w", name, err)
	}
	defer f.Close()
	libs, err := f.ImportedLibraries()
	if err != nil {
		return nil, fmt.Errorf("find libraries of %s: %w", name, err)
	}
	run, _ := f.DynString(elf.DT_RUNPATH)
	var paths []string
	for _, lib := range libs {
		path, ok := r.locate(lib, run)
		if !ok {
			return nil, fmt.Errorf("find libraries of %s: %s is in none of the unpacked packages", name, lib)
		}
		paths = append(paths, path)
	}
	if interpreter := interpreterOf(f); interpreter != "" {
		paths = append(paths, interpreter)
	}
	return paths, nil
}

// locate finds a shared library as the dynamic linker would.
func (r Root) locate(name string, runpaths []string) (string, bool) {
	dirs := libraryDirs
	for _, p := range runpaths {
		dirs = append(strings.Split(strings.Trim(p, "/"), ":"), dirs...)
	}
	for _, dir := range dirs {
		path := filepath.Join(strings.TrimPrefix(dir, "/"), name)
		file, err := r.resolve(path)
		if err == nil {
			_, err = os.Stat(file)
		}
		if err == nil {
			return path, true
		}
	}
	return "", false
}

// interpreterOf returns the dynamic linker's path without its leading slash.
func interpreterOf(f *elf.File) string {
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			b := make([]byte, p.Filesz)
			if _, err := p.ReadAt(b, 0); err == nil {
				return strings.Trim(strings.TrimRight(string(b), "\x00"), "/")
			}
		}
	}
	return ""
}

// Modules lists the files of the named kernel modules and of those they
// depend on, in an order in which they can be loaded, below the root.
func (r Root) Modules(names ...string) ([]string, error) {
	index, err := r.moduleIndex()
	if err != nil {
		return nil, err
	}
	var order []string
	done := map[string]bool{}
	var add func(name, wantedBy string) error
	add = func(name, wantedBy string) error {
		if done[name] {
			return nil
		}
		done[name] = true
		path, ok := index[name]
		if !ok {
			return fmt.Errorf("find kernel module %s%s: not in the kernel's package", name, wantedBy)
		}
		depends, err := dependsOf(filepath.Join(string(r), path))
		if err != nil {
			return fmt.Errorf("find kernel module %s: %w", name, err)
		}
		for _, d := range depends {
			if err := add(moduleName(d), " (needed by "+name+")"); err != nil {
				return err
			}
		}
		order = append(order, path)
		return nil
	}
	for _, n := range names {
		if err := add(moduleName(n), ""); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// moduleName folds the two spellings of a module's name into one.
func moduleName(s string) string { return strings.ReplaceAll(s, "-", "_") }

// moduleIndex maps module names to files.
func (r Root) moduleIndex() (map[string]string, error) {
	index := map[string]string{}
	err := filepath.WalkDir(filepath.Join(string(r), "lib", "modules"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name, ok := strings.CutSuffix(d.Name(), ".ko"); ok {
			rel, err := filepath.Rel(string(r), path)
			if err != nil {
				return err
			}
			index[moduleName(name)] = rel
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("index kernel modules: %w", err)
	}
	return index, nil
}

var errNoModinfo = errors.New("it has no section .modinfo")

// dependsOf reads a module's "depends=" entry.
func dependsOf(path string) ([]string, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	section := f.Section(".modinfo")
	if section == nil {
		return nil, errNoModinfo
	}
	data, err := section.Data()
	if err != nil {
		return nil, err
	}
	return parseDepends(data), nil
}

func parseDepends(modinfo []byte) []string {
	for _, field := range strings.Split(string(modinfo), "\x00") {
		if list, ok := strings.CutPrefix(field, "depends="); ok && list != "" {
			return strings.Split(list, ",")
		}
	}
	return nil
}

// CopyFile copies a file of the root, or what a symbolic link leads to, to the
// same name below another directory. A link that begins with a slash leads
// below the root, not into the machine's own file system.
func (r Root) CopyFile(name, to string) error {
	from, err := r.resolve(name)
	if err != nil {
		return fmt.Errorf("copy %s: %w", name, err)
	}
	info, err := os.Stat(from)
	if err != nil {
		return fmt.Errorf("copy %s: %w", name, err)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("copy %s: %w", name, err)
	}
	path := filepath.Join(to, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, info.Mode().Perm())
}

// mostLinks is how long a chain of symbolic links may be.
const mostLinks = 16

// resolve follows the symbolic links at the end of a path in the root.
func (r Root) resolve(name string) (string, error) {
	for range mostLinks {
		path := filepath.Join(string(r), name)
		target, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(name), target)
		}
		name = filepath.Join("/", target) // never above the root
	}
	return "", errors.New("too many symbolic links")
}
