package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/git"
	"xsmbench/results"
)

// builder reads the words of --builds.
type builder struct {
	source string // of --source
	// describe names a revision as git describe does, "" if it cannot.
	describe func(rev string) string
}

// cut separates the name from KIND[:DISPATCH][@REV] or KIND[:DISPATCH][@DIR].
func (b builder) cut(word string) (name, rest string) {
	if name, rest, ok := strings.Cut(word, "="); ok {
		return name, rest
	}
	kind, from, ok := strings.Cut(word, "@")
	name = kind
	if dir, err := moduleDir(kind); err == nil && dir != "" {
		name = filepath.Base(dir)
	}
	name = strings.ReplaceAll(name, ":", "-")
	if !ok {
		return name, word
	}
	return name + "-" + strings.Trim(unplain.ReplaceAllString(b.called(from), "-"), "-"), word
}

// called is what stands behind an @ in a build's name. Operators of a revision,
// as in main^ and main~3, have no place there: without them it would be main's.
func (b builder) called(from string) string {
	if dir, err := b.sourceDir(from); err == nil && dir != "" {
		return filepath.Base(dir)
	}
	if strings.ContainsAny(from, "^~:@{") {
		return cmp.Or(b.describe(from), from)
	}
	return from
}

// unplain is what a revision may have and a build's name may not.
var unplain = regexp.MustCompile(`[^A-Za-z0-9._+]+`)

// describeIn names revisions of the repository around a directory.
func describeIn(dir string) func(rev string) string {
	return func(rev string) string {
		commit, err := git.Commit(context.Background(), cmp.Or(dir, "."), rev)
		if err != nil {
			return "" // what is wrong with it is said when it is to be built
		}
		name, _ := git.Describe(context.Background(), cmp.Or(dir, "."), commit)
		return name
	}
}

// sourceDir is the full name of the source tree that stands behind an @, "" if
// it is a revision: a directory has a separator in its name, or is . or .., and
// exists. What no revision looks like must exist. The dot alone is the tree that
// --source names.
func (b builder) sourceDir(from string) (string, error) {
	if from == "." && b.source != "" {
		from = b.source
		if !filepath.IsAbs(from) {
			from = "." + string(filepath.Separator) + from
		}
	}
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

// moduleDir is the full name of the folder that stands in a kind's place, that of a
// module; "" if it is a kind. A folder has a separator in its name, or is . or ...
func moduleDir(kind string) (string, error) {
	if kind != "." && kind != ".." && !strings.ContainsRune(kind, filepath.Separator) {
		return "", nil
	}
	dir, err := filepath.Abs(kind)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("no directory %s", kind)
	}
	return dir, nil
}

// parse reads NAME[=KIND][:DISPATCH][@REV] or NAME[=KIND][:DISPATCH]@DIR.
func (p builder) parse(word string) (hv.Build, error) {
	name, rest := p.cut(strings.TrimSpace(word))
	kind, from, at := strings.Cut(rest, "@")
	if at && from == "" {
		return hv.Build{}, fmt.Errorf("--builds %s: no revision or directory after @", word)
	}
	kind, dispatch, chosen := strings.Cut(kind, ":")
	if chosen && dispatch == "" {
		return hv.Build{}, fmt.Errorf("--builds %s: no dispatch after the colon", word)
	}
	module, err := moduleDir(kind)
	if err != nil {
		return hv.Build{}, fmt.Errorf("--builds %s: %w", word, err)
	}
	if module != "" {
		kind = filepath.Base(module)
	}
	if err := results.CheckName(name); err != nil {
		return hv.Build{}, fmt.Errorf("--builds %s: %w", word, err)
	}
	dir, err := p.sourceDir(from)
	if err != nil {
		return hv.Build{}, fmt.Errorf("--builds %s: %w", word, err)
	}
	b := hv.Build{Name: name, Dispatch: dispatch, Source: dir, Module: module}
	if dir == "" {
		b.Rev = from
	}
	if kind != name {
		b.Kind = kind
	}
	return b, nil
}

// ofBuilds takes the words of a flag that is for all builds, or written BUILD=VALUE
// for one. A build's is set in the field of it, that for all returned; of several the
// last counts.
func ofBuilds(flag string, words []string, builds []hv.Build, field func(*hv.Build) *string) (all string, err error) {
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		i := slices.IndexFunc(builds, func(b hv.Build) bool { return b.Name == name })
		switch {
		case ok && i >= 0 && value == "":
			return "", fmt.Errorf("--%s %s: nothing follows the =", flag, word)
		case ok && i >= 0:
			*field(&builds[i]) = value
		case ok && !unplain.MatchString(name) && !exists(word):
			return "", fmt.Errorf("--%s %s: there is no build %q%s", flag, word, name, suggest(name, buildNames(builds)))
		default:
			all = word
		}
	}
	return all, nil
}

// options takes the words of --xen-option: NAME=VALUE for all builds, which are
// returned, and BUILD=NAME=VALUE for one. An option may have the name of a build, as
// flask has: it is the second = that tells.
func options(words []string, builds []hv.Build) (all []string, err error) {
	for _, word := range words {
		if err := hv.CheckOption(word); err != nil {
			return nil, fmt.Errorf("--xen-option: %w", err)
		}
		name, option, _ := strings.Cut(word, "=")
		i := slices.IndexFunc(builds, func(b hv.Build) bool { return b.Name == name })
		if i < 0 || !strings.Contains(option, "=") {
			all = append(all, word)
			continue
		}
		builds[i].Options = append(builds[i].Options, option)
	}
	return all, nil
}

func buildNames(builds []hv.Build) []string {
	var names []string
	for _, b := range builds {
		names = append(names, b.Name)
	}
	return names
}
