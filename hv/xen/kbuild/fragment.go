// Package kbuild configures and builds a hypervisor from a source tree of Xen:
// Kconfig fragments completed by "make olddefconfig", then "make" in a copy of
// the tree. Products are kept in a cache under the hash of everything that
// decides them: source, configuration and compiler.
package kbuild

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"strings"
)

// Common is in every build's configuration: CONFIG_EXPERT opens the options
// below, and CET is off because QEMU's processors do not have it. Debugging, the
// default between releases, has Xen execute other code than what is released. A
// user's fragment may set all of them otherwise.
const Common = `CONFIG_EXPERT=y
# CONFIG_DEBUG is not set
# CONFIG_XEN_SHSTK is not set
# CONFIG_XEN_IBT is not set
`

// Config is a Kconfig configuration: option to value, "n" for one that is not
// set.
type Config map[string]string

// ReadFragment reads a Kconfig fragment of the user's.
func ReadFragment(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read Kconfig fragment: %w", err)
	}
	if _, err := ParseConfig(string(data)); err != nil {
		return "", fmt.Errorf("read Kconfig fragment %s:%w", path, err)
	}
	return string(data), nil
}

// ParseConfig reads a .config file or a fragment of one. An error begins with
// the line's number.
func ParseConfig(text string) (Config, error) {
	c := Config{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if name, ok := strings.CutSuffix(line, " is not set"); ok && strings.HasPrefix(name, "# CONFIG_") {
			c[strings.TrimPrefix(name, "# ")] = "n"
			continue
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || !strings.HasPrefix(name, "CONFIG_") {
			return nil, fmt.Errorf("%d: %q is neither CONFIG_NAME=value nor \"# CONFIG_NAME is not set\"", n, line)
		}
		c[name] = value
	}
	return c, lines.Err()
}

// Missing lists the options of want that the finished configuration does not
// have as asked: Kconfig drops silently what its dependencies forbid.
func (c Config) Missing(want Config) []string {
	var missing []string
	for name, value := range want {
		if got := c.value(name); got != value {
			missing = append(missing, fmt.Sprintf("%s=%s (is %s)", name, value, got))
		}
	}
	sort.Strings(missing)
	return missing
}

// Diff lists the options in which c differs from base, as "NAME: base -> c".
func (c Config) Diff(base Config) []string {
	names := map[string]bool{}
	for n := range c {
		names[n] = true
	}
	for n := range base {
		names[n] = true
	}
	var diff []string
	for n := range names {
		if a, b := base.value(n), c.value(n); a != b {
			diff = append(diff, fmt.Sprintf("%s: %s -> %s", n, a, b))
		}
	}
	sort.Strings(diff)
	return diff
}

// value is an option's value; an option that is absent is not set.
func (c Config) value(name string) string {
	if v, ok := c[name]; ok {
		return v
	}
	return "n"
}
