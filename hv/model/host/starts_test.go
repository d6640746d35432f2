package host

import (
	"errors"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"xsmbench/hv"
	"xsmbench/internal/require"
)

// TestStarts: what is asked for before a build agrees with what the kernel
// does with the build's programs.
func TestStarts(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, c := range []struct {
		name, arch, accel, path string
		want                    error
	}{
		{name: "own architecture", arch: runtime.GOARCH},
		{name: "counted without an emulator", arch: "amd64", accel: icount, path: "nowhere", want: ErrNoEmulator},
		{name: "386 counted without an emulator", arch: "386", accel: icount, path: "nowhere", want: ErrNoEmulator},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.path != "" {
				t.Setenv("PATH", c.path)
			}
			if err := New().Starts(hv.Build{Arch: c.arch}, c.accel); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestExit386 executes the program where something can: this kernel, or else
// an emulator.
func TestExit386(t *testing.T) {
	dir := t.TempDir()
	if err := runs386(dir); err == nil {
		return
	} else if !errors.Is(err, ErrNo386) {
		t.Fatal(err)
	}
	emulator := require.Program(t, emulators["386"], "qemu-user")
	file, err := writeProgram(dir, exit386)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(emulator, file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestNotExecutable: what a kernel refuses is told as such.
func TestNotExecutable(t *testing.T) {
	file, err := writeProgram(t.TempDir(), []byte("\x7fELF\x03"))
	if err != nil {
		t.Fatal(err)
	}
	if err := run(file); !errors.Is(err, syscall.ENOEXEC) {
		t.Errorf("got %v, want ENOEXEC", err)
	}
}
