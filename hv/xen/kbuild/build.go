package kbuild

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"xsmbench/hv/xen/source"
)

// Spec says what to build.
type Spec struct {
	Tree      *source.Tree
	Fragments []string // Kconfig, later ones win; Common is added before them
	Jobs      int      // parallel jobs of make
	Objects   string   // directory in which ccache keeps objects; "" for none
}

// Product is a built hypervisor, files in the cache.
type Product struct {
	Dir      string // of the cache
	Image    string // xen: the multiboot ELF that QEMU loads
	Syms     string // xen-syms: with symbols and DWARF
	Config   Config // complete
	Compiler string
	Cached   bool
}

// Error is a build that failed.
type Error struct {
	Step  string // "configure", "compile"
	First string // the first error that the compiler or make printed
	Log   string // path of the whole log
	Err   error
}

// Error shows the compiler's first error and where the log is.
func (e *Error) Error() string {
	return fmt.Sprintf("%s Xen: %s (whole log: %s)", e.Step, e.First, e.Log)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Build makes the hypervisor that spec describes, or finds it in the cache.
func Build(ctx context.Context, cache string, spec Spec, progress func(string)) (*Product, error) {
	compiler, err := compilerVersion(ctx)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, key(spec, compiler))
	if p, err := load(dir, compiler); err == nil {
		p.Cached = true
		return p, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, fmt.Errorf("build Xen: %w", err)
	}
	b := builder{spec: spec, dir: dir, work: dir + ".build", progress: progress}
	if err := b.run(ctx); err != nil {
		return nil, err
	}
	return load(dir, compiler)
}

// key names a build by all that decides it.
func key(spec Spec, compiler string) string {
	h := sha256.New()
	for _, s := range append([]string{"2", spec.Tree.Hash, compiler, Common}, spec.Fragments...) {
		fmt.Fprintf(h, "%d:%s\n", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil))[:32]
}

func compilerVersion(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "gcc", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("build Xen: no working gcc: %w", err)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return first, nil
}

// load opens a finished build.
func load(dir, compiler string) (*Product, error) {
	text, err := os.ReadFile(filepath.Join(dir, "config"))
	if err != nil {
		return nil, err
	}
	config, err := ParseConfig(string(text))
	if err != nil {
		return nil, err
	}
	p := &Product{
		Dir: dir, Image: filepath.Join(dir, "xen"), Syms: filepath.Join(dir, "xen-syms"),
		Config: config, Compiler: compiler,
	}
	for _, f := range []string{p.Image, p.Syms} {
		if _, err := os.Stat(f); err != nil {
			return nil, err
		}
	}
	return p, nil
}

type builder struct {
	spec     Spec
	dir      string // where the product goes
	work     string // copy of the tree
	progress func(string)
}

func (b *builder) run(ctx context.Context) error {
	if err := os.RemoveAll(b.work); err != nil {
		return fmt.Errorf("build Xen: %w", err)
	}
	b.progress("copying the source")
	if err := b.copyTree(); err != nil {
		return fmt.Errorf("copy Xen's source: %w", err)
	}
	log := b.dir + ".log"
	b.progress("configuring")
	if err := b.configure(ctx, log); err != nil {
		return err
	}
	b.progress("compiling")
	if err := b.make(ctx, "compile", log, "-j", strconv.Itoa(max(1, b.spec.Jobs))); err != nil {
		return err
	}
	if err := b.keep(); err != nil {
		return fmt.Errorf("keep Xen's build: %w", err)
	}
	return os.RemoveAll(b.work)
}

func (b *builder) copyTree() error {
	return b.spec.Tree.Files(func(rel string, info fs.FileInfo) error {
		from, to := filepath.Join(b.spec.Tree.Dir, rel), filepath.Join(b.work, rel)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(from)
			if err != nil {
				return err
			}
			return os.Symlink(target, to)
		}
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, data, info.Mode().Perm()); err != nil {
			return err
		}
		return os.Chtimes(to, info.ModTime(), info.ModTime())
	})
}

// configure completes the fragments and checks that nothing asked for was
// dropped.
func (b *builder) configure(ctx context.Context, log string) error {
	text := Common + strings.Join(b.spec.Fragments, "\n")
	if err := os.WriteFile(filepath.Join(b.work, "xen", ".config"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("configure Xen: %w", err)
	}
	if err := b.make(ctx, "configure", log, "olddefconfig"); err != nil {
		return err
	}
	want, err := ParseConfig(text)
	if err != nil {
		return fmt.Errorf("configure Xen: fragment line %w", err)
	}
	got, err := b.config()
	if err != nil {
		return fmt.Errorf("configure Xen: %w", err)
	}
	if missing := got.Missing(want); len(missing) > 0 {
		err := errors.New("Kconfig did not accept " + strings.Join(missing, ", "))
		return &Error{Step: "configure", First: err.Error(), Log: log, Err: err}
	}
	return nil
}

func (b *builder) config() (Config, error) {
	text, err := os.ReadFile(filepath.Join(b.work, "xen", ".config"))
	if err != nil {
		return nil, err
	}
	return ParseConfig(string(text))
}

// make runs make in the tree's xen directory.
func (b *builder) make(ctx context.Context, step, log string, args ...string) error {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("%s Xen: %w", step, err)
	}
	defer f.Close()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "make", append([]string{"-C", filepath.Join(b.work, "xen")}, args...)...)
	cmd.Env = append(os.Environ(), environment(b.work)...)
	if b.spec.Objects != "" {
		cmd.Args = append(cmd.Args, "CC=ccache gcc")
		cmd.Env = append(cmd.Env, ccacheEnvironment(b.spec.Objects)...)
	}
	cmd.Stdout, cmd.Stderr = f, &tee{f, &out}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &Error{Step: step, First: firstError(out.String()), Log: log, Err: err}
	}
	return nil
}

// tee writes to a log and to a buffer.
type tee struct {
	log *os.File
	buf *bytes.Buffer
}

func (t *tee) Write(p []byte) (int, error) {
	t.buf.Write(p)
	return t.log.Write(p)
}

// firstError finds the first line that a compiler, a linker or make reports
// as an error, or the last line if none does.
func firstError(out string) string {
	last := "it failed without a message"
	lines := bufio.NewScanner(strings.NewReader(out))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		last = line
		for _, mark := range []string{"error:", "Error:", "undefined reference", "*** ", "not found"} {
			if strings.Contains(line, mark) {
				return line
			}
		}
	}
	return last
}

// keep moves the products into the cache; the rename at the end makes a
// build appear whole or not at all.
func (b *builder) keep() error {
	tmp := b.dir + ".tmp"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return err
	}
	for from, to := range map[string]string{"xen/xen": "xen", "xen/xen-syms": "xen-syms", "xen/.config": "config"} {
		if err := os.Rename(filepath.Join(b.work, from), filepath.Join(tmp, to)); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(b.dir); err != nil {
		return err
	}
	return os.Rename(tmp, b.dir)
}
