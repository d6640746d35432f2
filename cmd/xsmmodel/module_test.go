package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/policy"
)

// start runs the program with a plan that measures nothing: it boots, dom0
// builds a domU and destroys it, and the machine halts.
func start(args ...string) (code int, stderr string) {
	var out, console bytes.Buffer
	code = run(context.Background(), args, strings.NewReader(`{"domains":[]}`), &out, &console)
	return code, console.String()
}

// TestModuleInUse boots the build as it is measured and asks its console which
// module came up, so that a build cannot measure another's table unnoticed.
func TestModuleInUse(t *testing.T) {
	code, console := start()
	if code != exitDone {
		t.Fatalf("exit code %d:\n%s", code, console)
	}
	flask := built.name == "flask"
	for line, in := range map[string]bool{
		"XSM Framework v":                        built.name != "native",
		"Initialising XSM SILO mode":             built.name == "silo",
		"Flask:  Loaded a policy of ":            flask,
		"Flask:  Starting in enforcing mode.":    flask,
		"policy of ":                             flask,
		"Domain 0 halted":                        true,
		"everything is allowed until one is loa": false,
	} {
		if strings.Contains(console, line) != in {
			t.Errorf("build %s: console has %q: %v, want %v\n%s", built.name, line, !in, in, console)
		}
	}
}

// TestModes boots with what FLASK reads of the command line, which other builds do not
// heed. Where it denies nothing, domU may ask for the state of dom0's ports.
func TestModes(t *testing.T) {
	for param, says := range map[string]string{
		"flask_enabled=0":   "Flask:  Disabled at boot.",
		"flask_enforcing=0": "Flask:  Starting in permissive mode.",
		"flask_enforcing=1": "Flask:  Starting in enforcing mode.",
	} {
		code, console := start("-xen", param)
		if code != exitDone || strings.Contains(console, says) != (built.name == "flask") {
			t.Errorf("build %s with %s: exit code %d:\n%s", built.name, param, code, console)
		}
	}
}

// TestModuleStays: a module must be what the command line makes of it.
func TestModuleStays(t *testing.T) {
	m := &xsm.Module{Name: "m"}
	var want string
	switch used := xsm.InUse(); {
	case used:
		want = "the command line disables m, which has registered all the same"
	default:
		want = "the build is of m, which has not registered"
	}
	mode := ""
	if xsm.InUse() {
		mode = xsm.Disabled
	}
	if err := (kind{"m", m}).check(mode); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("mode %q: %v, want %s", mode, err, want)
	}
}

// TestBadPolicy refuses files that are no policy before the machine boots, with
// one line; a build whose module reads none refuses all.
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
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "none"), "no such file"},
		{file("empty", nil), "does not begin with the magic number 0xf97cff8c"},
		{file("text", []byte("policy")), "does not begin with the magic number 0xf97cff8c"},
		{file("swapped", swapped), "does not begin with the magic number 0xf97cff8c"},
		{file("header", policy.Binary[:4]), "policy ends early"},
		{file("truncated", policy.Binary[:len(policy.Binary)/2]), "policy ends early"},
		{file("short", policy.Binary[:len(policy.Binary)-1]), "policy ends early"},
	} {
		want := []string{c.want, c.path}
		if built.name != "flask" {
			want = []string{errNoPolicy.Error()}
		}
		code, stderr := start("-policy", c.path)
		if code != exitInput || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q, want %d and one line", filepath.Base(c.path), code, stderr, exitInput)
		}
		for _, w := range want {
			if !strings.Contains(stderr, w) {
				t.Errorf("%s: %q, want %q in it", filepath.Base(c.path), stderr, w)
			}
		}
	}
}

// TestAbout asks the program for its module.
func TestAbout(t *testing.T) {
	var out, console bytes.Buffer
	code := run(t.Context(), []string{"-about"}, strings.NewReader(""), &out, &console)
	if built.module == nil {
		if code != exitInput || !strings.Contains(console.String(), "call xsm.AddModule") {
			t.Errorf("exit code %d, %q", code, console.String())
		}
		return
	}
	var about xsm.About
	if err := json.Unmarshal(out.Bytes(), &about); code != exitDone || err != nil || !reflect.DeepEqual(about, built.module.About("")) {
		t.Errorf("exit code %d, %v: %s%s", code, err, out.String(), console.String())
	}
}

// TestLinkedKind: a build has one module, with a name and an initcall.
func TestLinkedKind(t *testing.T) {
	if !xsm.Enabled {
		t.Skip("a native build has none")
	}
	start := func(*xsm.Boot) abi.Errno { return 0 }
	for _, c := range []struct {
		modules []xsm.Module
		want    string // of the error, or the kind's name
	}{
		{nil, "dummy"},
		{[]xsm.Module{{Name: "one", Start: start}}, "one"},
		{[]xsm.Module{{Name: "one", Start: start}, {Name: "two", Start: start}}, "the modules one and two are both in this program"},
		{[]xsm.Module{{Start: start}}, "has no name"},
		{[]xsm.Module{{Name: "one"}}, "one does not start"},
	} {
		k, err := kindOf(c.modules)
		if err == nil && k.name != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d modules: %q, %v, want %q", len(c.modules), k.name, err, c.want)
		}
	}
}

// TestSecure boots a module of policies without and with one.
func TestSecure(t *testing.T) {
	pol := filepath.Join(t.TempDir(), "pol")
	if err := os.WriteFile(pol, []byte("\x01\x00\x00\x00rules"), 0o666); err != nil {
		t.Fatal(err)
	}
	builtIn := []byte("\x01\x00\x00\x00")
	plain := &xsm.PolicyFormat{Magic: 1}
	full := &xsm.PolicyFormat{Magic: 1, BuiltIn: builtIn, Unknown: "unknown", Check: func(p []byte, o xsm.PolicyOptions) (string, error) {
		if o.Label == "bad" {
			return "", errors.New("no such label")
		}
		return "a label", nil
	}}
	for _, c := range []struct {
		format *xsm.PolicyFormat
		o      options
		want   string // the policy and what is after it, or the error
	}{
		{nil, options{}, ""},
		{nil, options{policy: pol}, errNoPolicy.Error()},
		{nil, options{label: "x"}, errNoPolicy.Error()},
		{plain, options{}, ""},
		{plain, options{policy: pol}, "\x01\x00\x00\x00rules"},
		{plain, options{policy: pol, label: "x"}, "-label x: m has no labels"},
		{plain, options{unknown: "deny"}, "-unknown deny: m has no such choice"},
		{full, options{}, "\x01\x00\x00\x00 a label"},
		{full, options{unknown: "deny", xen: "a=b"}, "\x01\x00\x00\x00 a label a=b unknown=deny"},
		{full, options{xen: "m=disabled"}, "\x01\x00\x00\x00 m=disabled"},
		{full, options{xen: "m=disabled", label: "x"}, "-label x: m has no labels"},
		{full, options{policy: pol, label: "bad"}, "policy " + pol + ": no such label"},
	} {
		k := kind{"m", &xsm.Module{Policy: c.format, Mode: func(b *xsm.Boot) string { return b.StringParam("m", "") }}}
		sec, err := k.secure(c.o)
		got := ""
		for _, m := range sec.modules {
			got = string(m.Data)
		}
		for _, more := range []string{sec.label, sec.cmdLine} {
			if more != "" {
				got += " " + more
			}
		}
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.o, got, c.want)
		}
	}
}
