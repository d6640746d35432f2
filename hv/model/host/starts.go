package host

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"xsmbench/hv"
	"xsmbench/hv/child"
)

// ErrNo386 is the cause when the kernel does not run 32-bit programs.
var ErrNo386 = errors.New("this kernel runs no 32-bit programs (it has no CONFIG_IA32_EMULATION, or it was booted with ia32_emulation=0), " +
	"so that nothing can be timed on 386; --accel icount counts instructions there, in QEMU's user mode")

// Starts fails if programs of the build's architecture cannot be started.
func (t *Target) Starts(b hv.Build, accel string) error {
	if accel == icount {
		if _, err := exec.LookPath(emulators[b.Arch]); err != nil {
			return ErrNoEmulator
		}
		return nil
	}
	if b.Arch != "386" || runtime.GOARCH == "386" {
		return nil
	}
	s, err := t.opened()
	if err != nil {
		return err
	}
	dir, release, err := s.Scratch("a 32-bit program")
	if err != nil {
		return err
	}
	defer release()
	return runs386(dir)
}

// exit386 is an x86_32 ELF executable that does nothing but exit(0).
var exit386 = []byte("\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00" + // 32 bits, little endian
	"\x02\x00\x03\x00\x01\x00\x00\x00\x54\x80\x04\x08\x34\x00\x00\x00" + // executable, EM_386, entry, program headers
	"\x00\x00\x00\x00\x00\x00\x00\x00\x34\x00\x20\x00\x01\x00\x00\x00\x00\x00\x00\x00" + // sizes; one program header
	"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x80\x04\x08\x00\x80\x04\x08" + // PT_LOAD at 0x08048000
	"\x5d\x00\x00\x00\x5d\x00\x00\x00\x05\x00\x00\x00\x00\x10\x00\x00" + // 93 bytes, to read and execute
	"\xb8\x01\x00\x00\x00\x31\xdb\xcd\x80") // mov $1, %eax; xor %ebx, %ebx; int $0x80

// runs386 starts a 32-bit program in a directory of programs: no file of the
// kernel's says whether it would run.
func runs386(dir string) error {
	file, err := writeProgram(dir, exit386)
	if err != nil {
		return fmt.Errorf("try a 32-bit program: %w", err)
	}
	defer os.Remove(file)
	err = run(file)
	if errors.Is(err, syscall.ENOEXEC) {
		return ErrNo386
	}
	if err != nil {
		return fmt.Errorf("try a 32-bit program: %w", err)
	}
	return nil
}

func writeProgram(dir string, program []byte) (string, error) {
	f, err := os.CreateTemp(dir, "exit386")
	if err != nil {
		return "", err
	}
	_, err = f.Write(program)
	if err = errors.Join(err, f.Chmod(0o700), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// run starts a program that was just written. A child that another goroutine
// was starting meanwhile may hold the file open for writing until it executes
// its own program.
func run(file string) error {
	for try := 0; ; try++ {
		err := child.Run(exec.Command(file))
		if !errors.Is(err, syscall.ETXTBSY) || try == 10 {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
