package xen

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/debian"
	"xsmbench/hv/xen/image"
)

// Kinds of what the guests are made of.
var (
	packageVersions = store.Register(store.Kind{
		Name: "package-versions", Doc: "which packages the guests are made of, as of an index", Bound: 1 << 20,
	})
	guestPackages = store.Register(store.Kind{
		Name: "guest-packages", Doc: "the guests' kernel and dom0's toolstack, unpacked", Bound: 1 << 30,
	})
)

// guestsFrom and sourceFrom are the machines of which packages are taken: this
// one, as another release might be.
func guestsFrom(p hv.Packages) debian.Machine {
	return debian.Machine{Release: p.Guests, Archive: p.Archive}
}

func sourceFrom(p hv.Packages) debian.Machine {
	return debian.Machine{Release: p.Source, Archive: p.Archive}
}

// CheckRelease refuses what cannot be the name of a Debian release.
func (*Target) CheckRelease(name string) error { return debian.CheckRelease(name) }

// CheckArchive refuses what cannot be the URL of a package archive.
func (*Target) CheckArchive(url string) error { return debian.CheckArchive(url) }

// part is what the guests need of some packages of a distribution.
type part struct {
	what string
	// find asks an archive which packages these are. The first gives the part its
	// name: "linux-image-…", "xen-utils-…".
	find func(context.Context, *debian.Archive) ([]string, error)
	// take fills dir with what is needed of the packages, unpacked in root.
	take func(ctx context.Context, root image.Root, dir string) error
	// taken is what take takes: it decides the result, as the packages do.
	taken []string
}

// get takes the part of the newest packages from the store, or makes it.
func (p part) get(ctx context.Context, s *store.Store, m debian.Machine, progress func(string)) (*store.Entry, versions, error) {
	archive, err := m.Open(ctx, s, debian.Binary, progress)
	if err != nil {
		return nil, versions{}, err
	}
	defer archive.Close()
	v, err := p.versions(ctx, s, archive, progress)
	if err != nil {
		return nil, v, err
	}
	entry, err := s.Get(ctx, guestPackages, p.key(v), store.Recipe{
		What: p.what, Progress: progress,
		Make: func(ctx context.Context, dir string) error {
			progress("fetching " + v.main)
			return p.unpack(ctx, s, archive, v, dir)
		},
	})
	return entry, v, err
}

// newest looks the part's packages up. Nothing but an index is fetched.
func (p part) newest(ctx context.Context, s *store.Store, m debian.Machine) (versions, error) {
	archive, err := m.Open(ctx, s, debian.Binary, silent)
	if err != nil {
		return versions{}, err
	}
	defer archive.Close()
	return p.versions(ctx, s, archive, silent)
}

func silent(string) {}

// versions are the packages of a part that an index has.
type versions struct {
	main  string // the package that gives the part its name
	files []debian.File
}

// versions asks the archive's index. The answer is kept: asking takes a second
// or two.
func (p part) versions(ctx context.Context, s *store.Store, archive *debian.Archive, progress func(string)) (versions, error) {
	const file = "versions"
	entry, err := s.Get(ctx, packageVersions, store.KeyOf(archive.Index(), p.what), store.Recipe{
		What: "the versions of the packages of " + p.what, Progress: progress,
		Make: func(ctx context.Context, dir string) error {
			text, err := p.ask(ctx, archive)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644)
		},
	})
	if err != nil {
		return versions{}, err
	}
	defer entry.Release()
	text, err := os.ReadFile(entry.Path(file))
	return parseVersions(string(text)), err
}

// ask writes the main package, and then each file, a line each.
func (p part) ask(ctx context.Context, archive *debian.Archive) (string, error) {
	names, err := p.find(ctx, archive)
	if err != nil {
		return "", err
	}
	files, err := archive.Files(ctx, names...)
	if err != nil {
		return "", err
	}
	if len(files) != len(names) {
		return "", fmt.Errorf("look up packages: asked for %d, the archive names %d files", len(names), len(files))
	}
	text := names[0] + "\n"
	for _, f := range files {
		text += f.String() + "\n"
	}
	return text, nil
}

func parseVersions(text string) versions {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	v := versions{main: lines[0]}
	for _, line := range lines[1:] {
		name, digest, _ := strings.Cut(line, " ")
		v.files = append(v.files, debian.File{Name: name, Digest: digest})
	}
	return v
}

// key names a part by its packages and by what is taken of them.
func (p part) key(v versions) store.Key {
	decide := []string{p.what}
	for _, f := range v.files {
		decide = append(decide, f.String())
	}
	return store.KeyOf(append(decide, p.taken...)...)
}

// names are those of the packages' files.
func (v versions) names() []string {
	var names []string
	for _, f := range v.files {
		names = append(names, f.Name)
	}
	return names
}

// packages are the names of the packages. A file's name begins with them.
func (v versions) packages() []string {
	var packages []string
	for _, name := range v.names() {
		name, _, _ = strings.Cut(name, "_")
		packages = append(packages, name)
	}
	return packages
}

// unpack fetches the packages and fills dir with what is needed of them.
func (p part) unpack(ctx context.Context, s *store.Store, archive *debian.Archive, v versions, dir string) error {
	work, release, err := s.Scratch("unpacked packages")
	if err != nil {
		return err
	}
	defer release()
	root := image.Root(filepath.Join(work, "root"))
	if err := archive.Unpack(ctx, string(root), v.files, v.packages()...); err != nil {
		return err
	}
	if err := p.take(ctx, root, dir); err != nil {
		return fmt.Errorf("package %s: %w", v.main, err)
	}
	return nil
}

// dependency finds the package that a package without content depends on.
func dependency(ctx context.Context, archive *debian.Archive, of string, is func(name string) bool) (string, error) {
	depends, err := archive.Depends(ctx, of)
	if err != nil {
		return "", err
	}
	for _, d := range depends {
		if is(d) {
			return d, nil
		}
	}
	return "", fmt.Errorf("look up package %s: it depends on none of those looked for: %v", of, depends)
}
