package lmbench

import (
	"fmt"

	"xsmbench/bench"
)

// registerSyscall registers lat_syscall: calls that never leave the guest.
func registerSyscall() {
	for _, b := range []bench.Benchmark{
		{Name: "lat_syscall/op=null", Doc: "getppid", Source: "lat_syscall null", Setup: native(bench.NativeGetppid, null)},
		{Name: "lat_syscall/op=read", Doc: "read one byte of /dev/zero", Source: "lat_syscall read", Setup: readZero},
		{Name: "lat_syscall/op=write", Doc: "write one byte to /dev/null", Source: "lat_syscall write", Setup: writeNull},
		{Name: "lat_syscall/op=stat", Doc: "stat a file", Source: "lat_syscall stat", Setup: stat},
		{Name: "lat_syscall/op=fstat", Doc: "fstat an open file by the call of that name (lmbench's own with glibc up to 2.32 and from 2.39)", Source: "lat_syscall fstat", Setup: fstat},
		{
			Name: "lat_syscall/op=fstat/call=newfstatat", Source: "lat_syscall fstat", Setup: fstatEmptyPath, Full: true, CLibrary: true,
			Doc: "fstat an open file by newfstatat with an empty path, as the C library of lmbench's programs does (glibc 2.33 to 2.38)",
		},
		{Name: "lat_syscall/op=open", Doc: "open and close a file", Source: "lat_syscall open", Setup: openClose},
	} {
		register(b)
	}
}

func null(d bench.Domain) (bench.Loop, func(), error) {
	os := d.OS()
	return func(n int64) error {
		for ; n > 0; n-- {
			os.Getppid()
		}
		return nil
	}, nil, nil
}

func readZero(d bench.Domain) (bench.Loop, func(), error) {
	return oneByte(d.OS(), "/dev/zero", bench.O_RDONLY, bench.NativeReadByte, d.OS().Read)
}

func writeNull(d bench.Domain) (bench.Loop, func(), error) {
	return oneByte(d.OS(), "/dev/null", bench.O_WRONLY, bench.NativeWriteByte, d.OS().Write)
}

// oneByte moves one byte to or from a device.
func oneByte(os bench.OS, path string, flags int, op bench.NativeOp, move func(bench.FD, []byte) (int, error)) (bench.Loop, func(), error) {
	fd, err := os.Open(path, flags)
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	b := make([]byte, 1)
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if k, err := move(fd, b); k != 1 {
				return fmt.Errorf("move a byte of %s: %d moved: %w", path, k, cause(err))
			}
		}
		return nil
	}
	loop, cleanup, err := nativeOr(os, loop, op, int64(fd))
	if err != nil {
		os.Close(fd)
		return nil, nil, err
	}
	return loop, func() { cleanup(); os.Close(fd) }, nil
}

func stat(d bench.Domain) (bench.Loop, func(), error) {
	os := d.OS()
	if err := makeFile(os, scratchFile, 1); err != nil {
		return nil, nil, err
	}
	var st bench.Stat
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if err := os.Stat(scratchFile, &st); err != nil {
				return fmt.Errorf("stat %s: %w", scratchFile, err)
			}
		}
		return nil
	}
	return loop, func() { os.Unlink(scratchFile) }, nil
}

func fstat(d bench.Domain) (bench.Loop, func(), error) {
	return statOpen(d.OS(), d.OS().Fstat)
}

func fstatEmptyPath(d bench.Domain) (bench.Loop, func(), error) {
	if os, ok := d.OS().(bench.EmptyPathStater); ok {
		return statOpen(d.OS(), os.FstatEmptyPath)
	}
	return fstat(d)
}

func statOpen(os bench.OS, stat func(bench.FD, *bench.Stat) error) (bench.Loop, func(), error) {
	fd, err := openFile(os, scratchFile, 1)
	if err != nil {
		return nil, nil, err
	}
	var st bench.Stat
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if err := stat(fd, &st); err != nil {
				return fmt.Errorf("fstat %s: %w", scratchFile, err)
			}
		}
		return nil
	}
	return loop, func() { os.Close(fd); os.Unlink(scratchFile) }, nil
}

func openClose(d bench.Domain) (bench.Loop, func(), error) {
	os := d.OS()
	if err := makeFile(os, scratchFile, 1); err != nil {
		return nil, nil, err
	}
	loop := func(n int64) error {
		for ; n > 0; n-- {
			fd, err := os.Open(scratchFile, bench.O_RDONLY)
			if err != nil {
				return fmt.Errorf("open %s: %w", scratchFile, err)
			}
			if err := os.Close(fd); err != nil {
				return fmt.Errorf("close %s: %w", scratchFile, err)
			}
		}
		return nil
	}
	return loop, func() { os.Unlink(scratchFile) }, nil
}
