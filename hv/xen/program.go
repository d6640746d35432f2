package xen

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/debian"
	"xsmbench/hv/xen/image"
	"xsmbench/hv/xen/protocol"
)

// extra is a program of the distribution that domains have only if a plan needs it:
// it makes their file systems, and so all snapshots, others.
type extra struct {
	what     string         // in words
	pack     string         // its package
	path     string         // where domains have it
	facility bench.Facility // that domains have with it
	memory   int            // that a domU has more for it, in MiB
	role     string         // what it does in a run, before its version
}

// compiler is one program of some 300 KB, with its own assembler and linker.
var compiler = &extra{
	what: "the guests' C compiler", pack: "tcc", path: protocol.CompilerPath,
	facility: bench.Compiling, memory: compileMemory, role: "kernbench compiles with",
}

// shell is Debian's /bin/sh. It brings the C library along, with which the native loops
// of native.Dynamic are linked, too.
var shell = &extra{
	what: "the guests' shell", pack: "dash", path: protocol.LibraryShellPath,
	facility: bench.DynamicPrograms, role: "the shell that is linked with the C library is",
}

// extras are all of them.
var extras = []*extra{compiler, shell}

// part is the package of the program, with those of its libraries.
func (x *extra) part() part {
	return part{
		what: x.what,
		find: func(ctx context.Context, a *debian.Archive) ([]string, error) {
			libraries, err := a.Libraries(ctx, x.pack)
			return append([]string{x.pack}, libraries...), err
		},
		take: x.take, taken: []string{x.path},
	}
}

// take takes the program and its libraries. Of what else the package has, such as a
// compiler's headers, nothing is needed.
func (x *extra) take(_ context.Context, root image.Root, dir string) error {
	program := strings.TrimPrefix(x.path, "/")
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

// guestProgram is an extra as a distribution has it.
type guestProgram struct {
	*extra
	root     image.Root // the program and the libraries that it needs
	packages []string   // files of the packages that it is from
	key      store.Key
}

// guestProgram takes the program that a distribution has today from the store, or
// fetches it.
func (t *Target) guestProgram(ctx context.Context, x *extra, from hv.Packages, progress func(string)) (*guestProgram, error) {
	m := guestsFrom(from)
	return t.extras.get(ctx, x.name(m), func(ctx context.Context) (*guestProgram, error) {
		s, err := t.store()
		if err != nil {
			return nil, err
		}
		return makeProgram(ctx, s, x, m, prefixed("guests: ", progress))
	})
}

// name is that of a distribution's program in this process.
func (x *extra) name(m debian.Machine) string { return x.pack + " " + m.String() }

func makeProgram(ctx context.Context, s *store.Store, x *extra, m debian.Machine, progress func(string)) (*guestProgram, error) {
	entry, v, err := x.part().get(ctx, s, m, progress)
	if err != nil {
		return nil, err
	}
	return &guestProgram{extra: x, root: image.Root(entry.Path("root")), packages: v.names(), key: entry.Key}, nil
}

// fits fails if dom0's toolstack has other libraries under the same names: tools that
// were built from a tree have those of this machine.
func (p *guestProgram) fits(tools *toolstack) error {
	if tools.missing != "" {
		return nil
	}
	return fs.WalkDir(os.DirFS(string(p.root)), ".", func(name string, e fs.DirEntry, err error) error {
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
		own, err := os.ReadFile(filepath.Join(string(p.root), name))
		if err == nil && !bytes.Equal(own, theirs) {
			err = fmt.Errorf("dom0's toolstack has another %s", name)
		}
		return err
	})
}

// add adds the program to a domain's file system.
func (p *guestProgram) add(to *image.Initramfs) error { return to.CopyAll(string(p.root)) }

// text says in a run's settings which program does what.
func (p *guestProgram) text() string {
	for _, f := range p.packages {
		if strings.HasPrefix(f, p.pack+"_") {
			return fmt.Sprintf("; %s %s", p.role, strings.TrimSuffix(f, ".deb"))
		}
	}
	return fmt.Sprintf("; %s %s", p.role, p.pack)
}

// programsText says it of all programs that a plan's domains have.
func (t *Target) programsText(plan bench.Plan, from hv.Packages, tools *toolstack) string {
	text, needs := "", facilitiesOf(plan)
	for _, x := range extras {
		if p, ok := t.extras.there(x.name(guestsFrom(from))); ok && needs[x.facility] && p.fits(tools) == nil {
			text += p.text()
		}
	}
	return text
}
