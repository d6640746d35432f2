package xen

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"xsmbench/hv/gotool"
	"xsmbench/hv/gotool/gotooltest"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/native"
	"xsmbench/hv/xen/protocol"
	"xsmbench/internal/require"
)

// agentTree is a tree with an agent's source, the working directory, from which
// targets with a store of their own build.
func agentTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, agentProgram), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go.mod": "module xsmbench\n", agentProgram + "/main.go": "package main\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return dir
}

// fakeAgent has the go command make a program with a table of marks, after a
// script.
func fakeAgent(t *testing.T, script string) *gotooltest.Fake {
	t.Helper()
	program, err := native.Image(protocol.BasesOf("dom0").Native)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "agent")
	if err := os.WriteFile(path, program, 0o644); err != nil {
		t.Fatal(err)
	}
	fake := gotooltest.New(t)
	fake.On("build", script+"\ncp '"+path+"' \"$out\"; exit 0")
	return fake
}

// withStore is a target that has a store, as another process's would.
func withStore(dir string) *Target {
	t := New()
	t.opened = func() (*store.Store, error) { return store.Open(dir) }
	t.agentSource = func(context.Context, *store.Store, func(string)) (string, func(), error) {
		dir, err := os.Getwd()
		return dir, func() {}, err
	}
	return t
}

func TestAgents(t *testing.T) {
	tree, cache := agentTree(t), t.TempDir()
	fake := fakeAgent(t, "")
	compile := func(builds int) {
		t.Helper()
		a, err := withStore(cache).agents(t.Context(), "amd64", func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		if n := fake.Calls("build"); n != builds {
			t.Errorf("compiled %d times, want %d", n, builds)
		}
		for _, name := range domainNames {
			p := a.programs[name]
			loops, err := native.Image(protocol.BasesOf(name).Native)
			if err != nil || string(p.native) != string(loops) || len(p.agent) == 0 {
				t.Errorf("%s: an agent of %d bytes, loops of %d bytes, %v", name, len(p.agent), len(p.native), err)
			}
			if ipc, err := native.IPC(protocol.BasesOf(name).IPC); err != nil || string(p.ipc) != string(ipc) {
				t.Errorf("%s: loops between processes of %d bytes, %v", name, len(p.ipc), err)
			}
			if dynamic, err := native.Dynamic(protocol.BasesOf(name).Dynamic); err != nil || string(p.dynamic) != string(dynamic) {
				t.Errorf("%s: loops linked with the C library of %d bytes, %v", name, len(p.dynamic), err)
			}
		}
		// A table for each program, in the order of domains.
		bases := map[uint64]string{}
		for i, m := range a.marks {
			if i%4 > 0 { // the fake agent's is that of dom0's loops
				bases[m.Base] = m.Domain
			}
			if m.Domain != domainNames[i/4] {
				t.Errorf("table %d is of %s", i, m.Domain)
			}
		}
		if len(a.marks) != 4*len(domainNames) || len(bases) != 3*len(domainNames) {
			t.Errorf("marks: %+v", a.marks)
		}
	}
	compile(2) // one for each domain
	compile(2)
	if err := os.WriteFile(filepath.Join(tree, agentProgram, "main.go"), []byte("package main // changed\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	compile(4)
	t.Setenv("GOFLAGS", "-race")
	compile(6)
}

// TestOwnAgents: the agents are built far from any clone, of what the program
// carries with it.
func TestOwnAgents(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the agents")
	}
	require.Program(t, "go", "golang-go")
	t.Chdir(t.TempDir())
	target := withStore(t.TempDir())
	target.agentSource = ownSource
	a, err := target.agents(t.Context(), "amd64", func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range domainNames {
		if n := len(a.programs[name].agent); n < 1<<20 {
			t.Errorf("%s: an agent of %d bytes", name, n)
		}
	}
	if len(a.marks) != 4*len(domainNames) {
		t.Errorf("marks: %+v", a.marks)
	}
}

// TestAgentsAtOnce: several targets on one store compile the agents once.
func TestAgentsAtOnce(t *testing.T) {
	agentTree(t)
	fake, cache := fakeAgent(t, ""), t.TempDir()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := withStore(cache).agents(t.Context(), "amd64", func(string) {}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := fake.Calls("build"); n != 2 {
		t.Errorf("compiled %d times", n)
	}
}

// TestAgentsOfOneSource: agents of a source that changes between them are not
// kept, and are made again of what is there then.
func TestAgentsOfOneSource(t *testing.T) {
	agentTree(t)
	fake := fakeAgent(t, `if [ ! -f "$dir/changed" ]; then touch "$dir/changed"; echo '// more' >>`+agentProgram+"/main.go; fi")
	cache := t.TempDir()
	var said []string
	if _, err := withStore(cache).agents(t.Context(), "amd64", func(s string) { said = append(said, s) }); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(cache)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.List()
	if n := fake.Calls("build"); n != 3 || err != nil || len(list) != 1 || list[0].Kind != guestAgents.Name {
		t.Errorf("compiled %d times; in the store: %+v, %v", n, list, err)
	}
	if words := strings.Join(said, "\n"); !strings.Contains(words, "agent: the source changed while it was compiled") {
		t.Errorf("said %q", words)
	}
}

func TestAgentsErrors(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"does not compile", "echo 'cmd/xsmguest/main.go:1:1: undefined: x'; exit 1", "build the agent: dom0: compile: cmd/xsmguest/main.go:1:1: undefined: x"},
		{"no table of marks", `echo rubbish >"$out"; exit 0`, "build the agent: dom0: find marks: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			agentTree(t)
			fakeAgent(t, c.script)
			_, err := withStore(t.TempDir()).agents(t.Context(), "amd64", func(string) {})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
	t.Run("no go command", func(t *testing.T) {
		agentTree(t)
		t.Setenv("PATH", t.TempDir())
		if _, err := withStore(t.TempDir()).agents(t.Context(), "amd64", func(string) {}); !errors.Is(err, gotool.ErrNoGo) {
			t.Errorf("error %v, want %v", err, gotool.ErrNoGo)
		}
	})
}
