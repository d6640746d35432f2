package xen

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"xsmbench/hv/store"
	"xsmbench/hv/store/content"
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

// packages are Debian's that the domains are made of, besides the kernel's:
// the toolstack, and the libraries that it needs.
var packages = []string{
	"xen-utils-4.17", "libxenmisc4.17", "libxencall1", "libxendevicemodel1", "libxenevtchn1", "libxenforeignmemory1",
	"libxengnttab1", "libxenhypfs1", "libxenstore4", "libxentoolcore1", "libxentoollog1",
	"libc6", "libgcc-s1", "libyajl2", "libnl-3-200", "libnl-route-3-200", "zlib1g", "liblzma5", "libbz2-1.0", "liblzo2-2",
	"libzstd1", "libuuid1", "libfdt1", "libtinfo6", "libncurses6", "libaio1",
}

// kernelPackage depends on the package of the current kernel.
const kernelPackage = "linux-image-amd64"

// parts are what the guests are made of, unpacked.
type parts struct {
	root     image.Root
	vmlinux  string   // the kernel, uncompressed
	versions []string // files of the packages

	vmlinuxHash string // SHA-256 of the kernel
}

// guestsParts is the name under which a process has its parts.
const guestsParts = "parts"

// parts takes the packages that the distribution has today from the store, or
// fetches them. They stay there as long as this process lives.
func (t *Target) parts(ctx context.Context, progress func(string)) (*parts, error) {
	return t.guests.get(ctx, guestsParts, func(ctx context.Context) (*parts, error) {
		s, err := t.store()
		if err != nil {
			return nil, err
		}
		p, err := makeParts(ctx, s, debian.Machine{}, func(s string) { progress("guests: " + s) })
		if err != nil {
			return nil, fmt.Errorf("make the guests' parts: %w", err)
		}
		return p, nil
	})
}

func makeParts(ctx context.Context, s *store.Store, m debian.Machine, progress func(string)) (*parts, error) {
	archive, err := m.Open(ctx, s, debian.Binary, progress)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	v, err := findVersions(ctx, s, archive, progress)
	if err != nil {
		return nil, err
	}
	entry, err := s.Get(ctx, guestPackages, v.key(), store.Recipe{
		What: "the guests' packages", Progress: progress,
		Make: func(ctx context.Context, dir string) error {
			progress("fetching " + v.kernel + " and the toolstack")
			return unpackParts(ctx, s, archive, v, dir)
		},
	})
	if err != nil {
		return nil, err
	}
	p := &parts{root: image.Root(entry.Path("root")), vmlinux: entry.Path("vmlinux"), versions: v.names()}
	p.vmlinuxHash, err = content.HashFile(p.vmlinux)
	return p, err
}

// versions are the packages that an index has.
type versions struct {
	kernel string // its package
	files  []debian.File
}

// findVersions asks the archive's index. The answer is kept: asking takes a
// second or two.
func findVersions(ctx context.Context, s *store.Store, archive *debian.Archive, progress func(string)) (versions, error) {
	var v versions
	const file = "versions"
	key := store.KeyOf(append([]string{archive.Index(), kernelPackage}, packages...)...)
	entry, err := s.Get(ctx, packageVersions, key, store.Recipe{
		What: "the versions of the guests' packages", Progress: progress,
		Make: func(ctx context.Context, dir string) error {
			text, err := askVersions(ctx, archive)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644)
		},
	})
	if err != nil {
		return v, err
	}
	defer entry.Release()
	text, err := os.ReadFile(entry.Path(file))
	if err != nil {
		return v, err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	v.kernel = lines[0]
	for _, line := range lines[1:] {
		name, digest, _ := strings.Cut(line, " ")
		v.files = append(v.files, debian.File{Name: name, Digest: digest})
	}
	return v, nil
}

// askVersions writes the kernel's package, and then each file, a line each.
func askVersions(ctx context.Context, archive *debian.Archive) (string, error) {
	kernel, err := kernelOf(ctx, archive)
	if err != nil {
		return "", err
	}
	files, err := archive.Files(ctx, append([]string{kernel}, packages...)...)
	if err != nil {
		return "", err
	}
	if want := len(packages) + 1; len(files) != want {
		return "", fmt.Errorf("look up packages: asked for %d, the archive names %d files", want, len(files))
	}
	text := kernel + "\n"
	for _, f := range files {
		text += f.String() + "\n"
	}
	return text, nil
}

// key names the parts by the packages and by what is taken of them.
func (v versions) key() store.Key {
	decide := []string{"guests' parts"}
	for _, f := range v.files {
		decide = append(decide, f.String())
	}
	decide = append(decide, modules...)
	return store.KeyOf(append(decide, toolstackFiles...)...)
}

func (v versions) names() []string {
	var names []string
	for _, f := range v.files {
		names = append(names, f.Name)
	}
	return names
}

// unpackParts fills dir with what the guests need of the packages: the kernel,
// modules, programs and libraries.
func unpackParts(ctx context.Context, s *store.Store, archive *debian.Archive, v versions, dir string) error {
	work, release, err := s.Scratch("unpacked packages")
	if err != nil {
		return err
	}
	defer release()
	all := image.Root(filepath.Join(work, "root"))
	if err := archive.Unpack(ctx, string(all), v.files, append([]string{v.kernel}, packages...)...); err != nil {
		return err
	}
	compressed, err := filepath.Glob(filepath.Join(string(all), "boot", "vmlinuz-*"))
	if err != nil || len(compressed) != 1 {
		return fmt.Errorf("package %s has %d kernels", v.kernel, len(compressed))
	}
	vmlinux, err := image.Vmlinux(ctx, compressed[0])
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "vmlinux"), vmlinux, 0o644); err != nil {
		return err
	}
	needed, err := all.Modules(modules...)
	if err != nil {
		return err
	}
	libraries, err := all.Libraries(toolstackFiles...)
	if err != nil {
		return err
	}
	for _, list := range [][]string{needed, libraries, toolstackFiles} {
		for _, name := range list {
			if err := all.CopyFile(name, filepath.Join(dir, "root")); err != nil {
				return err
			}
		}
	}
	return nil
}

// kernelOf finds the kernel's package.
func kernelOf(ctx context.Context, archive *debian.Archive) (string, error) {
	depends, err := archive.Depends(ctx, kernelPackage)
	if err != nil {
		return "", err
	}
	for _, d := range depends {
		if strings.HasPrefix(d, "linux-image-") {
			return d, nil
		}
	}
	return "", fmt.Errorf("look up package %s: it depends on no kernel: %v", kernelPackage, depends)
}
