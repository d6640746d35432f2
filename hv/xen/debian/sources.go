package debian

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// errNoSources is the cause when a machine's apt configuration has no entry
// of Debian's own.
var errNoSources = errors.New("no Debian package sources are configured on this machine")

// machineSources reads the package sources configured below etc and returns
// deb822 stanzas of the given type, "deb" or "deb-src", for the same archives.
// Archives other than Debian's own are left out: those signed with a key that
// is not Debian's. So is the security pocket for source packages: it announces
// versions whose source is not always there.
func machineSources(etc, typ string) (string, error) {
	var out strings.Builder
	styled, _ := filepath.Glob(filepath.Join(etc, "sources.list.d", "*.sources"))
	for _, path := range styled {
		stanzas, err := readStanzas(path)
		if err != nil {
			return "", err
		}
		for _, s := range stanzas {
			s.write(&out, typ)
		}
	}
	listed, _ := filepath.Glob(filepath.Join(etc, "sources.list.d", "*.list"))
	for _, path := range append([]string{filepath.Join(etc, "sources.list")}, listed...) {
		stanzas, err := readOneLine(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		for _, s := range stanzas {
			s.write(&out, typ)
		}
	}
	if out.Len() == 0 {
		return "", errNoSources
	}
	return out.String(), nil
}

// stanza is one entry of deb822 format, by lower-case field name.
type stanza map[string]string

// write appends the stanza as one of the given type, if it is Debian's.
func (s stanza) write(out *strings.Builder, typ string) {
	var suites []string
	for _, suite := range strings.Fields(s["suites"]) {
		if typ == "deb" || !strings.Contains(suite, "security") {
			suites = append(suites, suite)
		}
	}
	types := strings.Fields(s["types"])
	key := s["signed-by"]
	switch {
	case s["enabled"] == "no", len(suites) == 0, s["uris"] == "", s["components"] == "":
		return
	case !slices.Contains(types, "deb") && !slices.Contains(types, "deb-src"):
		return
	case key != "" && !strings.Contains(filepath.Base(key), "debian"):
		return
	}
	fmt.Fprintf(out, "Types: %s\nURIs: %s\nSuites: %s\nComponents: %s\n", typ, s["uris"], strings.Join(suites, " "), s["components"])
	if key != "" {
		fmt.Fprintf(out, "Signed-By: %s\n", key)
	}
	out.WriteByte('\n')
}

// readStanzas reads a file in deb822 format.
func readStanzas(path string) ([]stanza, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read package sources: %w", err)
	}
	defer f.Close()
	var stanzas []stanza
	current, field := stanza{}, ""
	flush := func() {
		if len(current) > 0 {
			stanzas = append(stanzas, current)
		}
		current, field = stanza{}, ""
	}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.TrimSpace(line) == "":
			flush()
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, " "), strings.HasPrefix(line, "\t"):
			if field != "" {
				current[field] += " " + strings.TrimSpace(line)
			}
		default:
			name, value, _ := strings.Cut(line, ":")
			field = strings.ToLower(name)
			current[field] = strings.TrimSpace(value)
		}
	}
	flush()
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read package sources %s: %w", path, err)
	}
	return stanzas, nil
}

// readOneLine reads a file of "deb [options] uri suite components…" lines.
func readOneLine(path string) ([]stanza, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read package sources: %w", err)
	}
	var stanzas []stanza
	for line := range strings.Lines(string(data)) {
		if s, ok := parseOneLine(line); ok {
			stanzas = append(stanzas, s)
		}
	}
	return stanzas, nil
}

func parseOneLine(line string) (stanza, bool) {
	line, _, _ = strings.Cut(line, "#")
	s := stanza{}
	if before, rest, ok := strings.Cut(line, "["); ok {
		options, after, closed := strings.Cut(rest, "]")
		if !closed {
			return nil, false
		}
		for _, o := range strings.Fields(options) {
			if name, value, ok := strings.Cut(o, "="); ok {
				s[strings.ToLower(name)] = value
			}
		}
		line = before + after
	}
	words := strings.Fields(line)
	if len(words) < 4 || (words[0] != "deb" && words[0] != "deb-src") {
		return nil, false
	}
	s["types"], s["uris"], s["suites"] = words[0], words[1], words[2]
	s["components"] = strings.Join(words[3:], " ")
	return s, true
}
