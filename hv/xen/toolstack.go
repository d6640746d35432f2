package xen

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"

	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/debian"
	"xsmbench/hv/xen/domain/hypercall"
	"xsmbench/hv/xen/image"
	"xsmbench/hv/xen/kbuild"
	"xsmbench/hv/xen/protocol"
	"xsmbench/hv/xen/source"
	treestack "xsmbench/hv/xen/toolstack"
)

// toolstackPackage depends on the packages of the distribution's Xen.
const toolstackPackage = "xen-system-amd64"

// toolstack is dom0's: what makes domains. Its root holds the programs in
// protocol.ToolstackDir and the libraries that they need.
type toolstack struct {
	root     image.Root
	version  string   // of Xen: "4.17"
	packages []string // files of the packages that it is from, none if it was built from a tree
	key      store.Key
	missing  string // why there is none, "" if there is
}

// toolstackFor finds the toolstack that goes with a tree: the distribution's
// where that is of the tree's version, else the tree's own. It stays in the store
// as long as this process lives.
func (t *Target) toolstackFor(ctx context.Context, tree *source.Tree, iface *hypercall.Interface, from hv.Packages, progress func(string)) (*toolstack, error) {
	m := guestsFrom(from)
	s, err := t.store()
	if err != nil {
		return nil, err
	}
	progress = prefixed("guests: ", progress)
	version, err := tree.XenVersion()
	if err != nil {
		return nil, err
	}
	own, err := t.ownTools(ctx, from, version, iface, progress)
	if err != nil {
		return nil, err
	}
	if !own {
		return t.toolstacks.get(ctx, m.String(), func(ctx context.Context) (*toolstack, error) {
			tools, err := makeToolstack(ctx, s, m, progress)
			if err != nil {
				return nil, fmt.Errorf("make dom0's toolstack: %w", err)
			}
			return tools, nil
		})
	}
	hash, err := treestack.Hash(tree)
	if err != nil {
		return nil, err
	}
	return t.toolstacks.get(ctx, hash, func(ctx context.Context) (*toolstack, error) {
		entry, err := treestack.Build(ctx, s, treestack.Spec{Tree: tree, Jobs: processors(), Turn: t.turnToCompile}, progress)
		var failed *kbuild.Error
		switch {
		case errors.As(err, &failed): // it would fail again
			progress("dom0 will run without a domU: " + failed.Error())
			return &toolstack{missing: failed.Error()}, nil
		case err != nil:
			return nil, err
		}
		return &toolstack{root: image.Root(entry.Path(treestack.RootDir)), version: version, key: entry.Key}, nil
	})
}

// CheckToolstack refuses what does not name a way to get dom0's tools.
func (*Target) CheckToolstack(word string) error {
	switch word {
	case hv.ToolstackDistribution, hv.ToolstackTree:
		return nil
	}
	return fmt.Errorf("unknown toolstack %q (known: %s, %s)", word, hv.ToolstackDistribution, hv.ToolstackTree)
}

// ownTools says whether trees of a version with such interfaces get the tools of
// their own: where the user wants it, or where the distribution's do not fit.
func (t *Target) ownTools(ctx context.Context, from hv.Packages, version string, iface *hypercall.Interface, progress func(string)) (bool, error) {
	if from.Toolstack == hv.ToolstackTree {
		return true, nil
	}
	fits, err := t.distributionFits(ctx, guestsFrom(from), version, iface, progress)
	if err == nil && !fits && from.Toolstack == hv.ToolstackDistribution {
		err = fmt.Errorf("the distribution's toolstack is not for this source, of version %s (--toolstack %s builds one that is)", version, hv.ToolstackTree)
	}
	return !fits, err
}

// distributionFits says whether the distribution's toolstack is for trees of a
// version with such interfaces.
func (t *Target) distributionFits(ctx context.Context, m debian.Machine, version string, iface *hypercall.Interface, progress func(string)) (bool, error) {
	offered, err := t.offered.get(ctx, m.String(), func(ctx context.Context) (string, error) {
		s, err := t.store()
		if err != nil {
			return "", err
		}
		return offeredVersion(ctx, s, m, progress)
	})
	if err != nil {
		return false, fmt.Errorf("find dom0's toolstack: %w", err)
	}
	return offered == version && released(version, iface), nil
}

