package toolstack

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/hv/store/content"
	"xsmbench/hv/xen/source"
)

// scope is a choice of a tree's files.
type scope struct {
	parts   []string
	limited bool // by within
}

// scopes are tried in turn. The first is what the tools read of a tree: of the
// hypervisor, what tools/include links to, and what tools/libs/guest compiles a
// second time. An edit of the rest needs no other toolstack. The second is for
// trees of which this program knows less.
var scopes = []scope{
	{append(slices.Clone(own), "xen/Makefile", "xen/include/public", "xen/include/acpi", "xen/include/asm-x86", "xen/include/xen",
		"xen/arch/x86/include/asm", "xen/arch/x86/lib", "xen/lib", "xen/common", "xen/tools", "xen/xsm/flask/policy"), true},
	{append(slices.Clone(own), "xen"), false},
}

// own are the tools themselves, and the files of their configuration.
var own = []string{"tools", "Config.mk", "config", "config.guess", "config.sub", "configure", "configure.ac", "install.sh", "m4", "scripts", "version.sh", ".config"}

// within are folders of which the first scope takes some files alone.
var within = map[string]func(rest string) bool{
	"xen/include/asm-x86/":      isASM,
	"xen/arch/x86/include/asm/": isASM,
	"xen/include/xen/": func(rest string) bool {
		first, _, below := strings.Cut(rest, "/")
		if below {
			return first == "lib" || first == "byteorder"
		}
		return slices.Contains([]string{"libelf.h", "elfstructs.h", "lz4.h", "byteorder.h", "unaligned.h", "xxhash.h", "decompress.h"}, rest)
	},
	"xen/lib/": func(rest string) bool { return strings.HasPrefix(rest, "x86/") || strings.HasPrefix(rest, "xxhash") },
	"xen/common/": func(rest string) bool {
		first, _, below := strings.Cut(rest, "/")
		if below {
			return slices.Contains([]string{"libelf", "lz4", "xz", "zstd"}, first)
		}
		return slices.Contains([]string{"bunzip2.c", "decompress.h", "lzo.c", "unlzo.c", "unlz4.c", "unxz.c", "unlzma.c", "unzstd.c"}, rest)
	},
	// Of no use to dom0's programs, and edited with the hypervisor.
	"tools/flask/policy/": func(string) bool { return false },
}

// isASM are the headers that the tools share with the hypervisor.
func isASM(rest string) bool {
	return strings.HasPrefix(rest, "msr-") || strings.HasPrefix(rest, "x86-")
}

// filesOf are the files of a tree in a scope.
func filesOf(tree *source.Tree, s scope) content.Files {
	return func(visit func(rel string, info fs.FileInfo) error) error {
		return tree.FilesOf(s.parts, func(rel string, info fs.FileInfo) error {
			if s.limited && !taken(filepath.ToSlash(rel)) {
				return nil
			}
			return visit(rel, info)
		})
	}
}

func taken(rel string) bool {
	for folder, takes := range within {
		if rest, ok := strings.CutPrefix(rel, folder); ok {
			return takes(rest)
		}
	}
	return true
}
