// Package toolstack builds what makes domains in dom0, from a tree of Xen's
// source: tools and hypervisor of two trees do not understand each other. A
// toolstack is a small root: programs in protocol.ToolstackDir, the tree's
// libraries, and those of this machine that they were linked with.
package toolstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"xsmbench/hv/store"
	"xsmbench/hv/store/content"
	"xsmbench/hv/xen/kbuild"
	"xsmbench/hv/xen/source"
)

var (
	// Kind is that of finished toolstacks.
	Kind = store.Register(store.Kind{
		Name: "toolstacks", Doc: "dom0's toolstacks, built from Xen's source", Bound: 200 << 20,
	})
	// trees are what they are built in. Only logs stay.
	trees = store.Register(store.Kind{
		Name: "toolstack-trees", Doc: "trees in which toolstacks are built, and the logs of that", Bound: 100 << 20,
		Local: "builds change them in place, and they name this machine's folders",
	})
)

// Programs are those of a toolstack.
var Programs = []string{"xl", "xenstored", "xenconsoled", "xen-init-dom0", "libxl-save-helper"}

// RootDir is a toolstack's root in its entry.
const RootDir = "root"

// Spec says what to build.
type Spec struct {
	Tree *source.Tree
	Jobs int // parallel jobs of make
	// Turn waits until this build may compile. nil: at once.
	Turn func(context.Context) (release func(), err error)
}

// Build makes the toolstack of a tree, or finds it in the store. Its error is a
// *MissingError if the machine lacks libraries, a *kbuild.Error if the tree's
// tools do not build.
func Build(ctx context.Context, s *store.Store, spec Spec, progress func(string)) (entry *store.Entry, err error) {
	around, err := surroundings(ctx)
	if err != nil {
		return nil, err
	}
	for _, sc := range scopes {
		entry, err = build(ctx, s, spec, sc, around, progress)
		var failed *kbuild.Error
		if !errors.As(err, &failed) || ctx.Err() != nil {
			return entry, err
		}
	}
	return nil, err
}

// Hash tells apart trees whose toolstacks may differ.
func Hash(tree *source.Tree) (string, error) {
	hash, err := content.HashTree(tree.Dir, filesOf(tree, scopes[0]))
	if err != nil {
		return "", fmt.Errorf("read the toolstack's source: %w", err)
	}
	return hash, nil
}

// mostChanges is how often a tree may change between hashing and copying before
// the build is given up.
const mostChanges = 5

func build(ctx context.Context, s *store.Store, spec Spec, sc scope, around []string, progress func(string)) (*store.Entry, error) {
	files := filesOf(spec.Tree, sc)
	for range mostChanges {
		hash, err := content.HashTree(spec.Tree.Dir, files)
		if err != nil {
			return nil, fmt.Errorf("build the toolstack: %w", err)
		}
		key := store.KeyOf(append([]string{"toolstack", hash}, around...)...)
		entry, err := s.Get(ctx, Kind, key, store.Recipe{
			What: "the toolstack of " + spec.Tree.Version, Progress: progress,
			Make: func(ctx context.Context, dir string) error {
				b := builder{store: s, spec: spec, key: key, files: files, hash: hash, out: filepath.Join(dir, RootDir), progress: progress}
				return b.run(ctx)
			},
		})
		if !errors.Is(err, errChanged) {
			return entry, err
		}
	}
	return nil, fmt.Errorf("build the toolstack: %s keeps changing while it is read: wait until it is stable, or build a copy of it", spec.Tree.Dir)
}

var errChanged = errors.New("the source changed while it was copied")

// builder makes one toolstack.
type builder struct {
	store    *store.Store
	spec     Spec
	key      store.Key
	files    content.Files
	hash     string // of the files
	out      string // the root
	progress func(string)

	space *store.Workspace
}

func (b *builder) tree() string { return b.space.Path("tree") }
func (b *builder) log() string  { return b.space.Path("log") }

func (b *builder) run(ctx context.Context) (err error) {
	if missing := Missing(ctx); missing != nil {
		return &MissingError{missing}
	}
	if b.spec.Turn != nil {
		release, err := b.spec.Turn(ctx)
		if err != nil {
			return err
		}
		defer release()
	}
	b.space, err = b.store.Workspace(ctx, trees, b.key, "the build of a toolstack", b.progress)
	if err != nil {
		return fmt.Errorf("build the toolstack: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.tree()), b.space.Close(false)) }()
	if err := b.copySource(); err != nil {
		return err
	}
	b.progress("building the toolstack of " + b.spec.Tree.Version)
	if err := b.compile(ctx); err != nil {
		return err
	}
	return b.install(ctx)
}

// copySource begins a new tree with the source.
func (b *builder) copySource() error {
	for _, path := range []string{b.tree(), b.log()} {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("build the toolstack: %w", err)
		}
	}
	copied, _, err := content.Sync(b.spec.Tree.Dir, b.tree(), b.space.Path("source"), b.files)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return errChanged
	case err != nil:
		return fmt.Errorf("build the toolstack: %w", err)
	case copied != b.hash:
		return errChanged
	}
	return b.markTree()
}

