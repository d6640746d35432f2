package xen

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/store/content"
	"xsmbench/hv/xen/debian"
	"xsmbench/hv/xen/image"
)

// kernelPackage depends on the package of the current kernel.
const kernelPackage = "linux-image-amd64"

// kernel is what all domains boot, with its modules.
type kernel struct {
	root     image.Root // of the modules
	vmlinux  string     // uncompressed
	packages []string   // files of the packages that it is from

	vmlinuxHash string // SHA-256
}

// kernel takes the kernel that a distribution has today from the store, or
// fetches it. It stays there as long as this process lives.
func (t *Target) kernel(ctx context.Context, from hv.Packages, progress func(string)) (*kernel, error) {
	m := guestsFrom(from)
	return t.kernels.get(ctx, m.String(), func(ctx context.Context) (*kernel, error) {
		s, err := t.store()
		if err != nil {
			return nil, err
		}
		k, err := makeKernel(ctx, s, m, func(s string) { progress("guests: " + s) })
		if err != nil {
			return nil, fmt.Errorf("make the guests' kernel: %w", err)
		}
		return k, nil
	})
}

// kernelPart is the kernel and the modules that domains load.
var kernelPart = part{
	what: "the guests' kernel, stripped",
	find: func(ctx context.Context, a *debian.Archive) ([]string, error) {
		name, err := dependency(ctx, a, kernelPackage, func(d string) bool { return strings.HasPrefix(d, "linux-image-") })
		return []string{name}, err
	},
	take: takeKernel, taken: slices.Concat(modules, deviceModules),
}

func makeKernel(ctx context.Context, s *store.Store, m debian.Machine, progress func(string)) (*kernel, error) {
	entry, v, err := kernelPart.get(ctx, s, m, progress)
	if err != nil {
		return nil, err
	}
	k := &kernel{root: image.Root(entry.Path("root")), vmlinux: entry.Path("vmlinux"), packages: v.names()}
	k.vmlinuxHash, err = content.HashFile(k.vmlinux)
	return k, err
}

// takeKernel leaves kernel and modules uncompressed: a guest's instructions for
// that would be counted.
func takeKernel(ctx context.Context, root image.Root, dir string) error {
	compressed, err := filepath.Glob(filepath.Join(string(root), "boot", "vmlinuz-*"))
	if err != nil || len(compressed) != 1 {
		return fmt.Errorf("it has %d kernels", len(compressed))
	}
	vmlinux, err := image.Vmlinux(ctx, compressed[0])
	if err != nil {
		return err
	}
	if vmlinux, err = quickKernel(vmlinux); err != nil {
		return fmt.Errorf("its kernel: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "vmlinux"), vmlinux, 0o644); err != nil {
		return err
	}
	needed, err := root.Modules(ctx, modules...)
	if err != nil {
		return err
	}
	for _, name := range deviceModules {
		if more, err := root.Modules(ctx, name); err == nil { // else what needs it is skipped
			needed = append(needed, more...)
		}
	}
	for _, name := range needed {
		module, err := root.Module(ctx, name)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, "root", image.PlainModule(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, module, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// quickKernel is a kernel without what only costs time at a start.
func quickKernel(vmlinux []byte) ([]byte, error) {
	image.LimitHotplug(vmlinux)
	return image.Strip(vmlinux)
}
