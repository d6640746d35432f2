package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/xsm/flask/policy"
)

// start runs the program with a plan that measures nothing: it boots, dom0
// builds a domU and destroys it, and the machine halts.
func start(args ...string) (code int, stderr string) {
	var out, console bytes.Buffer
	code = run(context.Background(), args, strings.NewReader(`{"domains":[]}`), &out, &console)
	return code, console.String()
}

// last is the last line of a text.
func last(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return lines[len(lines)-1]
}

// TestModuleInUse boots the build as it is measured and asks its console which
// module came up, so that a build cannot measure another's table unnoticed.
func TestModuleInUse(t *testing.T) {
	code, console := start()
	if code != exitDone {
		t.Fatalf("exit code %d:\n%s", code, console)
	}
	for line, in := range map[string]bool{
		"XSM Framework v":                        buildName != "native",
		"Flask:  Loaded a policy of ":            hasModule,
		"Flask:  Starting in enforcing mode.":    hasModule,
		"policy of ":                             hasModule,
		"Domain 0 halted":                        true,
		"everything is allowed until one is loa": false,
	} {
		if strings.Contains(console, line) != in {
			t.Errorf("build %s: console has %q: %v, want %v\n%s", buildName, line, !in, in, console)
		}
	}
}

// TestModuleLeftOut boots a build without the module that it is named after.
func TestModuleLeftOut(t *testing.T) {
	code, console := start("-xen", "flask_enabled=0")
	if !hasModule {
		if code != exitDone {
			t.Errorf("build %s heeds flask_enabled: exit code %d:\n%s", buildName, code, console)
		}
		return
	}
	const want = "xsmmodel: check the security module: build flask does not run one: xsm_op: -ENOSYS"
	if code != exitFailed || last(console) != want {
		t.Errorf("exit code %d, last line %q, want %d and %q", code, last(console), exitFailed, want)
	}
}

// TestBadPolicy refuses files that are no policy before the machine boots, with
// one line.
func TestBadPolicy(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	swapped := bytes.Clone(policy.Binary)
	binary.BigEndian.PutUint32(swapped, binary.LittleEndian.Uint32(swapped))
	for _, c := range []struct {
		path, want string
		judged     bool // only a build whose module reads policies knows better
	}{
		{filepath.Join(dir, "none"), "no such file", false},
		{file("empty", nil), "does not begin with the magic number 0xf97cff8c", false},
		{file("text", []byte("policy")), "does not begin with the magic number 0xf97cff8c", false},
		{file("swapped", swapped), "does not begin with the magic number 0xf97cff8c", false},
		{file("header", policy.Binary[:4]), "policy ends early", true},
		{file("truncated", policy.Binary[:len(policy.Binary)/2]), "policy ends early", true},
		{file("short", policy.Binary[:len(policy.Binary)-1]), "policy ends early", true},
	} {
		if c.judged && !hasModule {
			continue
		}
		code, stderr := start("-policy", c.path)
		if code != exitInput || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.want) || !strings.Contains(stderr, c.path) {
			t.Errorf("%s: exit code %d, %q, want %d and one line with …%s…", filepath.Base(c.path), code, stderr, exitInput, c.want)
		}
	}
}
