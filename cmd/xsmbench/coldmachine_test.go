package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/gotool/gotooltest"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/native"
	"xsmbench/hv/xen/faketools"
	"xsmbench/hv/xen/faketools/fakeqemu"
	"xsmbench/hv/xen/protocol"
	"xsmbench/internal/require"
	"xsmbench/results"
)

// coldMachine is a machine on which nothing was made yet. The program is whole;
// what it starts is fake.
type coldMachine struct {
	t     *testing.T
	dir   string
	apt   *faketools.Apt // and its control directory, which all fakes share
	gocmd *gotooltest.Fake
	runs  int
	cache string   // below dir: another one is another machine's
	env   []string // more of the program's environment
}

// memoryDir is a directory in memory, where there is one: the store brings
// everything to the disk, which takes most of a run's time here.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "xsmbench-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// lasting are the steps of fakes that take a while, as the real ones do, so that
// they are met by others and by the kill.
var lasting = map[string]string{
	"during-update": "sleep 0.04\n", "during-download": "sleep 0.02\n", "during-source": "sleep 0.02\n",
	"configure": "sleep 0.02\n", "compile": "sleep 0.08\n",
}

// anyXen is what every tree of Xen has.
var anyXen = map[string]string{
	"xen/Makefile":             "export XEN_VERSION = 4\nexport XEN_SUBVERSION = 17\nall:\n",
	"xen/include/public/xen.h": "", "xen/include/public/xsm/flask_op.h": "",
	"xen/include/public/domctl.h": "#define XEN_DOMCTL_INTERFACE_VERSION 0x15\n",
	"xen/include/public/sysctl.h": "#define XEN_SYSCTL_INTERFACE_VERSION 0x15\n",
	"xen/tools/fixdep.c":          "//\n",
	"xen/xsm/flask/hooks.c":       "static int flask_evtchn_status(struct domain *d)\n{\n    return 0;\n}\n",
}

