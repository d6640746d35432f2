//go:build linux && (amd64 || 386)

// Package linux is bench.OS on a real Linux kernel: what the benchmarks run on
// inside a domain of the real Xen, and just as well on any Linux machine.
//
// What may be timed is raw system calls that allocate nothing: paths are
// copied to buffers of the OS, results are in memory of the OS. A call keeps
// its thread until it returns; the Go scheduler does not know of it.
//
// Go's runtime stands between a program and its signals, and knows nothing of
// a fork. Operations that live of them are therefore left to a program without
// a runtime (package native), if Config says where it is; what this package
// does for them itself has their meaning, not their cost:
//
//   - A handler of Sigaction runs as an ordinary call, after the kill or the
//     access to memory that caused the signal. Signals that others send are
//     not handled.
//   - A child of Fork is the calling thread alone: it must not start or wait
//     for goroutines. The collector does not run in it, and it can handle no
//     signal but SIGSEGV.
//
// As for every bench.OS, one goroutine uses an OS at a time, and it should be
// locked to its thread.
package linux

import (
	"os"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"xsmbench/abi"
	"xsmbench/bench"
)

// Config says what an OS finds in its file system.
type Config struct {
	// Native is the path of the program of package native; "" leaves its
	// operations to the portable code.
	Native string
	// IPC is that of the second program of the package (native.IPC), if there
	// is Native.
	IPC string
	// Hello and Shell are what exec benchmarks start in place of /bin/hello
	// and /bin/sh; "" for those.
	Hello, Shell string
	// Dynamic is the path of the same program linked with the C library
	// (native.Dynamic), as lmbench's programs are C programs. It runs the operations
	// of bench.NativeLibraryFork and the like, which are refused with "".
	Dynamic string
	// DynamicIPC is that of the second program, linked in the same way.
	DynamicIPC string
	// MostDynamic has Dynamic and DynamicIPC run what Native and IPC else do. Left to
	// Native are processes of a few pages.
	MostDynamic bool
	// LibraryShell is the shell that Dynamic starts, "" for /bin/sh.
	LibraryShell string
	// Mortal has every process that the OS makes die with the one that made
	// it, as a program on a host must that leaves nothing behind. A domain ends
	// as a whole.
	Mortal bool
	// Tmp is a directory in place of /tmp, as tests need one of their own;
	// "" for that.
	Tmp string
	// ManyFiles says that there is room for as many files as a benchmark makes in a
	// window.
	ManyFiles bool
	// Block is the path of a block device that nobody else uses, or of a file
	// in its place; "" for none. What is on it is lost.
	Block string
	// Compiler is the path of a C compiler; "" for none.
	Compiler string
	// Virtual is the path of a virtual block device, "" for none. What is on it is
	// lost.
	Virtual string
	// Server is where a server of package workloads/network answers, the zero
	// address for none.
	Server bench.Host
	// Toolstack makes domains, nil for none.
	Toolstack bench.Toolstack
	// Lacks are reasons for which there is not what could be.
	Lacks map[bench.Facility]string
}

// OS implements bench.OS with all facilities, bench.NativeLoops and, for the
// domain that it is part of, bench.Marker.
type OS struct {
	config   Config
	start    time.Time
	path     [2]pathBuffer
	stat     kernelStat
	usage    syscall.Rusage
	status   int32
	pair     [2]int32
	handlers [signals]handler
	windows  *windows // of all of the domain's processes
	forked   bool     // of a child of Fork
	sockets  socketState
	lock     syscall.Flock_t
}

