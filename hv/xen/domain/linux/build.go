//go:build linux && (amd64 || 386)

package linux

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"xsmbench/abi"
	"xsmbench/bench"
)

var _ bench.Builder = (*OS)(nil)

// Compiler is the path of a C compiler.
func (o *OS) Compiler() string { return o.config.Compiler }

// Processors is how many this process may run on.
func (o *OS) Processors() int { return runtime.NumCPU() }

// ManyFiles reports whether there is room for them.
func (o *OS) ManyFiles() bool { return o.config.ManyFiles }

// dirMode is that of directories which Mkdir makes.
const dirMode = 0o755

// Mkdir makes a directory.
func (o *OS) Mkdir(path string) error {
	name, err := o.name(0, path)
	if err != nil {
		return err
	}
	_, _, e := syscall.RawSyscall(syscall.SYS_MKDIR, name, dirMode, 0)
	return failure(e)
}

// Rmdir removes an empty directory.
func (o *OS) Rmdir(path string) error {
	name, err := o.name(0, path)
	if err != nil {
		return err
	}
	_, _, e := syscall.RawSyscall(syscall.SYS_RMDIR, name, 0, 0)
	return failure(e)
}

// buildEnvironment is that of programs which Spawn starts: what the user has set
// would make runs differ. A compiler's temporary files lie where it works, and one
// that is a cache in front of another compiles.
var buildEnvironment = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TMPDIR=.", "CCACHE_DISABLE=1"}

// Spawn starts a program in a directory, by vfork and exec, as make does: nothing of
// this process is copied.
func (o *OS) Spawn(dir string, argv ...string) (int, error) {
	at, err := o.placed(dir)
	if err != nil {
		return 0, err
	}
	a := &syscall.ProcAttr{Dir: string(at), Env: buildEnvironment, Files: []uintptr{0, 2, 2}}
	if o.config.Mortal {
		a.Sys = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	}
	pid, err := syscall.ForkExec(argv[0], argv, a)
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", argv[0], err)
	}
	return pid, nil
}

// Reap waits for a child to end, whichever does first.
func (o *OS) Reap() (pid, status int, err error) {
	const any = ^uintptr(0)
	r, _, e := syscall.RawSyscall6(syscall.SYS_WAIT4, any, uintptr(unsafe.Pointer(&o.status)), 0, 0, 0, 0)
	if e != 0 {
		return 0, 0, abi.Errno(e)
	}
	return int(r), o.exitStatus(), nil
}

// Used is what this process and the children that it waited for have used.
func (o *OS) Used() bench.Usage {
	own, children := o.usageOf(0), o.Rusage() // RUSAGE_SELF
	return bench.Usage{
		User: own.User + children.User, System: own.System + children.System,
		Voluntary: own.Voluntary + children.Voluntary, Involuntary: own.Involuntary + children.Involuntary,
		MinorFaults: own.MinorFaults + children.MinorFaults,
	}
}

// Sync waits for the file system that a directory lies in.
func (o *OS) Sync(dir string) error {
	fd, err := o.Open(dir, bench.O_RDONLY)
	if err != nil {
		return err
	}
	defer o.Close(fd)
	_, _, e := syscall.RawSyscall(sysSyncfs, uintptr(fd), 0, 0)
	return failure(e)
}
