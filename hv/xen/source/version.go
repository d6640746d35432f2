package source

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// versionLines are those of xen/Makefile that number a release.
var (
	majorLine = regexp.MustCompile(`(?m)^(?:export )?XEN_VERSION\s*:?=\s*(\d+)\s*$`)
	minorLine = regexp.MustCompile(`(?m)^(?:export )?XEN_SUBVERSION\s*:?=\s*(\d+)\s*$`)
)

// XenVersion is the version of Xen that the tree is of, or is to become: "4.17".
func (t *Tree) XenVersion() (string, error) {
	text, err := os.ReadFile(filepath.Join(t.Dir, "xen", "Makefile"))
	if err != nil {
		return "", fmt.Errorf("find out the tree's version: %w", err)
	}
	major, minor := majorLine.FindSubmatch(text), minorLine.FindSubmatch(text)
	if major == nil || minor == nil {
		return "", fmt.Errorf("find out the tree's version: %s sets no XEN_VERSION and XEN_SUBVERSION", filepath.Join(t.Dir, "xen", "Makefile"))
	}
	return fmt.Sprintf("%s.%s", major[1], minor[1]), nil
}