func newColdMachine(t *testing.T) *coldMachine {
	t.Helper()
	m := &coldMachine{t: t, dir: memoryDir(t), cache: "cache"}
	m.apt = faketools.NewDebian(t)
	source := map[string][]byte{"xen-4.17.1/xen/common/a.c": []byte("int a;\n")}
	for name, text := range anyXen {
		source["xen-4.17.1/"+name] = []byte(text)
	}
	m.apt.OfferSource("xen", "4.17.1", source)
	m.apt.Add("make", faketools.Make)
	m.apt.Add("gcc", faketools.GCC)
	m.realGCC()
	m.apt.Write("xen-syms", string(faketools.XenSyms()))
	for name, script := range lasting {
		m.apt.Write(name, script)
	}
	for _, name := range []string{"dirname", "chmod"} { // of the fake go command
		m.apt.Real(name)
	}
	if err := fakeqemu.Install(m.apt.Bin()); err != nil {
		t.Fatal(err)
	}
	m.addGo()
	for name, text := range map[string]string{"go.mod": "module xsmbench\n", "cmd/xsmguest/main.go": "package main\n", "tmp/.keep": ""} {
		path := filepath.Join(m.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// realGCC lets through what asks for Xen's public headers.
func (m *coldMachine) realGCC() {
	m.t.Helper()
	path, ok := faketools.Find("gcc")
	if !ok {
		require.Missing(m.t, "gcc")
	}
	if err := os.Symlink(path, m.apt.Path("gcc")); err != nil {
		m.t.Fatal(err)
	}
}

// addGo adds a go command that makes an agent with a table of marks.
func (m *coldMachine) addGo() {
	agent, err := native.Image(protocol.BasesOf("dom0").Native)
	if err != nil {
		m.t.Fatal(err)
	}
	m.apt.Write("agent", string(agent))
	m.gocmd = gotooltest.New(m.t)
	m.gocmd.On("build", "sleep 0.03; cp '"+m.apt.Path("agent")+"' \"$out\"; exit 0")
}

// coldRun is what the machine is asked for: two rounds of two configurations,
// with a control.
var coldRun = []string{"run", "--target", "xen", "--builds", "native,flask", "--rounds", "2", "--bench", "hypercall/op=(evtchn_status|evtchn_send)$"}

// entriesWanted are what a run needs of the store, by kind, made once each. The
// control has native's build and a snapshot of its own; programs count twice
// where each domain has one.
var entriesWanted = map[string]int{
	"code-maps": 1, "guest-agents": 1, "guest-images": 1, "guest-packages": 2, "own-source": 1, "package-indexes": 2, "package-versions": 2,
	"plugins": 1, "snapshots": 3, "xen-builds": 2, "xen-headers": 1, "xen-sources": 1,
}

// command is the program on this machine.
func (m *coldMachine) command(args ...string) *exec.Cmd {
	cmd := program(m.t, "", args...)
	cmd.Dir = m.dir
	cmd.Env = append(cmd.Environ(), "XSMBENCH_FAKE=", "XDG_CACHE_HOME="+filepath.Join(m.dir, m.cache), "XDG_DATA_HOME="+filepath.Join(m.dir, "data"),
		"HOME="+m.dir, "TMPDIR="+filepath.Join(m.dir, "tmp"), fakeqemu.LogVariable+"="+m.apt.Path("qemus"))
	cmd.Env = append(cmd.Env, m.env...)
	return cmd
}

// process is a run that goes on.
type process struct {
	*exec.Cmd
	said bytes.Buffer
	dir  string // of the run
}

// start starts a run of its own directory.
func (m *coldMachine) start() *process {
	m.t.Helper()
	m.runs++
	return m.startIn(fmt.Sprintf("run%d", m.runs))
}

func (m *coldMachine) startIn(dir string, more ...string) *process {
	m.t.Helper()
	return m.begin(filepath.Join(m.dir, dir), slices.Concat(coldRun, []string{"-o", dir}, more)...)
}

func (m *coldMachine) begin(dir string, args ...string) *process {
	m.t.Helper()
	p := &process{Cmd: m.command(args...), dir: dir}
	p.Stdout, p.Stderr = &p.said, &p.said
	if err := p.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	return p
}

// completes waits for a run, which must have measured everything.
func (m *coldMachine) completes(p *process) {
	m.t.Helper()
	if err := p.Wait(); err != nil {
		m.t.Errorf("%v: %v\n%s", p.Args, err, p.said.String())
		return
	}
	samples, _, err := results.ReadFiles(p.dir)
	if err != nil {
		m.t.Error(err)
		return
	}
	found := map[string]int{}
	for _, s := range samples {
		if s.Ended {
			found[s.Build+" "+s.Domain]++
		}
	}
	want := map[string]int{}
	for _, build := range []string{"native", "native2", "flask"} {
		for _, domain := range []string{"dom0", "domU"} {
			want[build+" "+domain] = 2 * 2 // benchmarks, rounds
		}
	}
	if d := cmp.Diff(want, found); d != "" {
		m.t.Errorf("samples of boots that ended (-want +got):\n%s\n%s", d, p.said.String())
	}
}

// made counts what was made, by the kinds of entries that fakes have a hand in.
func (m *coldMachine) made() map[string]int {
	boots := 0
	for _, line := range m.apt.Lines("qemus") {
		if strings.HasSuffix(line, " "+fakeqemu.Boots) {
			boots++
		}
	}
	return map[string]int{
		"package-indexes": m.apt.Calls("update"), "package-versions": m.apt.Calls("download --print-uris"),
		"guest-packages": m.apt.Calls("download -qq"), "xen-sources": m.apt.Calls("source -qq"),
		"xen-builds": m.apt.Count("made", "compile"), "xen-headers": m.apt.Count("headers", ""), "plugins": m.apt.Count("plugins", ""),
		"guest-agents": m.gocmd.Calls("build"), "snapshots": boots,
	}
}

// entries counts what the store has, by kind, as the command tells it.
func (m *coldMachine) entries() map[string]int {
	m.t.Helper()
	out, err := m.command("cache", "--format", "json").Output()
	if err != nil {
		m.t.Fatal(err)
	}
	var told struct{ Entries []store.Info }
	if err := json.Unmarshal(out, &told); err != nil {
		m.t.Fatal(err)
	}
	n := map[string]int{}
	for _, e := range told.Entries {
		if e.Workspace {
			continue
		}
		n[e.Kind]++
		if e.Damage != "" || e.InUse {
			m.t.Errorf("%s %s: damage %q, in use: %v", e.Kind, e.What, e.Damage, e.InUse)
		}
	}
	return n
}

// identities are those of the entries' manifests: an entry that is made again has
// another one.
func (m *coldMachine) identities() map[string]string {
	m.t.Helper()
	places, err := filepath.Glob(filepath.Join(m.dir, "cache", "xsmbench", "store-1", "entries", "*", "*", "manifest"))
	if err != nil {
		m.t.Fatal(err)
	}
	ids := map[string]string{}
	for _, p := range places {
		if info, err := os.Stat(p); err == nil {
			ids[p] = fmt.Sprint(info.Sys().(*syscall.Stat_t).Ino, info.ModTime())
		}
	}
	return ids
}

// stands checks that the entries of before are what they were.
func (m *coldMachine) stands(before map[string]string) {
	m.t.Helper()
	after := m.identities()
	for path, id := range before {
		if after[path] != id {
			m.t.Errorf("%s was complete, and was made again", path)
		}
	}
}

// quiet waits until no program of this machine runs any longer.
func (m *coldMachine) quiet() {
	m.t.Helper()
	var left []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if left = m.running(); left == nil {
			return
		}
	}
	m.t.Errorf("still running: %q", left)
}

// running are the command lines that name the machine or its fakes.
func (m *coldMachine) running() (lines []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		text, _ := os.ReadFile(f)
		if bytes.Contains(text, []byte(m.dir)) || bytes.Contains(text, []byte(m.apt.Bin())) {
			lines = append(lines, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return lines
}

// tidy checks that the store has what it should, and nothing is left beside it. It
// looks before the program does, which would sweep.
func (m *coldMachine) tidy() {
	m.t.Helper()
	m.quiet()
	for _, dir := range []string{"cache/xsmbench/store-1/tmp", "tmp"} {
		left, err := os.ReadDir(filepath.Join(m.dir, dir))
		if err != nil {
			m.t.Error(err)
		}
		for _, f := range left {
			if f.Name() != ".keep" {
				m.t.Errorf("left in %s: %s", dir, f.Name())
			}
		}
	}
	if d := cmp.Diff(entriesWanted, m.entries()); d != "" {
		m.t.Errorf("entries of the store (-want +got):\n%s", d)
	}
}
