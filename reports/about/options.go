package about

import (
	"fmt"
	"slices"
	"strings"
)

// option is NAME=VALUE of a configuration.
type option struct{ name, value string }

// options splits a configuration that has a source and options after Kconfig:
// "source=4.17 64BIT=y CMDLINE="a b"". It reports false for any other.
func options(config string) (source string, all []option, ok bool) {
	for i, word := range words(config) {
		name, value, found := strings.Cut(word, "=")
		if !found || name == "" {
			return "", nil, false
		}
		if i == 0 {
			if name != "source" {
				return "", nil, false
			}
			source = value
			continue
		}
		all = append(all, option{name, value})
	}
	return source, all, len(all) > 0
}

// words splits at spaces that stand in no quotes.
func words(text string) []string {
	quoted, escaped := false, false
	return strings.FieldsFunc(text, func(r rune) bool {
		switch {
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\n')
	})
}

// shorten gives each build's configuration in a few words: the first build's
// source and how much it sets, and of every other what differs from it.
// Configurations that are no list of options stay as they are.
func shorten(builds []Build) {
	for i := range builds {
		b := &builds[i]
		b.Short = b.Config
		source, set, ok := options(b.Config)
		if !ok {
			continue
		}
		first := slices.IndexFunc(builds, func(o Build) bool { return o.Arch == b.Arch })
		baseSource, baseSet, ok := options(builds[first].Config)
		if first == i || !ok {
			b.Short = own(source, set)
			continue
		}
		b.Short = fmt.Sprintf("that of %s", builds[first].Name)
		if d := difference(baseSet, set); d != "" {
			b.Short += " but " + d
		}
		if source != baseSource {
			b.Short = "source=" + source + ", else " + b.Short
		}
	}
}

// own is a configuration by itself.
func own(source string, set []option) string {
	xsm := "XSM not set"
	var of []string
	for _, o := range set {
		if o.name == "XSM" || strings.HasPrefix(o.name, "XSM_") {
			of = append(of, o.name+"="+o.value)
		}
	}
	if of != nil {
		xsm = strings.Join(of, " ")
	}
	return fmt.Sprintf("source=%s, %d options set, %s", source, len(set), xsm)
}

// difference lists what b sets otherwise than a, and as -NAME what only a sets.
func difference(a, b []option) string {
	var all []string
	for _, o := range b {
		if !slices.Contains(a, o) {
			all = append(all, o.name+"="+o.value)
		}
	}
	for _, o := range a {
		if !slices.ContainsFunc(b, func(p option) bool { return p.name == o.name }) {
			all = append(all, "-"+o.name)
		}
	}
	return strings.Join(all, " ")
}
