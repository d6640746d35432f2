package native_test

import (
	"bufio"
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/arch/x86/x86asm"

	"xsmbench/bench"
	"xsmbench/hv/count/mark"
	"xsmbench/hv/xen/domain/native"
)

const base = 0x20000000

// images are those without a library.
var images = map[string]func(base uint64) ([]byte, error){"Image": native.Image, "IPC": native.IPC}

func image(t *testing.T, name string, base uint64) []byte {
	t.Helper()
	b, err := images[name](base)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// install writes the first program to a file.
func install(t *testing.T) string {
	t.Helper()
	return installImage(t, "Image")
}

func installImage(t *testing.T, name string) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("a Linux program")
	}
	path := filepath.Join(t.TempDir(), "native")
	if err := os.WriteFile(path, image(t, name, base), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// imageOf is the one that has an operation.
func imageOf(op bench.NativeOp) string {
	if native.IsIPC(op) {
		return "IPC"
	}
	return "Image"
}

// TestImage reads the image as any ELF reader does, and finds the marks where
// the base says, filled with returns.
func TestImage(t *testing.T) {
	for _, at := range []struct {
		image string
		base  uint64
	}{{"Image", 0x400000}, {"Image", 0x20000000}, {"Image", 0x7f0000000000}, {"IPC", 0x50000000}} {
		b, base := image(t, at.image, at.base), at.base
		f, err := elf.NewFile(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if f.Type != elf.ET_EXEC || f.Machine != elf.EM_X86_64 {
			t.Errorf("%v for %v", f.Type, f.Machine)
		}
		checkSegments(t, f, base)
		table, err := mark.Find(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		text, err := f.Section(".text").Data()
		if err != nil {
			t.Fatal(err)
		}
		off := table.Base - f.Section(".text").Addr
		if got := text[off : off+native.Slots]; !bytes.Equal(got, bytes.Repeat([]byte{0xc3}, native.Slots)) {
			t.Errorf("the marks are % x", got)
		}
		if entry := f.Entry - f.Section(".text").Addr; entry >= uint64(len(text)) {
			t.Errorf("the entry %#x is outside of the text", f.Entry)
		}
	}
}

func checkSegments(t *testing.T, f *elf.File, base uint64) {
	t.Helper()
	end := uint64(0)
	loads := 0
	for _, p := range f.Progs {
		if p.Flags&elf.PF_W != 0 && p.Flags&elf.PF_X != 0 {
			t.Errorf("segment at %#x is writable and executable", p.Vaddr)
		}
		if p.Type != elf.PT_LOAD {
			continue
		}
		if p.Vaddr%p.Align != p.Off%p.Align || p.Vaddr < max(base, end) {
			t.Errorf("segment at %#x, offset %#x, after %#x", p.Vaddr, p.Off, end)
		}
		end = p.Vaddr + p.Memsz
		loads++
	}
	if loads != 2 {
		t.Errorf("%d segments to load", loads)
	}
}

// TestPages: the pages of the programs that fork and exec start are part of what
// those cost, and figures of the real Xen are compared over releases of this
// program. Operations that make one larger belong into another image.
func TestPages(t *testing.T) {
	for _, c := range []struct {
		name  string
		image func(uint64) ([]byte, error)
		pages []uint64 // of the segments
		file  int      // the file's
	}{
		{"Image", native.Image, []uint64{2, 1}, 4},
		{"Dynamic", native.Dynamic, []uint64{1, 2, 1, 2}, 7},
		{"IPC", native.IPC, []uint64{2, 1}, 4},
		{"DynamicIPC", native.DynamicIPC, []uint64{1, 2, 1, 2}, 7},
	} {
		b, err := c.image(base)
		if err != nil {
			t.Fatal(err)
		}
		f, err := elf.NewFile(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		const page = 4096
		var pages []uint64
		for _, p := range f.Progs {
			if p.Type == elf.PT_LOAD {
				pages = append(pages, (p.Memsz+page-1)/page)
			}
		}
		if file := (len(b) + page - 1) / page; !slices.Equal(pages, c.pages) || file != c.file {
			t.Errorf("%s: segments of %d pages in a file of %d; want %d in %d", c.name, pages, file, c.pages, c.file)
		}
	}
}

func TestImageErrors(t *testing.T) {
	for name, image := range images {
		for _, base := range []uint64{0, 1, 0x400800, 1 << 47} {
			if _, err := image(base); err == nil {
				t.Errorf("%s at %#x", name, base)
			}
		}
	}
}

// TestCode disassembles all of the code: it is valid, and every jump and call
// goes to the beginning of an instruction.
func TestCode(t *testing.T) {
	for name := range images {
		t.Run(name, func(t *testing.T) { checkCode(t, image(t, name, base)) })
	}
}

func checkCode(t *testing.T, image []byte) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	section := f.Section(".text")
	text, err := section.Data()
	if err != nil {
		t.Fatal(err)
	}
	// The strings come last.
	text = text[:bytes.Index(text, []byte("Hello world"))]
	starts, targets := map[int]bool{}, map[int]string{}
	for at := 0; at < len(text); {
		i, err := x86asm.Decode(text[at:], 64)
		if err != nil {
			t.Fatalf("at %#x: %v: % x", at, err, text[at:min(at+8, len(text))])
		}
		starts[at] = true
		at += i.Len
		if rel, ok := i.Args[0].(x86asm.Rel); ok {
			targets[at+int(rel)] = i.String()
		}
	}
	if len(targets) < 20 {
		t.Errorf("only %d targets of jumps", len(targets))
	}
	for to, i := range targets {
		if !starts[to] {
			t.Errorf("%s goes to %#x, where no instruction begins", i, to)
		}
	}
}

// server is a running program that serves an operation.
type server struct {
	*exec.Cmd
	requests io.WriteCloser
	replies  io.Reader
}

func serve(t *testing.T, op bench.NativeOp, args ...string) (*server, int) {
	t.Helper()
	return serveProgram(t, installImage(t, imageOf(op)), op, args...)
}

func serveProgram(t *testing.T, program string, op bench.NativeOp, args ...string) (*server, int) {
	t.Helper()
	return serveFiles(t, nil, program, op, args...)
}

// serveFiles gives the program files beside its own: the first is descriptor 3.
func serveFiles(t *testing.T, files []*os.File, program string, op bench.NativeOp, args ...string) (*server, int) {
	t.Helper()
	s := &server{Cmd: exec.Command(program, append([]string{string(op)}, args...)...)}
	s.ExtraFiles = files
	var err error
	if s.requests, err = s.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.replies = bufio.NewReader(out)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(8*time.Second, func() { s.Process.Kill() })
	t.Cleanup(func() { watchdog.Stop() })
	return s, s.reply(t)
}

func (s *server) reply(t *testing.T) int {
	t.Helper()
	b := make([]byte, native.ReplySize)
	if _, err := io.ReadFull(s.replies, b); err != nil {
		s.Process.Kill()
		t.Fatalf("read reply: %v; the server: %v", err, s.Wait())
	}
	return native.Reply(b)
}

func (s *server) run(t *testing.T, count, slot int64) int {
	t.Helper()
	b := make([]byte, native.RequestSize)
	native.Request{Count: count, Slot: slot}.Put(b)
	if _, err := s.requests.Write(b); err != nil {
		t.Fatal(err)
	}
	return s.reply(t)
}

// TestOperations runs loops of every operation, marked and not, and ends them.
func TestOperations(t *testing.T) {
	self := install(t)
	for _, tt := range []struct {
		op   bench.NativeOp
		args []string
	}{
		{native.Empty, nil},
		{bench.NativeFork, nil},
		{bench.NativeExec, []string{self}},
		{bench.NativeShell, []string{self, self}},
		{bench.NativeShell, []string{"/bin/sh", self}},
		{bench.NativeInstall, nil},
		{bench.NativeSend, nil},
		{bench.NativeCatch, nil},
		{bench.NativeProtect, nil},
		{bench.NativeCatchProtect, nil},
		{bench.NativePipe, nil},
		{bench.NativeUnix, nil},
		{bench.NativeRing, []string{"2", "0"}},
		{bench.NativeRing, []string{"8", "16384"}},
		{bench.NativeRing, []string{"1", "4096"}},
		{bench.NativeRing, []string{fmt.Sprint(native.MaxProcesses), "0"}},
		{bench.NativeRingAlone, []string{"8", "16384"}},
		{bench.NativeSelect, []string{"10"}},
		{bench.NativeSelect, []string{"100"}},
		{bench.NativeSelect, []string{"1000"}},
		{bench.NativeItimer, []string{"100"}},
	} {
		t.Run(strings.Join(append([]string{string(tt.op)}, tt.args...), " "), func(t *testing.T) {
			s, ready := serve(t, tt.op, tt.args...)
			if ready != 0 {
				t.Fatalf("ready: %v", syscall.Errno(ready))
			}
			for i, count := range []int64{1, 1, 17, 1} {
				if e := s.run(t, count, []int64{native.Unmarked, 0, native.Slots - 2}[i%3]); e != 0 {
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

// TestFailures: what an iteration should not do is told, and so is what cannot
// be readied.
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		op          bench.NativeOp
		args        []string
		ready, loop syscall.Errno
	}{
		{bench.NativeExec, []string{"/no/such/program"}, 0, syscall.EPROTO},
		{bench.NativeShell, []string{"/bin/sh", "/no/such/program"}, 0, syscall.EPROTO},
		{bench.NativeShell, []string{install(t), "/no/such/program"}, 0, syscall.EPROTO},
		{bench.NativeRing, []string{"0", "0"}, syscall.EINVAL, 0},
		{bench.NativeRing, []string{fmt.Sprint(native.MaxProcesses + 1), "0"}, syscall.EINVAL, 0},
		{bench.NativeSelect, []string{"9"}, syscall.EINVAL, 0},
		{bench.NativeSelect, []string{"1025"}, syscall.EINVAL, 0},
		{bench.NativeRingAlone, []string{"2", "9223372036854771712"}, syscall.ENOMEM, 0},
		{bench.NativeItimer, []string{"1000000"}, syscall.EINVAL, 0},
		{bench.NativeDatagram, []string{"8", "9", "9"}, syscall.EINVAL, 0},
		{bench.NativeDatagram, []string{"8", "9", "4"}, 0, syscall.EBADF},
		{bench.NativeExchange, []string{"8", "8", "9", "9"}, 0, syscall.EBADF},
		{bench.NativeLocks, []string{"8", "9"}, syscall.EBADF, 0},
		{bench.NativeSemaphores, []string{"99999999"}, 0, syscall.EINVAL},
		{bench.NativeConnect, []string{"8", "0"}, 0, syscall.ECONNREFUSED},
		{bench.NativeConnectUnix, []string{"8", "/no/such/socket"}, 0, syscall.ENOENT},
		{bench.NativeConnectUnix, []string{"8", "/" + strings.Repeat("n", 120)}, syscall.EINVAL, 0},
	} {
		t.Run(fmt.Sprint(tt.op, tt.args), func(t *testing.T) {
			s, ready := serve(t, tt.op, tt.args...)
			if syscall.Errno(ready) != tt.ready {
				t.Fatalf("ready: %v, want %v", syscall.Errno(ready), tt.ready)
			}
			if tt.ready == 0 {
				if e := syscall.Errno(s.run(t, 2, native.Unmarked)); e != tt.loop {
					t.Errorf("loop: %v, want %v", e, tt.loop)
				}
			}
			s.requests.Close()
			if err := s.Wait(); err != nil {
				t.Errorf("end: %v", err)
			}
		})
	}
}

// TestPrograms runs what the image is besides a server.
func TestPrograms(t *testing.T) {
	self := install(t)
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexit $(( 6 * 7 ))\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(t.TempDir(), "dead")
	if err := os.WriteFile(dead, []byte("#!/bin/sh\nkill -9 $$\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   []string
		out    string
		status int
	}{
		{nil, "Hello world\n", 0},
		{[]string{"-c", self}, "Hello world\n", 0},
		{[]string{"-c", script}, "", 42},
		{[]string{"-c", dead}, "", 128 + 9},
		{[]string{"-c", "/no/such/program"}, "", 127},
		{[]string{"-c"}, "", 2},
		{[]string{"fork2"}, "", 2},
		{[]string{"for"}, "", 2},
		{[]string{""}, "", 2},
		{[]string{"ring", "2"}, "", 2},
	} {
		cmd := exec.Command(self, tt.args...)
		out, _ := cmd.Output()
		if string(out) != tt.out || cmd.ProcessState.ExitCode() != tt.status {
			t.Errorf("%q: %q, status %d; want %q, %d", tt.args, out, cmd.ProcessState.ExitCode(), tt.out, tt.status)
		}
	}
}

// TestEveryOperationIsKnown: an operation that package bench names is one that
// the program has.
func TestEveryOperationIsKnown(t *testing.T) {
	has := map[string]map[string]bool{"Image": symbolsOf(t, "Image"), "IPC": symbolsOf(t, "IPC")}
	for _, op := range []bench.NativeOp{bench.NativeFork, bench.NativeExec, bench.NativeShell, bench.NativeInstall, bench.NativeSend,
		bench.NativeCatch, bench.NativeProtect, bench.NativeCatchProtect, bench.NativePipe, bench.NativeUnix, bench.NativeRing, bench.NativeRingAlone, bench.NativeSelect,
		bench.NativeExchange, bench.NativeDatagram, bench.NativeLocks, bench.NativeSemaphores, bench.NativeConnect, bench.NativeConnectUnix, bench.NativeItimer} {
		if in := imageOf(op); !has[in][string(op)] {
			t.Errorf("no symbol %s in %s", op, in)
		}
	}
}

func symbolsOf(t *testing.T, name string) map[string]bool {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(image(t, name, base)))
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, s := range symbols {
		has[s.Name] = true
	}
	return has
}
