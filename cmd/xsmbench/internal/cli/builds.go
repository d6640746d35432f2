package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"xsmbench/hv"
	"xsmbench/results"
)

// cutBuild separates the name from KIND[@REV] or KIND[@DIR].
func cutBuild(word string) (name, rest string) {
	if name, rest, ok := strings.Cut(word, "="); ok {
		return name, rest
	}
	kind, from, ok := strings.Cut(word, "@")
	if !ok {
		return kind, kind
	}
	if dir, err := sourceDir(from); err == nil && dir != "" {
		from = filepath.Base(dir)
	}
	return kind + "-" + strings.Trim(unplain.ReplaceAllString(from, "-"), "-"), word
}

// unplain is what a revision may have and a build's name may not.
var unplain = regexp.MustCompile(`[^A-Za-z0-9._+]+`)

// sourceDir is the full name of the source tree that stands behind an @, "" if
// it is a revision: a directory has a separator in its name, or is . or .., and
// exists. What no revision looks like must exist.
func sourceDir(from string) (string, error) {
	dots := from == "." || from == ".."
	if !dots && !strings.ContainsRune(from, filepath.Separator) {
		return "", nil
	}
	dir, err := filepath.Abs(from)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		return dir, nil
	case filepath.IsAbs(from), strings.HasPrefix(from, "./"), strings.HasPrefix(from, "../"):
		return "", fmt.Errorf("no directory %s", from)
	}
	return "", nil
}

// parseBuild reads NAME[=KIND][@REV] or NAME[=KIND]@DIR.
func parseBuild(word string) (hv.Build, error) {
	name, rest := cutBuild(strings.TrimSpace(word))
	kind, from, at := strings.Cut(rest, "@")
	if at && from == "" {
		return hv.Build{}, fmt.Errorf("--builds %s: no revision or directory after @", word)
	}
	if err := results.CheckName(name); err != nil {
		return hv.Build{}, fmt.Errorf("--builds %s: %w", word, err)
	}
	dir, err := sourceDir(from)
	if err != nil {
		return hv.Build{}, fmt.Errorf("--builds %s: %w", word, err)
	}
	b := hv.Build{Name: name, Source: dir}
	if dir == "" {
		b.Rev = from
	}
	if kind != name {
		b.Kind = kind
	}
	return b, nil
}
