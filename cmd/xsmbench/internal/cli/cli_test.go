package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv"
	"xsmbench/hv/hvtest"
)

var update = flag.Bool("update", false, "write docs/command-line.md anew")

// TestReference compares what docs/command-line.md says below its marker
// with the commands and flags that there are.
func TestReference(t *testing.T) {
	const path = "../../../../docs/command-line.md"
	const marker = "<!-- The rest is written by: go test ./cli -update -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	prose, got, ok := strings.Cut(string(text), marker)
	if !ok {
		t.Fatalf("%s: no line %q", path, marker)
	}
	var want bytes.Buffer
	want.WriteString("\n")
	if err := WriteReference(&want); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, []byte(prose+marker+want.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want.String(), got); diff != "" {
		t.Errorf("%s is stale; run go test ./cli -update (-want +got):\n%s", path, diff)
	}
}

func TestParseBuild(t *testing.T) {
	target := &hvtest.Target{}
	dir := t.TempDir()
	t.Chdir(dir)
	for _, sub := range []string{"xen-new", "trees/old", "topic"} {
		if err := os.MkdirAll(sub, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("trees/file", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		word string
		want hv.Build
		err  string
	}{
		{"native", hv.Build{Name: "native"}, ""},
		{"mine=flask", hv.Build{Name: "mine", Kind: "flask"}, ""},
		{"v1=flask@v1.0", hv.Build{Name: "v1", Kind: "flask", Rev: "v1.0"}, ""},
		{"flask=flask", hv.Build{Name: "flask"}, ""},
		{"flask@HEAD~2", hv.Build{Name: "flask-HEAD-2", Kind: "flask", Rev: "HEAD~2"}, ""},
		{"flask@topic/x@{1}", hv.Build{Name: "flask-topic-x-1", Kind: "flask", Rev: "topic/x@{1}"}, ""},
		{"new=flask@./xen-new", hv.Build{Name: "new", Kind: "flask", Source: dir + "/xen-new"}, ""},
		{"new=flask@" + dir + "/xen-new/", hv.Build{Name: "new", Kind: "flask", Source: dir + "/xen-new"}, ""},
		{"old=flask@trees/old", hv.Build{Name: "old", Kind: "flask", Source: dir + "/trees/old"}, ""},
		{"flask@trees/old", hv.Build{Name: "flask-old", Kind: "flask", Source: dir + "/trees/old"}, ""},
		{"flask@.", hv.Build{Name: "flask-" + filepath.Base(dir), Kind: "flask", Source: dir}, ""},
		{"up=flask@..", hv.Build{Name: "up", Kind: "flask", Source: filepath.Dir(dir)}, ""},
		{"flask=flask@./topic", hv.Build{Name: "flask", Source: dir + "/topic"}, ""},
		// Names that revisions may have as well: a branch, and what is no directory.
		{"flask@topic", hv.Build{Name: "flask-topic", Kind: "flask", Rev: "topic"}, ""},
		{"f=flask@trees/file", hv.Build{Name: "f", Kind: "flask", Rev: "trees/file"}, ""},
		{"f=flask@trees/none", hv.Build{Name: "f", Kind: "flask", Rev: "trees/none"}, ""},
		{"f=flask@./none", hv.Build{}, "--builds f=flask@./none: no directory ./none"},
		{"f=flask@/no/where", hv.Build{}, "no directory /no/where"},
		{"flask@", hv.Build{}, "no revision or directory after @"},
		{"", hv.Build{}, "use letters"},
		{"a/b=flask", hv.Build{}, "use letters"},
		{"mine=falsk", hv.Build{}, `unknown build "falsk" of target fake (did you mean "flask"?)`},
	} {
		got, _, err := parseBuild(c.word, target)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: error %v, want %q", c.word, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.word, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.word, diff)
		}
	}
}

// TestBuilds: what holds for all builds, and what a build has of its own.
func TestBuilds(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, sub := range []string{"user", "other"} {
		if err := os.Mkdir(sub, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"a.config", "b,c.config", "own.pol"} {
		if err := os.WriteFile(file, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	flags := buildFlags{
		builds: []string{"native", "v1=flask@R1", "v2=flask@R2", "other=flask@./other"},
		source: "user", rev: "R0", policy: "own.pol", kconfig: []string{"a.config", "b,c.config"},
	}
	plain := func(b hv.Build) hv.Build { b.Arch = "amd64"; return b }
	user, other, pol := dir+"/user", dir+"/other", dir+"/own.pol"
	fragments := []string{dir + "/a.config", dir + "/b,c.config"}
	want := []hv.Build{
		plain(hv.Build{Name: "native", Source: user, Rev: "R0", Kconfig: fragments}),
		plain(hv.Build{Name: "v1", Kind: "flask", Source: user, Rev: "R1", Kconfig: fragments, Policy: pol}),
		plain(hv.Build{Name: "v2", Kind: "flask", Source: user, Rev: "R2", Kconfig: fragments, Policy: pol}),
		plain(hv.Build{Name: "other", Kind: "flask", Source: other, Kconfig: fragments, Policy: pol}),
	}
	got, err := flags.parse(&hvtest.Counting{}, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := flags.parse(&hvtest.Target{}, "amd64"); err == nil || !strings.Contains(err.Error(), "takes Kconfig settings") {
		t.Errorf("error %v", err)
	}
}

func FuzzParseBuild(f *testing.F) {
	for _, s := range []string{"native", "v1=flask@v1.0", "flask@HEAD~2", "=@", "a=b=c@d@e"} {
		f.Add(s)
	}
	target := &hvtest.Target{}
	f.Fuzz(func(t *testing.T, word string) {
		b, k, err := parseBuild(word, target)
		if err == nil && (b.Name == "" || b.KindOf() != k.Name) {
			t.Errorf("%q: build %+v of kind %q", word, b, k.Name)
		}
	})
}

func TestSuggest(t *testing.T) {
	known := []string{"native", "dummy", "flask"}
	for word, want := range map[string]string{
		"nativ": `(did you mean "native"?)`,
		"Dummy": `(did you mean "dummy"?)`,
		"lfask": `(did you mean "flask"?)`,
		"silo":  "(known: native, dummy, flask)",
		"":      "(known: native, dummy, flask)",
	} {
		if got := strings.TrimSpace(suggest(word, known)); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}

func TestShare(t *testing.T) {
	for text, want := range map[string]float64{"1%": 0.01, "0.02": 0.02, " 2.5 % ": 0.025} {
		if got, err := share(text); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "%", "x", "1%%"} {
		if _, err := share(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestLineOf(t *testing.T) {
	const text = "# rounds = 1\ntarget = \"rounds\"\n  \"rounds\"  = 3\n[margins]\nx = 1\n"
	for key, want := range map[string]int{"target": 2, "rounds": 3, "margins": 4, "other": 1} {
		if got := lineOf(text, key); got != want {
			t.Errorf("%s: line %d, want %d", key, got, want)
		}
	}
}

func FuzzFlagWords(f *testing.F) {
	f.Add("a = 1\nb = [1, \"x\"]\n[c]\nd = true\n")
	f.Add("a = [[1]]\nb = 2006-12-01")
	f.Add("[[a]]\nb = 1")
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		path := dir + "/x.toml"
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		// Whatever the file holds, it is read or refused with its name.
		root := newRoot(&bytes.Buffer{}, &bytes.Buffer{})
		c, _, err := root.Find([]string{"run"})
		if err != nil {
			t.Fatal(err)
		}
		if err := readConfig(path, true, c); err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("error without the file's name: %v", err)
		}
	})
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		args []string
		ok   bool
	}{
		{[]string{"run", "--rounds", "3", "-o", "x"}, true},
		{[]string{"compare", "DIR", "--margin", "1%"}, true},
		{nil, true},
		{[]string{"rum"}, false},
		{[]string{"run", "--ronuds", "3"}, false},
		{[]string{"run", "--rounds", "x"}, false},
		{[]string{"build", "native"}, false},
	} {
		if err := Check(c.args); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.args, err)
		}
	}
}

func TestMinutes(t *testing.T) {
	for s, want := range map[float64]string{0: "0 s", 59.4: "59 s", 60: "1 min 00 s", 125: "2 min 05 s", 3700: "1 h 01 min"} {
		if got := minutes(time.Duration(s * float64(time.Second))); got != want {
			t.Errorf("%v s: %s, want %s", s, got, want)
		}
	}
}
