package kbuild

import (
	"os"
	"slices"
	"strings"
)

// Surroundings is what the programs of a build get to see of this process's
// environment. Xen's makefiles and the compiler take much from it
// (XEN_TARGET_ARCH, CROSS_COMPILE, clang, HOSTCC, CPATH), which would then
// decide the image without being part of its key.
func Surroundings() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return !slices.Contains(passedOn, name) && !strings.HasPrefix(name, "CCACHE_")
	})
}

// passedOn are variables that say where things are.
var passedOn = []string{"PATH", "HOME", "USER", "TMPDIR", "LD_LIBRARY_PATH"}

// environment pins what identifies the builder, the place and the moment, so
// that the same inputs give the same image, here and elsewhere.
func environment(work string) []string {
	return []string{
		"LC_ALL=C", "XEN_CONFIG_EXPERT=y", "MAKEFLAGS=", "MFLAGS=", "MAKELEVEL=",
		"SOURCE_DATE_EPOCH=0", "XEN_BUILD_DATE=reproducible", "XEN_BUILD_TIME=00:00:00",
		"XEN_BUILD_HOST=xsmbench", "XEN_WHOAMI=xsmbench", "XEN_DOMAIN=xsmbench",
		// DWARF names the directory of a build. Where variables are is not read here,
		// but GCC's -fno-var-tracking, which saves a tenth of its time, leaves half of
		// the inlined functions without an entry point, by which hooks are counted.
		"CFLAGS=-ffile-prefix-map=" + work + "=.",
		"PYTHON=" + python(),
	}
}
