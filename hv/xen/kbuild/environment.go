package kbuild

import (
	"os/exec"
	"strings"
	"sync"
)

// environment pins what identifies the builder, the place and the moment, so
// that the same inputs give the same image, here and elsewhere.
func environment(work string) []string {
	return []string{
		"LC_ALL=C", "XEN_CONFIG_EXPERT=y", "MAKEFLAGS=", "MFLAGS=", "MAKELEVEL=",
		"SOURCE_DATE_EPOCH=0", "XEN_BUILD_DATE=reproducible", "XEN_BUILD_TIME=00:00:00",
		"XEN_BUILD_HOST=xsmbench", "XEN_WHOAMI=xsmbench", "XEN_DOMAIN=xsmbench",
		"CFLAGS=-ffile-prefix-map=" + work + "=.", // DWARF names the directory of a build
		"PYTHON=" + python(),
	}
}

// python is the interpreter itself. The one in PATH may be a script that looks
// for it, and Xen's build starts some hundred.
var python = sync.OnceValue(func() string {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if name := strings.TrimSpace(string(out)); err == nil && name != "" {
		return name
	}
	return "python3"
})

// ccacheEnvironment lets builds in different directories share objects. It may,
// for environment keeps the directories out of them.
func ccacheEnvironment(objects string) []string {
	return []string{"CCACHE_DIR=" + objects, "CCACHE_NOHASHDIR=1", "CCACHE_MAXSIZE=1G"}
}

// HasCcache tells whether builds can share objects on this machine: a tree
// that differs from one that was built in a file or two then builds in a
// fraction of the time.
func HasCcache() bool {
	_, err := exec.LookPath("ccache")
	return err == nil
}
