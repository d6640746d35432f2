package kbuild

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
