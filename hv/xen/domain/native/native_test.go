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

func image(t *testing.T, base uint64) []byte {
	t.Helper()
	b, err := native.Image(base)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// install writes the program to a file.
func install(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("a Linux program")
	}
	path := filepath.Join(t.TempDir(), "native")
	if err := os.WriteFile(path, image(t, base), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestImage reads the image as any ELF reader does, and finds the marks where
// the base says, filled with returns.
func TestImage(t *testing.T) {
	for _, base := range []uint64{0x400000, 0x20000000, 0x7f0000000000} {
		b := image(t, base)
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
		if got := text[off : off+mark.Slots]; !bytes.Equal(got, bytes.Repeat([]byte{0xc3}, mark.Slots)) {
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

func TestImageErrors(t *testing.T) {
	for _, base := range []uint64{0, 1, 0x400800, 1 << 47} {
		if _, err := native.Image(base); err == nil {
			t.Errorf("an image at %#x", base)
		}
	}
}

// TestCode disassembles all of the code: it is valid, and every jump and call
// goes to the beginning of an instruction.
func TestCode(t *testing.T) {
	f, err := elf.NewFile(bytes.NewReader(image(t, base)))
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
	return serveProgram(t, install(t), op, args...)
}

func serveProgram(t *testing.T, program string, op bench.NativeOp, args ...string) (*server, int) {
	t.Helper()
	s := &server{Cmd: exec.Command(program, append([]string{string(op)}, args...)...)}
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
	} {
		t.Run(strings.Join(append([]string{string(tt.op)}, tt.args...), " "), func(t *testing.T) {
			s, ready := serve(t, tt.op, tt.args...)
			if ready != 0 {
				t.Fatalf("ready: %v", syscall.Errno(ready))
			}
			for i, count := range []int64{1, 1, 17, 1} {
				if e := s.run(t, count, []int64{native.Unmarked, 0, mark.Slots - 2}[i%3]); e != 0 {
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
	f, err := elf.NewFile(bytes.NewReader(image(t, base)))
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
	for _, op := range []bench.NativeOp{bench.NativeFork, bench.NativeExec, bench.NativeShell, bench.NativeInstall, bench.NativeSend,
		bench.NativeCatch, bench.NativeProtect, bench.NativeCatchProtect, bench.NativePipe, bench.NativeUnix, bench.NativeRing, bench.NativeRingAlone, bench.NativeSelect} {
		if !has[string(op)] {
			t.Errorf("no symbol %s", op)
		}
	}
}
