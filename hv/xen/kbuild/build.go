package kbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"xsmbench/hv/store"
	"xsmbench/hv/xen/source"
)

var (
	// Kind is that of finished builds.
	Kind = store.Register(store.Kind{
		Name: "xen-builds", Doc: "hypervisors built from Xen's source, with their symbols", Bound: 2 << 30,
	})
	// trees are what builds go on from.
	trees = store.Register(store.Kind{
		Name: "xen-trees", Doc: "trees in which Xen was built, with their objects, for the next build to go on from", Bound: 4 << 30,
		Local: "builds change them in place, and they name this machine's folders",
	})
)

// Spec says what to build.
type Spec struct {
	What      string // for words to the user: "native"
	Tree      *source.Tree
	Fragments []string // Kconfig, later ones win; Common is added before them
	Jobs      int      // parallel jobs of make
	// Clean asks for a build that uses nothing of an earlier one.
	Clean bool
	// Turn waits until this build may compile; it is not asked for one that is
	// in the store, or that somebody else makes. nil: at once.
	Turn func(context.Context) (release func(), err error)
}

func (s Spec) turn(ctx context.Context) (release func(), err error) {
	if s.Turn == nil {
		return func() {}, nil
	}
	return s.Turn(ctx)
}

// config is the configuration that the spec asks for.
func (s Spec) config() string { return Common + strings.Join(s.Fragments, "\n") }

// Product is a built hypervisor, files in the store. They stay there at least
// until Release.
type Product struct {
	Image    string // xen: the multiboot ELF that QEMU loads
	Syms     string // xen-syms: with symbols and DWARF
	Config   Config // complete
	Compiler string
	Cached   bool

	entry *store.Entry
}

// Release gives the files back to the store.
func (p *Product) Release() { p.entry.Release() }

// Reject says that the files are not what they should be, so that the next
// Build makes them anew.
func (p *Product) Reject(reason string) error { return p.entry.Reject(reason) }

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

// LogFile is the path of the whole log.
func (e *Error) LogFile() string { return e.Log }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// mostChanges is how often a tree may change between hashing and copying
// before the build is given up.
const mostChanges = 5

// Build makes the hypervisor that spec describes, or finds it in the store. A
// tree that changes while it is read is built as it was copied, under the key
// of what was copied.
func Build(ctx context.Context, s *store.Store, spec Spec, progress func(string)) (*Product, error) {
	tools, err := findTools(ctx)
	if err != nil {
		return nil, fmt.Errorf("build Xen: %w", err)
	}
	hash := spec.Tree.Hash
	for range mostChanges {
		entry, err := s.Get(ctx, Kind, spec.key(hash, tools), store.Recipe{
			What: "Xen " + spec.What, Progress: progress,
			Make: func(ctx context.Context, dir string) error {
				release, err := spec.turn(ctx)
				if err != nil {
					return err
				}
				defer release()
				b := builder{store: s, spec: spec, hash: hash, tools: tools, out: dir, progress: progress}
				return b.run(ctx)
			},
		})
		var changed *changedError
		if errors.As(err, &changed) {
			progress("the source changed while it was read; it is built as it is now")
			hash = changed.hash
			continue
		}
		if err != nil {
			return nil, err
		}
		return open(entry, tools)
	}
	return nil, fmt.Errorf("build Xen: %s keeps changing while it is read: wait until it is stable, or build a copy of it", spec.Tree.Dir)
}

// changedError tells that what was copied is not what was hashed.
type changedError struct{ hash string } // of what was copied

func (e *changedError) Error() string { return "the source changed while it was copied" }

// key names a build by all that decides it.
func (s Spec) key(tree string, t tools) store.Key {
	parts := append([]string{"build", tree, s.config()}, t.decide()...)
	if s.Clean {
		parts = append(parts, "clean")
	}
	return store.KeyOf(parts...)
}

// treeKey names the tree in which builds of one configuration are made. It
// depends on the tools: make does not notice another compiler.
func (s Spec) treeKey(t tools) store.Key {
	return store.KeyOf(append([]string{"tree", s.config()}, t.decide()...)...)
}

// Files of a product.
const (
	imageFile  = "xen"
	symsFile   = "xen-syms"
	configFile = "config"
)

// open reads a finished build.
func open(entry *store.Entry, t tools) (*Product, error) {
	p := &Product{
		Image: entry.Path(imageFile), Syms: entry.Path(symsFile),
		Compiler: t.compiler(), Cached: !entry.Made, entry: entry,
	}
	text, err := os.ReadFile(entry.Path(configFile))
	if err == nil {
		p.Config, err = ParseConfig(string(text))
	}
	if err != nil {
		entry.Release()
		return nil, fmt.Errorf("open build of Xen: %w", err)
	}
	return p, nil
}
