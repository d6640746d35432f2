package xen

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"xsmbench/hv/xen/debian"
	"xsmbench/hv/xen/image"
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
}

// parts fetches and unpacks the packages, or finds them in the cache.
func (t *Target) parts(ctx context.Context, progress func(string)) (*parts, error) {
	defer t.alone("packages")()
	dir, err := cacheDir("packages")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(kernelPackage + " " + strings.Join(packages, " ")))
	dir = filepath.Join(dir, hex.EncodeToString(sum[:8]))
	if p, err := loadParts(dir); err == nil {
		return p, nil
	}
	if err := fetchParts(ctx, dir, progress); err != nil {
		return nil, fmt.Errorf("make the guests' parts: %w", err)
	}
	return loadParts(dir)
}

const versionsFile = "versions"

func loadParts(dir string) (*parts, error) {
	text, err := os.ReadFile(filepath.Join(dir, versionsFile))
	if err != nil {
		return nil, err
	}
	p := &parts{root: image.Root(filepath.Join(dir, "root")), vmlinux: filepath.Join(dir, "vmlinux"), versions: strings.Fields(string(text))}
	_, err = os.Stat(p.vmlinux)
	return p, err
}

// fetchParts fills a directory beside dir and renames it.
func fetchParts(ctx context.Context, dir string, progress func(string)) error {
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "fetch-*.tmp")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	progress("guests: fetching the index of packages")
	archive, err := debian.Open(ctx, filepath.Join(tmp, "apt"), debian.Binary)
	if err != nil {
		return err
	}
	kernel, err := kernelOf(ctx, archive)
	if err != nil {
		return err
	}
	progress("guests: fetching " + kernel + " and the toolstack")
	root := filepath.Join(tmp, "root")
	versions, err := archive.Unpack(ctx, root, append([]string{kernel}, packages...)...)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(tmp, "apt")); err != nil {
		return err
	}
	compressed, err := filepath.Glob(filepath.Join(root, "boot", "vmlinuz-*"))
	if err != nil || len(compressed) != 1 {
		return fmt.Errorf("package %s has %d kernels", kernel, len(compressed))
	}
	vmlinux, err := image.Vmlinux(ctx, compressed[0])
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, "vmlinux"), vmlinux, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, versionsFile), []byte(strings.Join(versions, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	os.RemoveAll(dir)
	return os.Rename(tmp, dir)
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
