package toolstack

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"xsmbench/hv/child"
)

// needs are what a build takes besides what the hypervisor's takes: a header of
// a library or a program, and the Debian package that has it. Other libraries
// that configure looks for are switched off, or not used by what is built.
var needs = []struct{ header, program, pkg string }{
	{header: "yajl/yajl_gen.h", pkg: "libyajl-dev"},
	{header: "uuid/uuid.h", pkg: "uuid-dev"},
	{header: "zlib.h", pkg: "zlib1g-dev"},
	{program: "iasl", pkg: "acpica-tools"},
	{program: "autoconf", pkg: "autoconf"},
}

// Packages lists the Debian packages that a build takes.
func Packages() (list []string) {
	for _, n := range needs {
		list = append(list, n.pkg)
	}
	return list
}

// Missing lists the Debian packages that the machine lacks for a build.
func Missing(ctx context.Context) []string {
	var missing []string
	for _, n := range needs {
		if n.program != "" {
			if _, err := exec.LookPath(n.program); err != nil {
				missing = append(missing, n.pkg)
			}
			continue
		}
		cmd := exec.CommandContext(ctx, "gcc", "-E", "-o", "/dev/null", "-")
		cmd.Stdin = strings.NewReader("#include <" + n.header + ">\n")
		if err := child.Run(cmd); err != nil {
			missing = append(missing, n.pkg)
		}
	}
	return missing
}

// MissingError tells which packages a build lacks.
type MissingError struct{ Packages []string }

// Error names them, and what they are for.
func (e *MissingError) Error() string {
	return fmt.Sprintf("dom0's toolstack must come from the same tree, and this machine lacks what its build takes: install the packages %s", strings.Join(e.Packages, ", "))
}

// libraries are those of the machine that end up in the result.
var libraries = []string{"libc.so.6", "libgcc_s.so.1", "libyajl.so.2", "libuuid.so.1", "libz.so.1"}

// Loaded are libraries that no program names, but that the C library loads, for
// pthread_cancel.
var Loaded = []string{"libgcc_s.so.1"}
