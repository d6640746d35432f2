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
	tests := []struct {
		name string
		kind Kind
		want string
	}{
		{"source", Source, `Types: deb-src
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
		{"binary", Binary, `Types: deb
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
			got, err := Machine{Etc: etc}.sources(tt.kind)
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
	if _, err := (Machine{Etc: t.TempDir()}).sources(Binary); err != errNoSources {
		t.Errorf("error %v, want %v", err, errNoSources)
	}
}

// Sources of another release are at the same archives, and those of an archive
// are one.
func TestSourcesAsked(t *testing.T) {
	const bookworm = `Types: deb
URIs: http://archive.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main
Signed-By: /k/debian.gpg

Types: deb
URIs: http://archive.example/security
Suites: bookworm-security
Components: main
Signed-By: /k/debian.gpg
`
	const foreign = "Types: deb\nURIs: http://archive.example/ubuntu\nSuites: noble\nComponents: main\nSigned-By: /k/ubuntu.gpg\n"
	tests := []struct {
		name, configured string
		machine          Machine
		kind             Kind
		want             string // suites by archive
		err              string
	}{
		{"the machine's", bookworm, Machine{}, Binary, "debian: bookworm bookworm-updates bookworm-backports; security: bookworm-security", ""},
		{"another release", bookworm, Machine{Release: "trixie"}, Binary, "debian: trixie trixie-updates; security: trixie-security", ""},
		{"its sources", bookworm, Machine{Release: "trixie"}, Source, "debian: trixie trixie-updates", ""},
		{"a rolling release", bookworm, Machine{Release: "sid"}, Binary, "debian: sid", ""},
		{"an archive", bookworm, Machine{Archive: "http://mirror.example/d"}, Binary, "d: bookworm", ""},
		{"an archive and a release", bookworm, Machine{Archive: "http://mirror.example/d", Release: "trixie"}, Source, "d: trixie", ""},
		{"no Debian machine", foreign, Machine{Release: "trixie"}, Binary, "", errNoSources.Error()},
		{"an archive on it", foreign, Machine{Archive: "file:///srv/d"}, Binary, "", "archive file:///srv/d: name the Debian release"},
		{"and a release", foreign, Machine{Archive: "file:///srv/d", Release: "trixie"}, Binary, "d: trixie", ""},
		{"no release", bookworm, Machine{Release: "trixie main\nURIs: x"}, Binary, "", "is not the code name of a Debian release"},
		{"no archive", bookworm, Machine{Archive: "mirror.example"}, Binary, "", "is not the URL of a package archive"},
		{"two words", bookworm, Machine{Archive: "http://a.example/x y"}, Binary, "", "is not the URL of a package archive"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.machine.Etc = t.TempDir()
			write(t, filepath.Join(tt.machine.Etc, "sources.list.d", "all.sources"), tt.configured)
			got, err := tt.machine.sources(tt.kind)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Fatalf("error %v, want %q", err, tt.err)
			}
			if d := cmp.Diff(tt.want, suitesOf(got)); d != "" {
				t.Error(d, got)
			}
		})
	}
}

// suitesOf lists stanzas' suites by the last part of the archive's URL.
func suitesOf(stanzas string) string {
	var all []string
	name := ""
	for line := range strings.Lines(stanzas) {
		field, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch field {
		case "URIs":
			name = value[strings.LastIndex(value, "/")+1:]
		case "Suites":
			all = append(all, name+": "+value)
		}
	}
	return strings.Join(all, "; ")
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
