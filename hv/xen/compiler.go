package xen

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/debian"
	"xsmbench/hv/xen/image"
	"xsmbench/hv/xen/protocol"
)

// compilerPackage has a C compiler that is one program of some 300 KB, with its own
// assembler and linker.
const compilerPackage = "tcc"

// guestCompiler is the C compiler that domains have if a plan asks for one.
type guestCompiler struct {
	root     image.Root // the program and the libraries that it needs
	packages []string   // files of the packages that it is from
	key      store.Key
}

// compilerPart is the distribution's package of the compiler.
var compilerPart = part{
	what: "the guests' C compiler",
	find: func(ctx context.Context, a *debian.Archive) ([]string, error) {
		libraries, err := a.Libraries(ctx, compilerPackage)
		return append([]string{compilerPackage}, libraries...), err
	},
	take: takeCompiler, taken: []string{protocol.CompilerPath},
}

// takeCompiler takes the program and its libraries. Of the package's headers nothing
// is needed.
func takeCompiler(_ context.Context, root image.Root, dir string) error {
	program := strings.TrimPrefix(protocol.CompilerPath, "/")
	needed, err := root.Libraries(program)
	if err != nil {
		return err
	}
	for _, name := range append(needed, program) {
		if err := root.CopyFile(name, filepath.Join(dir, "root", name)); err != nil {
			return err
		}
	}
	return nil
}

// compiles reports whether a plan has a benchmark that needs a compiler. Only then
// do the domains have one: it makes their file systems, and so all snapshots, others.
func compiles(plan bench.Plan) bool {
	return slices.ContainsFunc(plan.Benchmarks, func(name string) bool {
		b, _ := bench.Find(name)
		return slices.Contains(b.Needs, bench.Compiling)
	})
}

// compilerFor is what the domains of a plan compile with, nil for nothing: where
// there is none, the benchmarks that need one are skipped, and all others measure.
func (t *Target) compilerFor(ctx context.Context, plan bench.Plan, from hv.Packages, tools *toolstack, progress func(string)) (*guestCompiler, error) {
	if !compiles(plan) {
		return nil, nil
	}
	progress = prefixed("guests: ", progress)
	cc, err := t.compiler(ctx, from, progress)
	if err == nil {
		err = cc.fits(tools)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		progress("no C compiler, what needs one is skipped: " + line)
		return nil, nil
	}
	return cc, nil
}

// compiler takes the compiler that a distribution has today from the store, or
// fetches it.
func (t *Target) compiler(ctx context.Context, from hv.Packages, progress func(string)) (*guestCompiler, error) {
	m := guestsFrom(from)
	return t.compilers.get(ctx, m.String(), func(ctx context.Context) (*guestCompiler, error) {
		s, err := t.store()
		if err != nil {
			return nil, err
		}
		return makeCompiler(ctx, s, m, progress)
	})
}

func makeCompiler(ctx context.Context, s *store.Store, m debian.Machine, progress func(string)) (*guestCompiler, error) {
	entry, v, err := compilerPart.get(ctx, s, m, progress)
	if err != nil {
		return nil, err
	}
	return &guestCompiler{root: image.Root(entry.Path("root")), packages: v.names(), key: entry.Key}, nil
}

// id names the compiler; "" is that of none.
func (c *guestCompiler) id() string {
	if c == nil {
		return ""
	}
	return string(c.key)
}

// fits fails if dom0's toolstack has other libraries under the same names: tools that
// were built from a tree have those of this machine.
func (c *guestCompiler) fits(tools *toolstack) error {
	if tools.missing != "" {
		return nil
	}
	return fs.WalkDir(os.DirFS(string(c.root)), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		theirs, err := os.ReadFile(filepath.Join(string(tools.root), name))
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		own, err := os.ReadFile(filepath.Join(string(c.root), name))
		if err == nil && !bytes.Equal(own, theirs) {
			err = fmt.Errorf("dom0's toolstack has another %s", name)
		}
		return err
	})
}

// add adds the compiler to a domain's file system.
func (c *guestCompiler) add(to *image.Initramfs) error {
	if c == nil {
		return nil
	}
	return to.CopyAll(string(c.root))
}

// text says in a run's settings what compiles.
func (c *guestCompiler) text() string {
	if c == nil {
		return ""
	}
	for _, f := range c.packages {
		if strings.HasPrefix(f, compilerPackage+"_") {
			return "; kernbench compiles with " + strings.TrimSuffix(f, ".deb")
		}
	}
	return "; kernbench compiles with " + compilerPackage
}
