//go:build linux && (amd64 || 386)

package xl

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv/xen/domain/xenstore"
)

// xl is a program that keeps its arguments, prints a list, and fails if it is told to.
const xl = `#!/bin/sh
echo "$@" >>"$PATH/commands"
[ -e "$PATH/list" ] && cat "$PATH/list"
if [ -e "$PATH/fails" ]; then echo "libxl: error: no such domain"; exit 3; fi
exit 0
`

// stack is a toolstack of a fake program in a directory of its own.
func stack(t *testing.T) (*Toolstack, string) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "xl")
	if err := os.WriteFile(program, []byte(strings.ReplaceAll(xl, "cat ", "/bin/cat ")), 0o755); err != nil {
		t.Fatal(err)
	}
	return New(Config{
		Program: program, Helper: "/helper", Path: dir, Name: "scratch", Domain: "/scratch.cfg", Save: filepath.Join(dir, "saved"),
		Memory: 1 << 20, Free: func() (int64, error) { return 1 << 30, nil },
	}), dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCommands: each verb is one command of xl.
func TestCommands(t *testing.T) {
	s, dir := stack(t)
	for _, f := range []func() error{s.Create, s.Pause, s.Unpause, s.Save, s.Restore, s.Destroy} {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(filepath.Join(dir, "commands"))
	want := fmt.Sprintf("create -q -p /scratch.cfg\npause scratch\nunpause scratch\nsave scratch %[1]s/saved\nrestore %[1]s/saved\ndestroy scratch\n", dir)
	if err != nil || string(got) != want {
		t.Errorf("%v, commands\n%s, want\n%s", err, got, want)
	}
	write(t, filepath.Join(dir, "fails"), "")
	if err := s.Pause(); err == nil || !strings.Contains(err.Error(), "run xl pause scratch: exit status 3: libxl: error: no such domain") {
		t.Errorf("a command that fails: %v", err)
	}
}

// TestState reads xl's list.
func TestState(t *testing.T) {
	const head = "Name                                        ID   Mem VCPUs\tState\tTime(s)\n" +
		"Domain-0                                     0   512     1     r-----       5.2\n"
	for _, c := range []struct {
		list string
		want bench.DomainState
		ok   bool
	}{
		{head, bench.DomainState{}, true},
		{head + "scratch                                      7    96     1     --p---       0.0\n", bench.DomainState{ID: 7, Paused: true}, true},
		{head + "scratch                                     12    96     1     -b----       0.3\nscratch2  13 96 1 --p--- 0.0\n", bench.DomainState{ID: 12}, true},
		{head + "scratch  seven 96 1 --p--- 0.0\n", bench.DomainState{}, false},
		{head + "scratch  0 96 1 --p--- 0.0\n", bench.DomainState{}, false},
	} {
		s, dir := stack(t)
		write(t, filepath.Join(dir, "list"), c.list)
		got, err := s.State()
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%q: %+v, %v; want %+v", c.list, got, err, c.want)
		}
	}
}

// TestRoom: too little memory, no room to save, and a program that is missing or must
// not be run are reasons to skip.
func TestRoom(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"enough":     {func(*Config) {}, ""},
		"no memory":  {func(c *Config) { c.Free = func() (int64, error) { return 5 << 20, nil } }, "Xen has 5 MiB of memory left, the scratch domain takes 9"},
		"no room":    {func(c *Config) { c.Memory, c.Free = 1<<60, func() (int64, error) { return 1 << 61, nil } }, "has room for"},
		"no program": {func(c *Config) { c.Program += "-none" }, "no such file"},
	} {
		s, _ := stack(t)
		c.change(&s.Config)
		err := s.Room()
		var lack *bench.LackError
		if (err == nil) != (c.want == "") || err != nil && (!errors.As(err, &lack) || !strings.Contains(lack.Reason, c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	s, dir := stack(t)
	if err := os.Chmod(filepath.Join(dir, "xl"), 0o644); err != nil {
		t.Fatal(err)
	}
	var lack *bench.LackError
	if err := s.Pause(); !errors.As(err, &lack) || !strings.Contains(lack.Reason, "permission denied") {
		t.Errorf("a program that must not be run: %v", err)
	}
}

// store is a daemon with paths in memory. When the domain's question is written, it
// answers in the domain's place.
func store(t *testing.T, paths map[string]string, answers bool) *xenstore.Client {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		in := bufio.NewReader(theirs)
		for {
			var header [16]byte
			if _, err := io.ReadFull(in, header[:]); err != nil {
				return
			}
			le := binary.LittleEndian
			body := make([]byte, le.Uint32(header[12:]))
			if _, err := io.ReadFull(in, body); err != nil {
				return
			}
			path, value, _ := strings.Cut(string(body), "\x00")
			answer, kind := "", le.Uint32(header[:])
			switch kind {
			case 1: // directory
				for p := range paths {
					if rest, ok := strings.CutPrefix(p, path+"/"); ok {
						name, _, _ := strings.Cut(rest, "/")
						answer += name + "\x00"
					}
				}
			case 2: // read
				var ok bool
				if answer, ok = paths[path]; !ok {
					answer, kind = "ENOENT\x00", 16
				}
			case 11: // write
				paths[path] = value
				if at, ok := strings.CutSuffix(path, storeAsked); ok && answers {
					paths[at+storeAnswered] = value
				}
			}
			le.PutUint32(header[:], kind)
			le.PutUint32(header[12:], uint32(len(answer)))
			if _, err := theirs.Write(append(header[:], answer...)); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { ours.Close() })
	return xenstore.New(ours)
}

// TestAnswers: the scratch domain is found by its name, and each question is another.
func TestAnswers(t *testing.T) {
	s, _ := stack(t)
	paths := map[string]string{"/local/domain/0/name": "Domain-0", "/local/domain/3/name": "scratch", "/local/domain/4/name": "domU"}
	s.Store = store(t, paths, true)
	for range 2 {
		if err := s.Answers(); err != nil {
			t.Fatal(err)
		}
	}
	if got := paths["/local/domain/3/"+storeAnswered]; got != "2" {
		t.Errorf("the last answer is %q", got)
	}
	delete(paths, "/local/domain/3/name")
	if err := s.Answers(); !errors.Is(err, errNone) {
		t.Errorf("no domain: %v", err)
	}
}