// interfaces are the versions of the control hypercalls' interfaces in releases,
// domctl's and sysctl's.
var interfaces = map[string][2]uint32{
	"4.15": {0x13, 0x13}, "4.16": {0x14, 0x14}, "4.17": {0x15, 0x15}, "4.18": {0x16, 0x15}, "4.19": {0x17, 0x15},
	"4.20": {0x17, 0x15}, "4.21": {0x17, 0x16}, "4.22": {0x18, 0x16},
}

// released says that a tree has a release's interfaces, which a distribution's
// tools expect: before a release, trees of its version had others.
func released(version string, iface *hypercall.Interface) bool {
	want, known := interfaces[version]
	return known && want == [2]uint32{iface.Constants["XEN_DOMCTL_INTERFACE_VERSION"], iface.Constants["XEN_SYSCTL_INTERFACE_VERSION"]}
}

func prefixed(prefix string, progress func(string)) func(string) {
	return func(s string) { progress(prefix + s) }
}

// offeredVersion is the version of the distribution's toolstack, "" with a word
// if it has none. Nothing but its index is fetched.
func offeredVersion(ctx context.Context, s *store.Store, m debian.Machine, progress func(string)) (string, error) {
	archive, err := m.Open(ctx, s, debian.Binary, progress)
	if err != nil {
		return "", err
	}
	defer archive.Close()
	v, err := toolstackPart.versions(ctx, s, archive, progress)
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		progress(fmt.Sprintf("the distribution has no toolstack: %v", err))
		return "", nil
	}
	return toolstackName.FindStringSubmatch(v.main)[1], nil
}

// toolstackName is that of the package of a toolstack.
var toolstackName = regexp.MustCompile(`^xen-utils-(\d+\.\d+)$`)

// toolstackPart is the distribution's toolstack with its libraries.
var toolstackPart = part{
	what: "the distribution's toolstack",
	find: func(ctx context.Context, a *debian.Archive) ([]string, error) {
		name, err := dependency(ctx, a, toolstackPackage, toolstackName.MatchString)
		if err != nil {
			return nil, err
		}
		libraries, err := a.Libraries(ctx, name)
		return append([]string{name}, libraries...), err
	},
	take: takeToolstack, taken: slices.Concat(treestack.Loaded, treestack.Programs),
}

func makeToolstack(ctx context.Context, s *store.Store, m debian.Machine, progress func(string)) (*toolstack, error) {
	entry, v, err := toolstackPart.get(ctx, s, m, progress)
	if err != nil {
		return nil, err
	}
	return &toolstack{root: image.Root(entry.Path("root")), key: entry.Key, version: toolstackName.FindStringSubmatch(v.main)[1], packages: v.names()}, nil
}

// takeToolstack takes the programs, which Debian has in a directory of their
// version, and the libraries.
func takeToolstack(_ context.Context, root image.Root, dir string) error {
	var programs []string
	for _, name := range treestack.Programs {
		found, err := filepath.Glob(filepath.Join(string(root), "usr/lib/xen-*/bin", name))
		if err != nil || len(found) != 1 {
			return fmt.Errorf("it has %d programs %s", len(found), name)
		}
		program, err := filepath.Rel(string(root), found[0])
		if err != nil {
			return err
		}
		programs = append(programs, program)
	}
	libraries, err := root.Libraries(programs...)
	if err != nil {
		return err
	}
	for _, name := range treestack.Loaded {
		library, err := root.Library(name)
		if err != nil {
			return err
		}
		libraries = append(libraries, library)
	}
	for _, name := range libraries {
		if err := root.CopyFile(name, filepath.Join(dir, "root", name)); err != nil {
			return err
		}
	}
	for _, name := range programs {
		if err := root.CopyFile(name, filepath.Join(dir, "root", protocol.ToolstackDir, filepath.Base(name))); err != nil {
			return err
		}
	}
	return nil
}
