package xen

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"xsmbench/hv/xen/faketools/fakeqemu"
)

type scenario = fakeqemu.Scenario

// TestMain is QEMU when it is called by QEMU's name, and puts that before the
// real one otherwise.
func TestMain(m *testing.M) {
	if fakeqemu.Called() {
		fakeqemu.Main()
	}
	if dir := os.Getenv(measureIn); dir != "" {
		measureAsChild(dir)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "xsmbench-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	bin, cache, tmp := filepath.Join(dir, "bin"), filepath.Join(dir, "cache"), filepath.Join(dir, "tmp")
	for _, d := range []string{bin, cache, tmp} {
		if err := os.Mkdir(d, 0o755); err != nil {
			panic(err)
		}
	}
	if err := fakeqemu.Install(bin); err != nil {
		panic(err)
	}
	// Tests mostly wait, so that more than one for each processor may run.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	os.Setenv("XDG_CACHE_HOME", cache)
	os.Setenv("TMPDIR", tmp)
	return m.Run()
}