// mark is the file by which configure recognises a tree of Xen. Nothing reads it.
const mark = "xen/common/kernel.c"

// markTree puts an empty file there if the scope has left the real one out.
func (b *builder) markTree() error {
	path := filepath.Join(b.tree(), mark)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err != nil {
		return fmt.Errorf("build the toolstack: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return fmt.Errorf("build the toolstack: %w", err)
	}
	return f.Close()
}

// folders are those of the tools that make builds, in this order, where they are
// there: xenstored's was called xenstore until 4.17.
var folders = []string{"include", "libs", "xenstored", "xenstore", "console", "helpers", "xl"}

// compile builds the programs in the tree.
func (b *builder) compile(ctx context.Context) error {
	if err := b.makeConfigure(ctx); err != nil {
		return err
	}
	if err := b.do(ctx, "configure", filepath.Join(b.tree(), "configure"), configuration...); err != nil {
		return err
	}
	for _, name := range folders {
		dir := filepath.Join(b.tree(), "tools", name)
		if _, err := os.Stat(filepath.Join(dir, "Makefile")); err != nil {
			continue
		}
		if err := b.do(ctx, "compile", "make", "-C", dir, "-j", strconv.Itoa(max(1, b.spec.Jobs)), "debug=n"); err != nil {
			return err
		}
	}
	return nil
}

// machineScript stands in for config.guess, which finds out what the machine is, and
// for config.sub, which completes its name.
const machineScript = "#!/bin/sh\necho x86_64-pc-linux-gnu\n"

// makeConfigure makes the scripts that Debian's source package lacks. Releases and
// Xen's repository have them.
func (b *builder) makeConfigure(ctx context.Context) error {
	for _, name := range []string{"config.guess", "config.sub"} {
		path := filepath.Join(b.tree(), name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := os.WriteFile(path, []byte(machineScript), 0o755); err != nil {
			return fmt.Errorf("build the toolstack: %w", err)
		}
	}
	for _, dir := range []string{".", "tools"} {
		if _, err := os.Stat(filepath.Join(b.tree(), dir, "configure")); err == nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(b.tree(), dir, "configure.ac")); err != nil {
			continue // what calls the script says that it is not there
		}
		// From the tree's own directory, as its autogen.sh does.
		if err := b.do(ctx, "configure", "sh", "-c", `cd "$1" && autoconf -f`, "sh", dir); err != nil {
			return err
		}
	}
	return nil
}

// do runs a program in the tree. Its processes hold the workspace's lock: if this
// program is killed, the next one waits for them.
func (b *builder) do(ctx context.Context, step, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = b.tree()
	cmd.Env = append(kbuild.Surroundings(), environment...)
	cmd.ExtraFiles = []*os.File{b.space.LockFile()}
	return kbuild.Run(ctx, step+" the toolstack of", b.log(), cmd)
}

// configuration is what configure is told: to leave out what is not built, and
// what it is to take for found or missing, so that the result depends on no
// library but those that are needed. Python and curses are looked for without
// being of use to these programs; kernels are not compressed; without pkg-config
// the optional libraries are not found.
var configuration = []string{
	"--prefix=/usr", "--disable-docs", "--disable-stubdom", "--disable-xen", "--disable-ocamltools", "--disable-golang",
	"--disable-seabios", "--disable-rombios", "--disable-ipxe", "--disable-qemu-traditional", "--disable-pvshim", "--disable-pygrub",
	"--disable-xsmpolicy", "--disable-monitors", "--disable-ovmf", "--disable-systemd", "--with-system-qemu=/usr/bin/qemu-system-i386",
	"PKG_CONFIG=/bin/false", "ac_cv_header_Python_h=yes", "ac_cv_func_PyArg_ParseTuple=yes",
	"ac_cv_header_curses_h=yes", "ac_cv_lib_curses_clear=yes", "ac_cv_header_ncurses_h=no", "ac_cv_lib_ncurses_clear=no",
	"ac_cv_header_bzlib_h=no", "ac_cv_header_lzma_h=no", "ac_cv_header_lzo_lzo1x_h=no",
}

// environment pins what identifies the builder and the moment.
var environment = []string{
	"LC_ALL=C", "MAKEFLAGS=", "MFLAGS=", "MAKELEVEL=", "SOURCE_DATE_EPOCH=0",
	"XEN_BUILD_DATE=reproducible", "XEN_BUILD_TIME=00:00:00", "XEN_BUILD_HOST=xsmbench", "XEN_WHOAMI=xsmbench", "XEN_DOMAIN=xsmbench",
}
