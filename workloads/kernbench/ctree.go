package kernbench

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/workloads/kernbench/csource"
)

// cTree is a source tree in a domain's file system, which a compiler of the domain
// compiles.
type cTree struct {
	os      bench.OS
	builder bench.Builder
	source  *csource.Tree
	jobs    []job // that make the objects
	last    job   // that links them
}

// cDir is where it lies, cImage what is linked.
const (
	cDir   = "/tmp/kernbench"
	cImage = "image"
)

var errNoCompiler = errors.New("the system has no C compiler")

func newCTree(os bench.OS, size csource.Size) (*cTree, error) {
	b, ok := os.(bench.Builder)
	if !ok || b.Compiler() == "" {
		return nil, errNoCompiler
	}
	t := &cTree{os: os, builder: b, source: csource.New(size)}
	cc := compilerAt(b.Compiler())
	var objects []string
	for _, f := range t.source.Sources {
		objects = append(objects, object(f.Path))
		t.jobs = append(t.jobs, job{f.Path, cc.compileArgs(t.source.Include, f.Path, object(f.Path))})
	}
	t.last = job{cImage, cc.linkArgs(cImage, objects)}
	return t, nil
}

// create writes the tree. What was just written lies in memory, which kernbench sees
// to by reading every file.
func (t *cTree) create() error {
	if err := t.builder.Mkdir(cDir); err != nil {
		return fmt.Errorf("make directory %s: %w", cDir, err)
	}
	for _, d := range t.source.Dirs {
		if err := t.builder.Mkdir(at(d)); err != nil {
			return fmt.Errorf("make directory %s: %w", at(d), err)
		}
	}
	for _, f := range slices.Concat(t.source.Headers, t.source.Sources) {
		if err := writeFile(t.os, at(f.Path), f.Text); err != nil {
			return err
		}
	}
	return nil
}

func at(path string) string { return cDir + "/" + path }

// object is a source's.
func object(source string) string { return strings.TrimSuffix(source, ".c") + ".o" }

// remove removes the tree, and what was made in it.
func (t *cTree) remove() {
	for _, f := range slices.Concat(t.source.Headers, t.source.Sources) {
		t.os.Unlink(at(f.Path))
	}
	t.clean()
	for _, d := range slices.Backward(t.source.Dirs) {
		t.builder.Rmdir(at(d))
	}
	t.builder.Rmdir(cDir)
}

// clean is make clean. What is not there need not go.
func (t *cTree) clean() {
	for _, f := range t.source.Sources {
		t.os.Unlink(at(object(f.Path)))
	}
	t.os.Unlink(at(cImage))
}

// settle cleans, and waits until nothing is left to be written.
func (t *cTree) settle() error {
	t.clean()
	if err := t.builder.Sync(cDir); err != nil {
		return fmt.Errorf("sync %s: %w", cDir, err)
	}
	return nil
}

// build compiles every source and links the objects, jobs at a time; it returns how
// many processes it started.
func (t *cTree) build(jobs int) (int, error) {
	m := &maker{builder: t.builder, dir: cDir, jobs: jobs, running: map[int]job{}}
	err := m.run(t.jobs, t.last)
	return m.started, err
}

// check finds out whether a build made what it should: an object of every source, of
// which none was there before, and an image.
func (t *cTree) check(processes int) error {
	if want := len(t.source.Sources) + 1; processes != want {
		return fmt.Errorf("check build: %d processes, not %d", processes, want)
	}
	made := []string{cImage}
	for _, f := range t.source.Sources {
		made = append(made, object(f.Path))
	}
	for _, path := range made {
		var st bench.Stat
		if err := t.os.Stat(at(path), &st); err != nil {
			return fmt.Errorf("check build: %s: %w", path, err)
		}
		if st.Size == 0 {
			return fmt.Errorf("check build: %s is empty", path)
		}
	}
	return nil
}

// checkImage looks for every function of the tree in the image.
func (t *cTree) checkImage() error {
	text, err := readFile(t.os, at(cImage))
	if err != nil {
		return err
	}
	missing, err := lacking(text, t.source.Functions)
	switch {
	case err != nil:
		return fmt.Errorf("check image: %w", err)
	case len(missing) > 0:
		return fmt.Errorf("check image: it lacks %d of %d functions, %s among them", len(missing), len(t.source.Functions), missing[0])
	}
	return nil
}

// lacking are those of some functions that an ELF image has not.
func lacking(image []byte, functions []string) ([]string, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, err
	}
	symbols, err := f.Symbols()
	if err != nil {
		return nil, err
	}
	have := map[string]bool{}
	for _, s := range symbols {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Section != elf.SHN_UNDEF {
			have[s.Name] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(functions), func(name string) bool { return have[name] }), nil
}

func writeFile(os bench.OS, path string, text []byte) error {
	fd, err := os.Open(path, bench.O_WRONLY|bench.O_CREAT|bench.O_TRUNC)
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	defer os.Close(fd)
	if n, err := os.Write(fd, text); n != len(text) {
		return fmt.Errorf("write %s: %d of %d bytes: %w", path, n, len(text), cause(err))
	}
	return nil
}

func readFile(os bench.OS, path string) ([]byte, error) {
	fd, err := os.Open(path, bench.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	defer os.Close(fd)
	var st bench.Stat
	if err := os.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	text := make([]byte, st.Size)
	for done := 0; done < len(text); {
		n, err := os.Read(fd, text[done:])
		if n <= 0 {
			return nil, fmt.Errorf("read %s: %d of %d bytes: %w", path, done, len(text), cause(err))
		}
		done += n
	}
	return text, nil
}
