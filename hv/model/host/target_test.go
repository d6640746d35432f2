package host

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xsmbench/bench"
	"xsmbench/bench/wire"
	"xsmbench/hv"
	"xsmbench/hv/gotool"
	"xsmbench/hv/process"
	"xsmbench/hv/store/content"
	"xsmbench/internal/require"
)

// modes are what the program of the tests does after it has printed the
// records of its mode, which the plan's workload names.
const testProgram = `package main

import (
	"embed"
	"io"
	"os"
	"strings"
	"time"
)

//go:embed records
var records embed.FS

func main() {
	plan, _ := io.ReadAll(os.Stdin)
	_, rest, _ := strings.Cut(string(plan), "\"workload\":\"")
	mode, _, _ := strings.Cut(rest, "\"")
	os.Stderr.WriteString("booting " + mode + " " + strings.Join(os.Args[1:], " ") + "\n")
	text, _ := records.ReadFile("records/" + mode)
	os.Stdout.Write(text)
	os.Stderr.WriteString("last words")
	switch {
	case strings.HasPrefix(mode, "hang"):
		time.Sleep(time.Hour)
	case strings.HasPrefix(mode, "die"):
		os.Exit(7)
	}
}
`

// tree writes a source tree whose program prints records.
func tree(t *testing.T, records map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "go.mod", "module xsmbench\n\ngo 1.26.0\n")
	write(t, dir, "cmd/xsmmodel/main.go", testProgram)
	write(t, dir, "cmd/xsmmodel/records/none", "")
	for mode, text := range records {
		write(t, dir, "cmd/xsmmodel/records/"+mode, text)
	}
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// newTarget is a target with a cache of the test's own.
func newTarget(t *testing.T) *Target {
	t.Helper()
	if out, err := exec.Command("go", "env", "GOCACHE").Output(); err == nil {
		t.Setenv("GOCACHE", strings.TrimSpace(string(out)))
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	return New()
}

func mustBuild(t *testing.T, tg *Target, b hv.Build) *hv.Image {
	t.Helper()
	img, err := tg.Build(context.Background(), b, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestBuild(t *testing.T) {
	tg := newTarget(t)
	dir := tree(t, nil)
	b := hv.Build{Name: "native", Arch: "amd64", Source: dir}
	first := mustBuild(t, tg, b)
	if first.Cached || first.Dispatch != "compiled out" || first.Size == 0 || first.Sections[".text"] == 0 ||
		!strings.HasPrefix(first.Toolchain, "go1.") || !strings.HasPrefix(first.Config, "none") {
		t.Errorf("image: %+v", first)
	}
	if hash, err := content.HashFile(first.Path); err != nil || hash != first.Hash {
		t.Errorf("hash %s, want %s (%v)", first.Hash, hash, err)
	}

	again := mustBuild(t, New(), b)
	if !again.Cached || again.Hash != first.Hash {
		t.Errorf("built again: cached %v, hash %s, want %s", again.Cached, again.Hash, first.Hash)
	}
	named := mustBuild(t, tg, hv.Build{Name: "native2", Kind: "native", Arch: "amd64", Source: dir})
	if !named.Cached || named.Hash != first.Hash || named.Build.Name != "native2" {
		t.Errorf("by another name: %+v", named)
	}

	for what, other := range map[string]hv.Build{
		"layout":       {Name: "native", Arch: "amd64", Source: dir, Layout: 3},
		"kind":         {Name: "dummy", Arch: "amd64", Source: dir},
		"dispatch":     {Name: "native", Arch: "amd64", Source: dir, Dispatch: "inline"},
		"architecture": {Name: "native", Arch: "386", Source: dir},
	} {
		img := mustBuild(t, tg, other)
		// Tags that no file asks for change the key, not the program.
		if tagged := what == "kind" || what == "dispatch"; img.Cached || !tagged && img.Hash == first.Hash {
			t.Errorf("another %s: cached %v, hash %s", what, img.Cached, img.Hash)
		}
	}

	if img := mustBuild(t, tg, hv.Build{Name: "native", Arch: "amd64", Source: dir, Dispatch: "inline"}); img.Dispatch != "inlined check" || !strings.HasPrefix(img.Config, "xsminline") {
		t.Errorf("dispatch %q, tags %q", img.Dispatch, img.Config)
	}
	if _, err := tg.Build(context.Background(), hv.Build{Name: "dummy", Arch: "amd64", Source: dir, Dispatch: "inline"}, func(string) {}); err == nil || !strings.Contains(err.Error(), `kind dummy has no dispatch "inline"`) {
		t.Errorf("a dispatch that dummy does not have: %v", err)
	}

	// A file that is added counts, though no other changes.
	write(t, dir, "cmd/xsmmodel/more.go", "package main\n\nfunc init() { println(1) }\n")
	if img := mustBuild(t, tg, b); img.Cached || img.Hash == first.Hash {
		t.Errorf("source changed: cached %v, hash %s", img.Cached, img.Hash)
	}
	// Tests do not.
	write(t, dir, "cmd/xsmmodel/more_test.go", "package main\n")
	if img := mustBuild(t, tg, b); !img.Cached {
		t.Errorf("a test changed: built again")
	}
}

func TestBuildRevision(t *testing.T) {
	require.Program(t, "git", "git")
	tg := newTarget(t)
	dir := tree(t, nil)
	repository(t, dir)
	old := mustBuild(t, tg, hv.Build{Name: "native", Arch: "amd64", Source: dir})
	write(t, dir, "cmd/xsmmodel/more.go", "package main\n\nfunc init() { println(1) }\n")
	changed := mustBuild(t, tg, hv.Build{Name: "native", Arch: "amd64", Source: dir})
	tagged := mustBuild(t, tg, hv.Build{Name: "v1", Kind: "native", Arch: "amd64", Source: dir, Rev: "v1"})
	if changed.Hash == old.Hash || tagged.Hash != old.Hash {
		t.Errorf("hashes: before %s, changed %s, revision %s", old.Hash, changed.Hash, tagged.Hash)
	}
	if tagged.Revision != "v1" {
		t.Errorf("git calls it v1, the image %q", tagged.Revision)
	}
	_, err := tg.Build(context.Background(), hv.Build{Name: "native", Arch: "amd64", Source: dir, Rev: "v2"}, func(string) {})
	if err == nil || !strings.Contains(err.Error(), `build native: find revision "v2"`) {
		t.Errorf("unknown revision: %v", err)
	}
}

// repository commits a tree and tags it v1.
func repository(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"commit", "-q", "-m", "one"}, {"tag", "v1"}} {
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@b", "-c", "tag.gpgSign=false", "-c", "commit.gpgSign=false"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}

func TestBuildErrors(t *testing.T) {
	good := tree(t, nil)
	broken := tree(t, nil)
	write(t, broken, "cmd/xsmmodel/more.go", "package main\n\nvar x int = \"text\"\n")
	noProgram := t.TempDir()
	write(t, noProgram, "go.mod", "module xsmbench\n")
	foreign := t.TempDir()
	write(t, foreign, "go.mod", "module other\n")
	for _, c := range []struct {
		what  string
		build hv.Build
		want  string
	}{
		{"kind", hv.Build{Name: "xsm", Arch: "amd64", Source: good}, `unknown kind of build "xsm"`},
		{"architecture", hv.Build{Name: "native", Arch: "arm64", Source: good}, `unknown architecture "arm64"`},
		{"no directory", hv.Build{Name: "native", Arch: "amd64", Source: good + "/no"}, "no such directory"},
		{"no module", hv.Build{Name: "native", Arch: "amd64", Source: t.TempDir()}, "no go.mod in it"},
		{"other module", hv.Build{Name: "native", Arch: "amd64", Source: foreign}, `of module "other", not of "xsmbench"`},
		{"no program", hv.Build{Name: "native", Arch: "amd64", Source: noProgram}, "no cmd/xsmmodel in it"},
		{"does not compile", hv.Build{Name: "native", Arch: "amd64", Source: broken}, "compile: cmd/xsmmodel/more.go:3:"},
		{"policy for native", hv.Build{Name: "native", Arch: "amd64", Source: good, Policy: good + "/go.mod"}, "kind native loads no policy"},
		{"no policy", hv.Build{Name: "flask", Arch: "amd64", Source: good, Policy: good + "/go.mod"}, "policy " + good + "/go.mod: "},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, err := newTarget(t).Build(context.Background(), c.build, func(string) {})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want one line with %q", err, c.want)
			}
			var compile *CompileError
			if errors.As(err, &compile) {
				if text, e := os.ReadFile(compile.Log); e != nil || !bytes.Contains(text, []byte("more.go:3:")) {
					t.Errorf("log %s: %v", compile.Log, e)
				}
			}
		})
	}
}

