package require

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// fake is a test that can be skipped or failed without ending this one.
type fake struct {
	testing.TB
	skipped, failed bool
}

func (*fake) Helper()                 {}
func (*fake) Name() string            { return "TestFake" }
func (f *fake) Skip(...any)           { f.skipped = true; runtime.Goexit() }
func (f *fake) Skipf(string, ...any)  { f.skipped = true; runtime.Goexit() }
func (f *fake) Fatalf(string, ...any) { f.failed = true; runtime.Goexit() }

// try lets a test end by itself.
func try(test func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		test()
	}()
	<-done
}

func TestGiven(t *testing.T) {
	for _, c := range []struct {
		name, value, require string
		skips                bool
	}{
		{"given", "/xen.git", "", false},
		{"given, and required", "/xen.git", "all", false},
		{"not given", "", "", true},
		{"not given: nobody can require it", "", "all", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := filepath.Join(t.TempDir(), "list")
			t.Setenv("XSMBENCH_SKIPPED", list)
			t.Setenv("XSMBENCH_REQUIRE", c.require)
			t.Setenv("XENREPO", c.value)
			var f fake
			got := ""
			try(func() { got = Given(&f, "XENREPO", "a repository") })
			if f.skipped != c.skips || f.failed || got != c.value {
				t.Errorf("skipped %t, failed %t, value %q", f.skipped, f.failed, got)
			}
			want := ""
			if c.skips {
				want = "TestFake needs a repository: set XENREPO\n"
			}
			if text, _ := os.ReadFile(list); string(text) != want {
				t.Errorf("the list holds %q, want %q", text, want)
			}
		})
	}
}

func TestSimulations(t *testing.T) {
	for asked, skips := range map[string]bool{"": true, "0": true, "1": false} {
		t.Setenv("XSMBENCH_SIMULATE", asked)
		var f fake
		try(func() { Simulations(&f) })
		if f.skipped != skips {
			t.Errorf("XSMBENCH_SIMULATE=%q: skipped %t, want %t", asked, f.skipped, skips)
		}
	}
}

func TestProgram(t *testing.T) {
	for _, c := range []struct {
		name, require, program string
		want                   fake
		list                   string
	}{
		{"there", "", "there", fake{}, ""},
		{"there, and required", "all", "there", fake{}, ""},
		{"missing", "", "absent", fake{skipped: true}, "TestFake needs absent (apt-get install a-package)\n"},
		{"missing, and required", "all", "absent", fake{failed: true}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "there"), []byte("#!/bin/sh\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			list := filepath.Join(dir, "list")
			t.Setenv("PATH", dir)
			t.Setenv("XSMBENCH_REQUIRE", c.require)
			t.Setenv("XSMBENCH_SKIPPED", list)
			var f fake
			try(func() { Program(&f, c.program, "a-package") })
			if f.skipped != c.want.skipped || f.failed != c.want.failed {
				t.Errorf("skipped %v, failed %v", f.skipped, f.failed)
			}
			if text, _ := os.ReadFile(list); string(text) != c.list {
				t.Errorf("the list holds %q, want %q", text, c.list)
			}
		})
	}
}
