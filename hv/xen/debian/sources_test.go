package debian

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMachineSources(t *testing.T) {
	const styled = `# Debian
Types: deb
URIs: http://archive.example/debian
Suites: stable stable-updates stable-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://other.example/x
Suites: any
Components: main
Signed-By: /usr/share/keyrings/other.gpg

Types: deb
Enabled: no
URIs: http://archive.example/off
Suites: stable
Components: main
`
	const oneLine = "# comment\ndeb [arch=amd64 signed-by=/k/debian.gpg] http://archive.example/d stable main contrib # tail\ndeb http://broken.example\n"
	tests := []struct{ name, typ, want string }{
		{"source", "deb-src", `Types: deb-src
URIs: http://archive.example/debian
Suites: stable stable-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://archive.example/d
Suites: stable
Components: main contrib
Signed-By: /k/debian.gpg

`},
		{"binary", "deb", `Types: deb
URIs: http://archive.example/debian
Suites: stable stable-updates stable-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://archive.example/d
Suites: stable
Components: main contrib
Signed-By: /k/debian.gpg

`},
	}
	etc := t.TempDir()
	write(t, filepath.Join(etc, "sources.list.d", "debian.sources"), styled)
	write(t, filepath.Join(etc, "sources.list"), oneLine)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := machineSources(etc, tt.typ)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestNoMachineSources(t *testing.T) {
	if _, err := machineSources(t.TempDir(), "deb"); err != errNoSources {
		t.Errorf("error %v, want %v", err, errNoSources)
	}
}

func TestErrorLine(t *testing.T) {
	out := "W: unsigned\nE: Unable to locate package nosuch\nbye\n"
	if got := errorLine(out); !strings.Contains(got, "nosuch") {
		t.Errorf("errorLine = %q", got)
	}
}

func FuzzParseOneLine(f *testing.F) {
	f.Add("deb [arch=amd64] http://a.example/d stable main")
	f.Add("deb [ http://a.example")
	f.Fuzz(func(t *testing.T, line string) {
		if s, ok := parseOneLine(line); ok && (s["uris"] == "" || s["components"] == "") {
			t.Errorf("%q was taken without an archive or components: %v", line, s)
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