func TestNoGoTool(t *testing.T) {
	tg := newTarget(t)
	t.Setenv("PATH", t.TempDir())
	_, err := tg.Build(context.Background(), hv.Build{Name: "native", Arch: "amd64", Source: tree(t, nil)}, func(string) {})
	if !errors.Is(err, gotool.ErrNoGo) {
		t.Errorf("error %v, want %v", err, gotool.ErrNoGo)
	}
}

// session is the records of a domain that measures one benchmark.
func session(domain string, more ...wire.Event) string {
	var b bytes.Buffer
	w := wire.NewWriter(&b)
	w.Hello(wire.Hello{Domain: domain, Benchmarks: 1})
	w.Begin("Test/one", 1, 1)
	w.Sample(bench.Measurement{Domain: domain, Benchmark: "Test/one", Iterations: 1, Values: []bench.Value{{Value: 2, Unit: "ns/op"}}})
	for _, e := range more {
		w.Write(e)
	}
	w.End()
	return b.String()
}

func TestMachine(t *testing.T) {
	both := session("dom0") + "console noise\n" + session("domU")
	begun := session("dom0")[:strings.LastIndex(session("dom0"), "@xb1 3")]
	records := map[string]string{
		"done":        both,
		"done-slowly": both,
		"die-first":   "",
		"die-later":   begun,
		"ends-first":  "",
		"ends-later":  begun,
		"ends-early":  session("dom0"),
		"damaged":     strings.Replace(both, `"value":2`, `"value":3`, 1),
		"fails":       strings.TrimSuffix(session("dom0", wire.Failure{Text: "no memory"}), "\n"),
		"hang-first":  "noise\n",
		"hang-later":  begun,
		"other-plan":  strings.Replace(planned(t, "0123456789abcdef"), "\n\n", "\n", 1),
	}
	tg := newTarget(t)
	tg.limits = process.Limits{Hello: 5 * time.Second, Silence: 5 * time.Second}
	img := mustBuild(t, tg, hv.Build{Name: "native", Arch: "amd64", Source: tree(t, records)})
	for _, c := range []struct {
		mode string
		kind hv.BootErrorKind // "" for success
		text string
		n    int // measurements
	}{
		{"done", "", "", 2},
		{"die-first", hv.BootFailed, "exit status 7", 0},
		{"die-later", hv.GuestFailed, "exit status 7", 1},
		{"ends-first", hv.BootFailed, "the program ended before any domain reported", 0},
		{"ends-later", hv.BadProtocol, "without an end record", 1},
		{"ends-early", hv.BadProtocol, "1 of 2 domains reported", 1},
		{"damaged", hv.BadProtocol, "checksum", 0},
		{"fails", hv.GuestFailed, "no memory", 1},
		{"hang-first", hv.BootFailed, "no domain reported within", 0},
		{"hang-later", hv.NoProgress, "no record for", 1},
		{"other-plan", hv.BadProtocol, "measures plan 0123456789abcdef", 0},
	} {
		t.Run(c.mode, func(t *testing.T) {
			if strings.HasPrefix(c.mode, "hang") {
				tg.limits = process.Limits{Hello: 500 * time.Millisecond, Silence: 500 * time.Millisecond}
				defer func() { tg.limits = process.Limits{Hello: 5 * time.Second, Silence: 5 * time.Second} }()
			}
			var console bytes.Buffer
			n := 0
			plan := bench.Plan{Domains: []string{"dom0", "domU"}, Benchmarks: []string{"Test/one"}, Workload: c.mode}
			m, err := tg.Boot(context.Background(), img, hv.BootSpec{Plan: plan, Console: &console, Seed: 4})
			if err != nil {
				t.Fatal(err)
			}
			err = m.Measure(context.Background(), func(bench.Measurement) error { n++; return nil })
			if e := m.Close(); e != nil {
				t.Errorf("close: %v", e)
			}
			if e := m.Close(); e != nil {
				t.Errorf("close again: %v", e)
			}
			if n != c.n {
				t.Errorf("%d measurements, want %d", n, c.n)
			}
			if want := "booting " + c.mode + " -plan - -seed 4\n"; !strings.Contains(console.String(), want) {
				t.Errorf("console %q, want %q", console.String(), want)
			}
			var failed *hv.BootError
			switch {
			case c.kind == "" && err != nil:
				t.Errorf("error %v", err)
			case c.kind == "":
			case !errors.As(err, &failed):
				t.Errorf("error %v, want a BootError", err)
			case failed.Kind != c.kind || !strings.Contains(failed.Err.Error(), c.text):
				t.Errorf("%s: %v, want %s: %s", failed.Kind, failed.Err, c.kind, c.text)
			case !strings.Contains(failed.Repeat, img.Path+" -plan - -seed 4") || !strings.Contains(failed.Repeat, c.mode):
				t.Errorf("repeat %q", failed.Repeat)
			}
			if c.mode == "die-first" && !strings.Contains(failed.Console, "last words") {
				t.Errorf("console's end %q", failed.Console)
			}
			if c.mode == "hang-first" && !strings.Contains(console.String(), "main.main()") {
				t.Errorf("no stacks on the console of a machine that hangs: %q", console.String())
			}
		})
	}
}

