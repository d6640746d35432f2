package native_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"xsmbench/bench"
	"xsmbench/hv/xen/domain/native"
	"xsmbench/internal/require"
)

func dynamic(t *testing.T) []byte {
	t.Helper()
	b, err := native.Dynamic(base)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// installDynamic writes the program to a file, where it can run.
func installDynamic(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(native.Interpreter); err != nil {
		require.Missing(t, "the GNU C library for x86_64 ("+native.Interpreter+")")
	}
	path := filepath.Join(t.TempDir(), "dynamic")
	if err := os.WriteFile(path, dynamic(t), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDynamicImage reads the image as any ELF reader does: it is laid out as a
// linker lays out C programs, and needs the C library.
func TestDynamicImage(t *testing.T) {
	f, err := elf.NewFile(bytes.NewReader(dynamic(t)))
	if err != nil {
		t.Fatal(err)
	}
	var loads []elf.ProgFlag
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_LOAD:
			loads = append(loads, p.Flags)
		case elf.PT_INTERP:
			text := make([]byte, p.Filesz)
			if _, err := p.ReadAt(text, 0); err != nil || string(text) != native.Interpreter+"\x00" {
				t.Errorf("interpreter %q, %v", text, err)
			}
		}
	}
	if want := []elf.ProgFlag{elf.PF_R, elf.PF_R | elf.PF_X, elf.PF_R, elf.PF_R | elf.PF_W}; !slices.Equal(loads, want) {
		t.Errorf("segments %v, want %v", loads, want)
	}
	if _, err := native.Dynamic(base + 1); err == nil {
		t.Error("an image at half a page")
	}
}

// TestDynamicMarks: each mark is a return instruction of the image's code.
func TestDynamicMarks(t *testing.T) {
	f, err := elf.NewFile(bytes.NewReader(dynamic(t)))
	if err != nil {
		t.Fatal(err)
	}
	table := native.DynamicMarks(base)
	i := slices.IndexFunc(f.Progs, func(p *elf.Prog) bool {
		return p.Flags&elf.PF_X != 0 && p.Type == elf.PT_LOAD && table.Base-p.Vaddr < p.Filesz
	})
	if i < 0 {
		t.Fatalf("no code at %#x", table.Base)
	}
	got := make([]byte, table.Slots)
	if _, err := f.Progs[i].ReadAt(got, int64(table.Base-f.Progs[i].Vaddr)); err != nil || !bytes.Equal(got, bytes.Repeat([]byte{0xc3}, native.Slots)) {
		t.Errorf("the table holds % x, %v", got, err)
	}
}

// TestDynamicBehindTicks: each marked window of the program that is linked with the C
// library begins behind another timer tick.
func TestDynamicBehindTicks(t *testing.T) {
	s, ready := serveProgram(t, installDynamic(t), native.Empty)
	if ready != 0 {
		t.Fatalf("not ready: %d", ready)
	}
	const coarse = 6
	var tick syscall.Timespec
	if _, _, e := syscall.Syscall(syscall.SYS_CLOCK_GETRES, coarse, uintptr(unsafe.Pointer(&tick)), 0); e != 0 {
		t.Fatal(e)
	}
	const windows = 5
	begun := time.Now()
	for range windows {
		if e := s.run(t, 1, 0); e != 0 {
			t.Fatalf("error %d", e)
		}
	}
	// The first wait may be short, and a clock's tick may be late.
	if took, least := time.Since(begun), time.Duration((windows-2)*tick.Nano()); took < least {
		t.Errorf("%d windows in %v, want %v of ticks of %v", windows, took, least, time.Duration(tick.Nano()))
	}
	if s.requests.Close(); s.Wait() != nil {
		t.Errorf("it ended badly: %v", s.ProcessState)
	}
}

// TestDynamicOperations runs loops of every operation in the program that is linked
// with the C library: its own, and those that it shares.
func TestDynamicOperations(t *testing.T) {
	self := installDynamic(t)
	for _, tt := range []struct {
		op   bench.NativeOp
		args []string
	}{
		{bench.NativeLibraryFork, nil},
		{bench.NativeLibraryExec, []string{self}},
		{bench.NativeLibraryShell, []string{"/bin/sh", self}},
		{bench.NativeInstall, nil},
		{bench.NativeSend, nil},
		{bench.NativeCatch, nil},
		{bench.NativeProtect, nil},
		{bench.NativeCatchProtect, nil},
		{bench.NativePipe, nil},
		{bench.NativeUnix, nil},
		{bench.NativeRing, []string{"8", "16384"}},
		{bench.NativeRingAlone, []string{"8", "16384"}},
		{bench.NativeSelect, []string{"100"}},
	} {
		t.Run(strings.Join(append([]string{string(tt.op)}, tt.args...), " "), func(t *testing.T) {
			s, ready := serveProgram(t, self, tt.op, tt.args...)
			if ready != 0 {
				t.Fatalf("ready: %v", syscall.Errno(ready))
			}
			for _, count := range []int64{1, 17, 1} {
				if e := s.run(t, count, native.Unmarked); e != 0 {
					t.Errorf("%d iterations: %v", count, syscall.Errno(e))
				}
			}
			s.requests.Close()
			if err := s.Wait(); err != nil {
				t.Errorf("end: %v", err)
			}
		})
	}
}

// TestDynamicCalls runs the operations that are given descriptors: what they do to the
// files is seen, and what they cannot do is told.
func TestDynamicCalls(t *testing.T) {
	self := installDynamic(t)
	path := filepath.Join(t.TempDir(), "file")
	const size = 1 << 20
	if err := os.WriteFile(path, make([]byte, size), 0o644); err != nil {
		t.Fatal(err)
	}
	both, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	reading, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	for _, tt := range []struct {
		op   bench.NativeOp
		args []string
		want syscall.Errno
	}{
		{bench.NativeGetppid, nil, 0},
		{bench.NativeMap, []string{"3", fmt.Sprint(size)}, 0},
		{bench.NativeMap, []string{"4", fmt.Sprint(size)}, syscall.EIO}, // it may not be written
		{bench.NativeReadByte, []string{"4"}, 0},
		{bench.NativeReadByte, []string{"9"}, syscall.EIO},
		{bench.NativeWriteByte, []string{"3"}, 0},
		{bench.NativeWriteByte, []string{"4"}, syscall.EIO},
	} {
		t.Run(strings.Join(append([]string{string(tt.op)}, tt.args...), " "), func(t *testing.T) {
			s, ready := serveFiles(t, []*os.File{both, reading}, self, tt.op, tt.args...)
			if ready != 0 {
				t.Fatal(syscall.Errno(ready))
			}
			if e := syscall.Errno(s.run(t, 2, native.Unmarked)); e != tt.want {
				t.Errorf("loop: %v, want %v", e, tt.want)
			}
			s.requests.Close()
			if err := s.Wait(); err != nil {
				t.Errorf("end: %v", err)
			}
		})
	}
	text, err := os.ReadFile(path)
	if err != nil || len(text) != size {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	const step = 16 << 10
	for at, b := range text {
		if at < 2 { // of writeByte, and of the first byte that the mapping touches
			continue
		}
		if want := at%step == 0 && at < size/10; b == 1 != want {
			t.Fatalf("byte %d of the file is %d", at, b)
		}
	}
}

// TestDynamicPrograms: by itself it is a program that says hello and ends as a C
// program does, and what it cannot start is told.
func TestDynamicPrograms(t *testing.T) {
	self := installDynamic(t)
	if out, err := exec.Command(self).Output(); string(out) != "Hello world\n" || err != nil {
		t.Errorf("it says %q, %v", out, err)
	}
	s, ready := serveProgram(t, self, bench.NativeLibraryExec, "/no/such/program")
	if ready != 0 {
		t.Fatal(syscall.Errno(ready))
	}
	if e := syscall.Errno(s.run(t, 1, native.Unmarked)); e != syscall.EPROTO {
		t.Errorf("loop: %v, want %v", e, syscall.EPROTO)
	}
	s.requests.Close()
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
}
