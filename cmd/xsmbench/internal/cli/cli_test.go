package cli

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	_ "xsmbench/bench/lmbench"
	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/hv/hvtest"
	"xsmbench/results"
)

var update = flag.Bool("update", false, "write docs/command-line.md anew")

// TestReference compares what docs/command-line.md says below its marker
// with the commands and flags that there are.
func TestReference(t *testing.T) {
	const path = "../../../../docs/command-line.md"
	const marker = "<!-- The rest is written by: go test ./cmd/xsmbench/internal/cli -update -->\n"
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
		t.Errorf("%s is stale; run go test ./cmd/xsmbench/internal/cli -update (-want +got):\n%s", path, diff)
	}
}

func TestParseBuild(t *testing.T) {
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
	parser := builder{describe: func(rev string) string { return map[string]string{"v1^": "v0-3-gabc1234"}[rev] }}
	for _, c := range []struct {
		word string
		want hv.Build
		err  string
	}{
		{"native", hv.Build{Name: "native"}, ""},
		{"flask@v1^", hv.Build{Name: "flask-v0-3-gabc1234", Kind: "flask", Rev: "v1^"}, ""},
		{"flask@v1", hv.Build{Name: "flask-v1", Kind: "flask", Rev: "v1"}, ""},
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
		{"dummy:direct", hv.Build{Name: "dummy-direct", Kind: "dummy", Dispatch: "direct"}, ""},
		{"now=native:inline", hv.Build{Name: "now", Kind: "native", Dispatch: "inline"}, ""},
		{"flask:direct@v1", hv.Build{Name: "flask-direct-v1", Kind: "flask", Dispatch: "direct", Rev: "v1"}, ""},
		{"f=flask:direct@./topic", hv.Build{Name: "f", Kind: "flask", Dispatch: "direct", Source: dir + "/topic"}, ""},
		{"dummy:", hv.Build{}, "--builds dummy:: no dispatch after the colon"},
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
	} {
		got, err := parser.parse(c.word)
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

// TestOwnTree: the dot is the tree that --source names, as it stands.
func TestOwnTree(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.MkdirAll("trees/xen", 0o777); err != nil {
		t.Fatal(err)
	}
	want := hv.Build{Name: "after", Kind: "flask", Source: dir + "/trees/xen"}
	for _, source := range []string{"trees/xen", "./trees/xen", dir + "/trees/xen"} {
		if got, err := (builder{source: source}).parse("after=flask@."); err != nil || !cmp.Equal(got, want) {
			t.Errorf("--source %s: %+v, %v", source, got, err)
		}
	}
	if _, err := (builder{source: "trees/none"}).parse("flask@."); err == nil || !strings.Contains(err.Error(), "no directory ./trees/none") {
		t.Errorf("no such tree: %v", err)
	}
}

// TestInFlags: what an experiment refuses is said in the words of the command
// line.
func TestInFlags(t *testing.T) {
	hv.Register(&hvtest.Target{})
	hv.Register(&hvtest.Counting{})
	for args, want := range map[string]string{
		"--target fkae":                           `unknown target "fkae" (did you mean "fake"?)`,
		"--target fake --builds mine=falsk":       `unknown build "falsk" of target fake (did you mean "flask"?)`,
		"--target fake --arch arm64":              `--arch arm64: target fake does not have it (did you mean "amd64"?)`,
		"--target fake --layouts -1":              "--layouts -1: must be from 0 to 10000",
		"--target fake --domains dom1":            `unknown domain "dom1" (did you mean "dom0"?)`,
		"--target fake --workload bussy":          `unknown workload "bussy" (did you mean "busy"?)`,
		"--target fake --domu-kind pvh":           "--domu-kind pvh: target fake has only one kind of domU, and only one domU; others: --target counting",
		"--target fake --budget 1m --rounds 3":    "--budget, --rounds: name one of them (--max-rounds bounds the rounds that a budget takes)",
		"--target fake --budget 0":                "--budget 0s: must be above 0",
		"--target fake --max-rounds 9":            "--max-rounds: needs --budget; without a budget use --rounds",
		"--target counting --accel kvm --witness": "--witness: target counting marks no windows but with --accel tcg",
	} {
		if _, err := ask(t, args); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", args, err, want)
		}
	}
	holds := &experiment.HoldsRunError{Path: "out"}
	if err := inFlags(holds); !errors.Is(err, holds) || err.Error() != "out holds a run: complete it with --resume out, replace it with --replace, or name another directory with -o" {
		t.Errorf("%v", err)
	}
	plain := errors.New("other")
	if err := inFlags(plain); err != plain {
		t.Errorf("%v, want the error as it is", err)
	}
}

// ask resolves what the flags of run ask.
func ask(t *testing.T, args string) (results.Spec, error) {
	t.Helper()
	var f runFlags
	fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
	f.register(fs)
	if err := fs.Parse(strings.Fields(args)); err != nil {
		t.Fatal(err)
	}
	q, err := f.question(fs)
	if err != nil {
		return results.Spec{}, err
	}
	_, spec, err := q.Spec()
	return spec, inFlags(err)
}

// TestQuestion: what was not given is left to the experiment, what was given
// arrives there, also where it is what the flag would have been anyway.
func TestQuestion(t *testing.T) {
	hv.Register(&hvtest.Target{})
	for _, c := range []struct {
		args            string
		rounds, layouts int
		enough          int64
		builds          string
	}{
		{"", 10, 10, 1000, "native dummy flask native2 native-relinked"},
		{"--quick", 3, 3, 100, "native dummy flask native2"},
		{"--quick --rounds 10 --enough 1000", 10, 10, 1000, "native dummy flask native2 native-relinked"},
		{"--rounds 2 --layouts 1 --enough 0 --aa=false", 2, 1, 0, "native dummy flask"},
		{"--builds native --rounds 2", 2, 2, 1000, "native"},
		{"--builds native --rounds 2 --aa", 2, 2, 1000, "native native2"},
		{"--budget 1m --base flask", 4, 100, 1000, "native dummy flask flask2 flask-relinked"},
	} {
		spec, err := ask(t, "--target fake "+c.args)
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		var names []string
		for _, b := range spec.Builds {
			names = append(names, b.Name)
		}
		got := strings.Join(names, " ")
		if spec.Rounds != c.rounds || spec.Layouts != c.layouts || spec.Options.EnoughUS != c.enough || got != c.builds {
			t.Errorf("%s: %d rounds, %d layouts, %d µs, builds %s; want %+v", c.args, spec.Rounds, spec.Layouts, spec.Options.EnoughUS, got, c)
		}
		if spec.Criteria == nil || spec.Criteria.Margin != 0.01 {
			t.Errorf("%s: criteria %+v are not written down", c.args, spec.Criteria)
		}
	}
}

func FuzzParseBuild(f *testing.F) {
	for _, s := range []string{"native", "v1=flask@v1.0", "flask@HEAD~2", "=@", "a=b=c@d@e", "dummy:direct@v1", "a=:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, word string) {
		b, err := builder{describe: func(string) string { return "" }}.parse(word)
		if err == nil && (b.Name == "" || b.Source != "" && b.Rev != "") {
			t.Errorf("%q: build %+v", word, b)
		}
	})
}

func TestOptions(t *testing.T) {
	for _, c := range []struct{ words, want, err string }{
		{"flask=permissive", "all: [flask=permissive]", ""},
		{"flask=flask=permissive", "flask: [flask=permissive]", ""},
		{"lax=flask=late sched=credit lax=sched=null", "all: [sched=credit] lax: [flask=late sched=null]", ""},
		{"spec-ctrl=pv=off", "all: [spec-ctrl=pv=off]", ""},
		{"noreboot", "", `--xen-option: option "noreboot": want NAME=VALUE`},
		{"lax=", "", `--xen-option: option "lax=": want NAME=VALUE`},
	} {
		builds := []hv.Build{{Name: "flask"}, {Name: "lax", Kind: "flask"}}
		all, err := options(strings.Fields(c.words), builds)
		if c.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), c.err) {
				t.Errorf("%s: %v, want %s", c.words, err, c.err)
			}
			continue
		}
		var got []string
		for _, b := range append([]hv.Build{{Name: "all", Options: all}}, builds...) {
			if b.Options != nil {
				got = append(got, fmt.Sprintf("%s: %v", b.Name, b.Options))
			}
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, %v, want %s", c.words, got, err, c.want)
		}
	}
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