// planned is a session that names the plan it measures.
func planned(t *testing.T, hash string) string {
	t.Helper()
	var b bytes.Buffer
	w := wire.NewWriter(&b)
	if err := errors.Join(w.Hello(wire.Hello{Domain: "dom0", Plan: hash}), w.End()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestMachineStops ends machines that hang: by the context, by an error of
// the receiver, and by the time for all.
func TestMachineStops(t *testing.T) {
	tg := newTarget(t)
	img := mustBuild(t, tg, hv.Build{Name: "native", Arch: "amd64", Source: tree(t, map[string]string{"hang": session("dom0")})})
	spec := hv.BootSpec{Plan: bench.Plan{Domains: []string{"dom0", "domU"}, Benchmarks: []string{"Test/one"}, Workload: "hang"}}
	cause := errors.New("the cause")
	start := func(spec hv.BootSpec) *process.Machine {
		t.Helper()
		m, err := tg.Boot(context.Background(), img, spec)
		if err != nil {
			t.Fatal(err)
		}
		return m.(*process.Machine)
	}
	gone := func(m *process.Machine) {
		t.Helper()
		m.Close()
		if !m.Ended() {
			t.Error("the process was not waited for")
		}
	}

	m := start(spec)
	ctx, cancel := context.WithCancelCause(context.Background())
	err := m.Measure(ctx, func(bench.Measurement) error { cancel(cause); return nil })
	if !errors.Is(err, cause) {
		t.Errorf("context ended: %v", err)
	}
	gone(m)

	m = start(spec)
	if err := m.Measure(context.Background(), func(bench.Measurement) error { return cause }); !errors.Is(err, cause) {
		t.Errorf("receiver failed: %v", err)
	}
	gone(m)

	spec.Timeout = 300 * time.Millisecond
	m = start(spec)
	var failed *hv.BootError
	if err := m.Measure(context.Background(), func(bench.Measurement) error { return nil }); !errors.As(err, &failed) || failed.Kind != hv.TimedOut {
		t.Errorf("time is up: %v", err)
	}
	gone(m)

	m = start(spec)
	gone(m) // without measuring
}
