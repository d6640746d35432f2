package image

import (
	"bytes"
	"context"
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
var libraryDirs = []string{"lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64"}

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
	i, err := ImportsOf(file)
	if err != nil {
		return nil, fmt.Errorf("find libraries of %s: %w", name, err)
	}
	var paths []string
	for _, lib := range i.Libraries {
		path, err := r.Library(lib, i.RunPaths...)
		if err != nil {
			return nil, fmt.Errorf("find libraries of %s: %w", name, err)
		}
		paths = append(paths, path)
	}
	if i.Interpreter != "" {
		paths = append(paths, i.Interpreter)
	}
	return paths, nil
}

// Imports are what an ELF file asks of the dynamic linker.
type Imports struct {
	Libraries   []string // names: "libc.so.6"
	RunPaths    []string
	Interpreter string // the linker's path without its leading slash, "" for a library
}

// ImportsOf reads them from a file.
func ImportsOf(file string) (i Imports, err error) {
	f, err := elf.Open(file)
	if err != nil {
		return i, err
	}
	defer f.Close()
	i.RunPaths, _ = f.DynString(elf.DT_RUNPATH)
	i.Interpreter = interpreterOf(f)
	i.Libraries, err = f.ImportedLibraries()
	return i, err
}

// Library finds a shared library as the dynamic linker would, below the root.
func (r Root) Library(name string, runpaths ...string) (string, error) {
	dirs := libraryDirs
	for _, p := range runpaths {
		dirs = append(strings.Split(strings.Trim(p, "/"), ":"), dirs...)
	}
	for _, dir := range dirs {
		path := filepath.Join(strings.TrimPrefix(dir, "/"), name)
		if _, err := r.resolve(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not in %s", name, r)
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
// depend on, in an order in which they can be loaded, below the root. They may
// be compressed.
func (r Root) Modules(ctx context.Context, names ...string) ([]string, error) {
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
		module, err := r.Module(ctx, path)
		if err != nil {
			return fmt.Errorf("find kernel module %s: %w", name, err)
		}
		depends, err := dependsOf(module)
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

// moduleDirs are where packages of kernels keep modules.
var moduleDirs = []string{"lib/modules", "usr/lib/modules"}

// moduleIndex maps module names to files.
func (r Root) moduleIndex() (map[string]string, error) {
	index := map[string]string{}
	for _, dir := range moduleDirs {
		root := filepath.Join(string(r), dir)
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if path == root && errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			rel, wrong := filepath.Rel(string(r), path)
			if name, ok := strings.CutSuffix(filepath.Base(PlainModule(path)), ".ko"); ok {
				index[moduleName(name)] = rel
			}
			return errors.Join(err, wrong)
		})
		if err != nil {
			return nil, fmt.Errorf("index kernel modules: %w", err)
		}
	}
	return index, nil
}

// PlainModule is the name of a module's file that is not compressed.
func PlainModule(path string) string {
	for _, suffix := range []string{".xz", ".gz", ".zst"} {
		path = strings.TrimSuffix(path, suffix)
	}
	return path
}

// Module reads a module's file, and decompresses it.
func (r Root) Module(ctx context.Context, path string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(string(r), path))
	if err != nil {
		return nil, err
	}
	return decompress(ctx, data)
}

var errNoModinfo = errors.New("it has no section .modinfo")

// dependsOf reads a module's "depends=" entry.
func dependsOf(module []byte) ([]string, error) {
	f, err := elf.NewFile(bytes.NewReader(module))
	if err != nil {
		return nil, err
	}
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

// CopyFile copies a file of the root, or what a symbolic link leads to, to
// another path. A link that begins with a slash leads below the root, not into
// the machine's own file system.
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
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}

// mostLinks is how long a chain of symbolic links may be.
const mostLinks = 16

// resolve finds a file of the root, and follows the symbolic links at the end
// of its path.
func (r Root) resolve(name string) (string, error) {
	for range mostLinks {
		found, mode, err := r.find(name)
		path := filepath.Join(string(r), found)
		if err != nil || mode.Type() != fs.ModeSymlink {
			return path, err
		}
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(found), target)
		}
		name = filepath.Join("/", target) // never above the root
	}
	return "", errors.New("too many symbolic links")
}

// find looks for a name itself, and below usr: programs ask for /lib64 and the
// like, where packages of today have usr/lib64. A system has a link from the one
// to the other.
func (r Root) find(name string) (string, fs.FileMode, error) {
	info, err := os.Lstat(filepath.Join(string(r), name))
	if err == nil {
		return name, info.Mode(), nil
	}
	merged := filepath.Join("usr", name)
	if info, e := os.Lstat(filepath.Join(string(r), merged)); e == nil {
		return merged, info.Mode(), nil
	}
	return name, 0, err
}