// OwnDescriptors gives the calling thread descriptors of its own, a copy of those
// that the program has open. Descriptors that threads share cost the kernel two
// atomic operations more in every call that names one (__fget_light in Linux's
// fs/file.c), in select for each of them, and lmbench's programs have one thread.
//
// The thread must be locked to its goroutine until the program ends, and no
// other may use what it opens from now on. Where the kernel refuses, the
// descriptors stay shared, and the calls are a little slower.
//
// Go's run-time system waits for descriptors by one of its own, which any thread
// may use: it is opened before.
func OwnDescriptors() {
	if r, w, err := os.Pipe(); err == nil { // has the run-time system open it
		r.Close()
		w.Close()
	}
	syscall.RawSyscall(syscall.SYS_UNSHARE, syscall.CLONE_FILES, 0, 0)
}

// New returns the OS of the calling process.
func New(c Config) *OS {
	if c.Hello == "" {
		c.Hello = "/bin/hello"
	}
	if c.Shell == "" {
		c.Shell = "/bin/sh"
	}
	if c.LibraryShell == "" {
		c.LibraryShell = "/bin/sh"
	}
	return &OS{config: c, start: time.Now(), windows: &windows{}}
}

var (
	_ bench.OS          = (*OS)(nil)
	_ bench.NativeLoops = (*OS)(nil)
	_ bench.Marker      = (*OS)(nil)

	_ bench.Spanner         = (*OS)(nil)
	_ bench.Roomy           = (*OS)(nil)
	_ bench.EmptyPathStater = (*OS)(nil)
	_ bench.Seeker          = (*OS)(nil)
	_ bench.FIFOMaker       = (*OS)(nil)
	_ bench.Locker          = (*OS)(nil)
	_ bench.SemaphoreOwner  = (*OS)(nil)
	_ bench.Sleeper         = (*OS)(nil)
	_ bench.Sockets         = (*OS)(nil)
	_ bench.DiskOwner       = (*OS)(nil)
	_ bench.DynamicOwner    = (*OS)(nil)
)

// result is what a system call returns, as bench.OS has it.
func result(r uintptr, e syscall.Errno) (int, error) {
	if e != 0 {
		return -1, abi.Errno(e)
	}
	return int(r), nil
}

// failure is the error of a system call that returns nothing else.
func failure(e syscall.Errno) error {
	if e != 0 {
		return abi.Errno(e)
	}
	return nil
}

// pathBuffer holds a path as the kernel wants it.
type pathBuffer [4096]byte

const tmp = "/tmp/"

// name puts a path, with Tmp applied, into one of the buffers.
func (o *OS) name(buffer int, path string) (uintptr, error) {
	b := &o.path[buffer]
	n := 0
	if o.config.Tmp != "" && strings.HasPrefix(path, tmp) && path != o.config.Block {
		n = copy(b[:], o.config.Tmp)
		path = path[len(tmp)-1:]
	}
	n += copy(b[n:], path)
	if n == len(b) {
		return 0, abi.Errno(syscall.ENAMETOOLONG)
	}
	b[n] = 0
	return uintptr(unsafe.Pointer(b)), nil
}

// Getpid returns the process's number.
func (o *OS) Getpid() int {
	r, _, _ := syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
	return int(r)
}

// Getppid returns the parent's number.
func (o *OS) Getppid() int {
	r, _, _ := syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0)
	return int(r)
}

// Now is the time since the OS was made, on the kernel's monotonic clock.
func (o *OS) Now() time.Duration { return time.Since(o.start) }

// Rusage tells what children that were waited for have used.
func (o *OS) Rusage() bench.Usage {
	const children = ^uintptr(0) // RUSAGE_CHILDREN
	return o.usageOf(children)
}

func (o *OS) usageOf(whom uintptr) bench.Usage {
	u := &o.usage
	syscall.RawSyscall(syscall.SYS_GETRUSAGE, whom, uintptr(unsafe.Pointer(u)), 0)
	return bench.Usage{
		User: time.Duration(u.Utime.Nano()), System: time.Duration(u.Stime.Nano()),
		Voluntary: int64(u.Nvcsw), Involuntary: int64(u.Nivcsw), MinorFaults: int64(u.Minflt),
	}
}
