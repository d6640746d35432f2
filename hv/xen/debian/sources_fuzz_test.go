package debian

import (
	"path/filepath"
	"strings"
	"testing"
)

// FuzzReadStanzas reads any text as deb822: what is written of it has lines of
// the four fields that apt asks for, and nothing that a value could add.
func FuzzReadStanzas(f *testing.F) {
	f.Add("Types: deb\nURIs: http://a.example/d\nSuites: stable\nComponents: main\n")
	f.Add("types: deb deb-src\nuris: http://a.example\nsuites: a\n b\ncomponents: main\nsigned-by:\n /usr/share/debian.gpg\n\n# x\n : y\n")
	f.Add(" continued\nx\n\n\n:\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "x.sources")
		write(t, path, text)
		stanzas, err := readStanzas(path)
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		for _, s := range stanzas {
			var out strings.Builder
			if !s.isDebian() {
				continue
			}
			s.write(&out, Binary)
			s.ofRelease("trixie").write(&out, Source)
			for line := range strings.Lines(out.String()) {
				name, _, _ := strings.Cut(line, ":")
				switch name {
				case "Types", "URIs", "Suites", "Components", "Signed-By", "\n":
				default:
					t.Errorf("a line %q was written of %q", line, text)
				}
			}
		}
	})
}
