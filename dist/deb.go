package main

import (
	"os"
	"path"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
)

// debArch is Debian's name of an architecture.
func debArch(arch string) string {
	if arch == "386" {
		return "i386"
	}
	return arch
}

// debPlaces are names that Debian has otherwise.
var debPlaces = map[string]string{zsh: "share/zsh/vendor-completions/_xsmbench"}

const description = `measure what XSM security hooks cost a hypervisor
 xsmbench builds a hypervisor three ways (without security hooks, with the dummy
 module, with FLASK), runs lmbench- and kbench-compatible benchmarks from dom0
 and domU, and reports the overhead of each operation with a verdict. Hypervisors
 are Xen 4.17, whose instructions are counted in QEMU, and a model in Go.`

// package_ is the Debian package without its files. Nothing is needed to read
// runs; to make them, Go is, which compiles the model and the guests' agent.
func (c *contents) package_(maintainer string) *nfpm.Info {
	return nfpm.WithDefaults(&nfpm.Info{
		Name: "xsmbench", Arch: c.arch, Platform: "linux",
		Version: c.version, VersionSchema: "none",
		Section: "utils", Priority: "optional", License: "BSD-2-Clause",
		Maintainer: maintainer, Description: description,
		MTime: c.time, DisableGlobbing: true,
		Overridables: nfpm.Overridables{
			Recommends: []string{"golang-go (>= 2:1.21~)"},
			Suggests:   []string{"qemu-system-x86", "qemu-user", "gcc", "make", "checkpolicy"},
			Deb:        nfpm.Deb{Compression: "gzip"},
		},
	})
}

func (c *contents) writeDeb(to, maintainer string) error {
	info := c.package_(maintainer)
	for _, f := range c.files {
		name := f.name
		if other, ok := debPlaces[name]; ok {
			name = other
		}
		info.Contents = append(info.Contents, &files.Content{
			Source: f.from, Destination: path.Join("/usr", name),
			FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: f.mode, MTime: c.time},
		})
	}
	if err := nfpm.PrepareForPackager(info, "deb"); err != nil {
		return err
	}
	return written(to, func(f *os.File) error { return deb.Default.Package(info, f) })
}

// written writes a file whole or not at all.
func written(to string, write func(*os.File) error) error {
	f, err := os.Create(to + ".new")
	if err != nil {
		return err
	}
	defer f.Close()
	if err := write(f); err != nil {
		os.Remove(f.Name())
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), strings.TrimSuffix(f.Name(), ".new"))
}
