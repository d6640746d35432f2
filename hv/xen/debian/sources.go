package debian

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// errNoSources is the cause when a machine's apt configuration has no entry
// of Debian's own.
var errNoSources = errors.New("no Debian package sources are configured on this machine")

// debianKeys are Debian's own, of all releases that it supports (package
// debian-archive-keyring), by the names that the file has had.
var debianKeys = []string{"/usr/share/keyrings/debian-archive-keyring.pgp", "/usr/share/keyrings/debian-archive-keyring.gpg"}

// keys are those of debianKeys that are there; without any, apt looks among
// those that it trusts for everything.
func keys() string {
	for _, path := range debianKeys {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// sources returns deb822 stanzas of the given kind for the machine's archives, or
// for the release and the archive that are asked for. Archives other than
// Debian's own are left out: those signed with a key that is not Debian's. So is
// the security pocket for source packages: it announces versions whose source is
// not always there.
func (m Machine) sources(kind Kind) (string, error) {
	if err := CheckRelease(m.Release); err != nil {
		return "", err
	}
	if err := CheckArchive(m.Archive); err != nil {
		return "", err
	}
	all, err := configured(m.etc())
	if err != nil {
		return "", err
	}
	all = slices.DeleteFunc(all, func(s stanza) bool { return !s.isDebian() })
	if m.Archive != "" {
		s, err := m.named(all)
		if err != nil {
			return "", err
		}
		all = []stanza{s}
	}
	var out strings.Builder
	for _, s := range all {
		if m.Release != "" {
			s = s.ofRelease(m.Release)
		}
		s.write(&out, kind)
	}
	if out.Len() == 0 {
		return "", errNoSources
	}
	return out.String(), nil
}

// CheckRelease refuses what cannot be a release's name ("" is the machine's).
func CheckRelease(name string) error {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "" {
		return fmt.Errorf("%q is not the code name of a Debian release, such as bookworm or trixie", name)
	}
	return nil
}

// CheckArchive refuses what cannot be an archive's URL ("" is the machine's).
func CheckArchive(address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" || u.Path == "" || strings.ContainsFunc(address, unicode.IsSpace) {
		return fmt.Errorf("%q is not the URL of a package archive, such as http://mirror.example/debian", address)
	}
	return nil
}

// named is the stanza of the archive that is asked for: the release alone, since
// a mirror need not have its updates, signed as the machine's archives are.
func (m Machine) named(machine []stanza) (stanza, error) {
	s := stanza{"types": "deb", "uris": m.Archive, "suites": m.Release, "components": "main", "signed-by": keys()}
	for _, other := range machine {
		if s["suites"] == "" {
			s["suites"] = other.release()
		}
		if key := other["signed-by"]; key != "" {
			s["signed-by"] = key
			break
		}
	}
	if s["suites"] == "" {
		return nil, fmt.Errorf("archive %s: name the Debian release to take of it: %w", m.Archive, errNoSources)
	}
	return s, nil
}

// configured reads all package sources that are configured below etc.
func configured(etc string) ([]stanza, error) {
	var all []stanza
	styled, _ := filepath.Glob(filepath.Join(etc, "sources.list.d", "*.sources"))
	for _, path := range styled {
		stanzas, err := readStanzas(path)
		if err != nil {
			return nil, err
		}
		all = append(all, stanzas...)
	}
	listed, _ := filepath.Glob(filepath.Join(etc, "sources.list.d", "*.list"))
	for _, path := range append([]string{filepath.Join(etc, "sources.list")}, listed...) {
		stanzas, err := readOneLine(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, stanzas...)
	}
	return all, nil
}

// stanza is one entry of deb822 format, by lower-case field name.
type stanza map[string]string

// isDebian tells whether the stanza is in force, and of an archive of Debian's.
func (s stanza) isDebian() bool {
	types := strings.Fields(s["types"])
	switch key := s["signed-by"]; {
	case s["enabled"] == "no", s["suites"] == "", s["uris"] == "", s["components"] == "":
		return false
	case !slices.Contains(types, "deb") && !slices.Contains(types, "deb-src"):
		return false
	default:
		return key == "" || strings.Contains(filepath.Base(key), "debian")
	}
}

// pockets are the parts of a release beside its main one that packages are taken
// from, by the ends of their suites' names.
var pockets = []string{"", "-updates", "-security"}

// release is the first release that the stanza names a suite of, "" for none.
func (s stanza) release() string {
	for _, suite := range strings.Fields(s["suites"]) {
		name, _, _ := strings.Cut(suite, "-")
		if CheckRelease(name) == nil {
			return name
		}
	}
	return ""
}

// rolling are releases without pockets.
var rolling = []string{"sid", "unstable"}

// ofRelease is the stanza with the same pockets of another release; others than
// pockets are left out.
func (s stanza) ofRelease(release string) stanza {
	var suites []string
	for _, suite := range strings.Fields(s["suites"]) {
		name, _, _ := strings.Cut(suite, "-")
		pocket := strings.TrimPrefix(suite, name)
		switch {
		case CheckRelease(name) != nil, !slices.Contains(pockets, pocket), pocket != "" && slices.Contains(rolling, release):
		case !slices.Contains(suites, release+pocket):
			suites = append(suites, release+pocket)
		}
	}
	other := maps.Clone(s)
	other["suites"] = strings.Join(suites, " ")
	return other
}

// write appends the stanza as one of the given kind, if that has any suite.
func (s stanza) write(out *strings.Builder, kind Kind) {
	var suites []string
	for _, suite := range strings.Fields(s["suites"]) {
		if kind == Binary || !strings.Contains(suite, "security") {
			suites = append(suites, suite)
		}
	}
	if suites == nil {
		return
	}
	fmt.Fprintf(out, "Types: %s\nURIs: %s\nSuites: %s\nComponents: %s\n", kind, s["uris"], strings.Join(suites, " "), s["components"])
	if key := s["signed-by"]; key != "" {
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
