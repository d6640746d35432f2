package bench

// NativeOp names an operation that a target may run natively.
type NativeOp string

// Operations of NativeLoops, with their arguments. One iteration is what the
// benchmark of lmbench with the program's name does.
const (
	NativeFork    NativeOp = "fork"    // fork, exit with status 1, wait
	NativeExec    NativeOp = "exec"    // fork, exec /bin/hello, wait
	NativeShell   NativeOp = "sh"      // fork, exec "/bin/sh -c /bin/hello", wait
	NativeInstall NativeOp = "install" // install a handler for SIGUSR1
	NativeSend    NativeOp = "send"    // send signal 0 to oneself
	NativeCatch   NativeOp = "catch"   // send SIGUSR1 to oneself and handle it
	// NativeProtect stores to a read-only page; the handler of the last
	// fault of a loop makes it writable. NativeCatchProtect is NativeCatch
	// with the same two changes of a page's protection around the loop.
	NativeProtect      NativeOp = "prot"
	NativeCatchProtect NativeOp = "catchprot"
	NativePipe         NativeOp = "pipe" // a byte to another process and back by pipes
	NativeUnix         NativeOp = "unix" // the same by a pair of UNIX stream sockets
	// NativeRing passes a word once round a ring of processes (first
	// argument) that sum some memory each (second argument, bytes);
	// NativeRingAlone does the same work in one process.
	NativeRing      NativeOp = "ring"
	NativeRingAlone NativeOp = "ringalone"
	// NativeExchange passes a byte to another process and back by descriptors
	// (in and out of this process, in and out of the other). The process that
	// asked closes its own copies afterwards.
	NativeExchange NativeOp = "exchange"
	// NativeDatagram sends a message of at most 8 bytes (third argument) by a
	// connected socket (first) to one that another process answers by
	// (second), and receives the answer.
	NativeDatagram NativeOp = "datagram"
	// NativeLocks hands the locks of two files (arguments) to another process
	// and takes them back, NativeSemaphores those of a set of two (argument).
	NativeLocks      NativeOp = "fcntl"
	NativeSemaphores NativeOp = "sem"
	// NativeConnect connects by TCP to another process, which listens by the
	// first argument at the port that the second is, and closes.
	// NativeConnectUnix does so at UnixAddress.
	NativeConnect     NativeOp = "connect"
	NativeConnectUnix NativeOp = "connectunix"
	NativeItimer      NativeOp = "itimer" // sleep some µs (argument) by an interval timer
	// NativeStream reads messages of a size (third argument) by a socket (first) from
	// another process, which writes them by the second as fast as it can.
	NativeStream NativeOp = "stream"
	// NativeSelect asks which of the first descriptors (argument) can be
	// written to, as lat_select does.
	NativeSelect NativeOp = "select"
	// The same as NativeFork, NativeExec and NativeShell in a program that is
	// linked with the C library, as lmbench's are, and the last two with such a
	// program to start, and with the system's own shell.
	NativeLibraryFork  NativeOp = "libfork"
	NativeLibraryExec  NativeOp = "libexec"
	NativeLibraryShell NativeOp = "libsh"
	// Calls that a C program makes through its library, for targets whose processes are
	// to be such programs: getppid; a byte read from or written to a descriptor
	// (argument); and a mapping of a file (descriptor, size) of whose first tenth a
	// byte in every 16 KiB is written before it is unmapped, as lat_mmap does.
	NativeGetppid   NativeOp = "getppid"
	NativeReadByte  NativeOp = "readbyte"
	NativeWriteByte NativeOp = "writebyte"
	NativeMap       NativeOp = "mapfile"
	// NativeRandom calls one of the C library's generators of random numbers
	// (argument): drand48, lrand48, rand, random.
	NativeRandom NativeOp = "rand"
)

// UnixAddress is where lat_unix_connect's server listens.
const UnixAddress = "/tmp/af_unix"

// NativeLoops is what an OS may also implement if the runtime of the program
// that the benchmarks are part of would distort some operations: its mappings
// are copied by fork, its handlers stand before those of the benchmark, its
// threads take part in a switch. The target then runs those loops in code of
// its own.
//
// NativeLoop returns what a benchmark's Setup returns. If the target marks
// windows, the loop marks its own, and the domain's Marker only says which
// window is next. An error that is errors.ErrUnsupported leaves the operation
// to the portable code.
type NativeLoops interface {
	NativeLoop(op NativeOp, args ...int64) (loop Loop, cleanup func(), err error)
}
