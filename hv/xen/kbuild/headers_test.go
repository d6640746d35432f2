package kbuild

import (
	"strings"
	"testing"
)

// Builds of one source that differ in their configuration make the
// compatibility headers once; another source has its own.
func TestSharedHeaders(t *testing.T) {
	f := realTools(t)
	s, dir := openStore(t), t.TempDir()
	files(t, dir, miniature(t))
	made := func(fragment string) int {
		t.Helper()
		before := len(f.Lines("preprocessed"))
		text, _ := build(t, s, Spec{What: "a miniature", Tree: opened(t, dir), Fragments: []string{fragment}}, silent)
		n := len(f.Lines("preprocessed")) - before
		clean, _ := build(t, openStore(t), Spec{What: "a miniature", Tree: opened(t, dir), Fragments: []string{fragment}, Clean: true}, silent)
		if text != clean {
			t.Errorf("%q: not what a clean build makes", fragment)
		}
		return n
	}
	if n := made(""); n != 2 {
		t.Fatalf("the first build preprocessed %d headers", n)
	}
	if n := made("CONFIG_EXTRA=y\n"); n != 0 {
		t.Errorf("another configuration preprocessed %d headers again", n)
	}
	files(t, dir, map[string]string{"xen/include/public/types.h": "typedef unsigned long abi_number_t;\n"})
	if n := made("CONFIG_EXTRA=y\nCONFIG_FAST=n\n"); n != 2 {
		t.Errorf("another source preprocessed %d headers", n)
	}
}

// Makefiles that have no such headers, or that fail at them, build as they do
// without xsmbench, and fail with their own error.
func TestHeadersFail(t *testing.T) {
	realTools(t)
	dir := t.TempDir()
	files(t, dir, miniature(t))
	makefile := read(t, dir+"/xen/Makefile")
	files(t, dir, map[string]string{"xen/Makefile": strings.Replace(makefile, "build := -f Makefile folder", "", 1)})
	if text, _ := build(t, openStore(t), Spec{What: "a miniature", Tree: opened(t, dir)}, silent); text == "" {
		t.Error("no image")
	}
	files(t, dir, map[string]string{"xen/Makefile": makefile, "xen/include/public/types.h": "#error not today\n"})
	_, err := Build(t.Context(), openStore(t), Spec{What: "a miniature", Tree: opened(t, dir)}, silent)
	if err == nil || !strings.Contains(err.Error(), "not today") {
		t.Errorf("error %v", err)
	}
}
