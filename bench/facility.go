package bench

import "time"

// Facility names what a benchmark needs of an operating system beside OS: one
// of the interfaces below, which an OS may also implement.
type Facility string

// Facilities.
const (
	Seeking    Facility = "seeking in files"    // Seeker
	FIFOs      Facility = "FIFOs"               // FIFOMaker
	Locking    Facility = "record locks"        // Locker
	Semaphores Facility = "semaphores"          // SemaphoreOwner
	Sleeping   Facility = "timers for sleeping" // Sleeper
	Networking Facility = "sockets"             // Sockets
	Disks      Facility = "a block device"      // DiskOwner, whose Disk names one
	Compiling  Facility = "a C compiler"        // Builder, whose Compiler names one
	// DynamicPrograms are DynamicOwner's, whose Dynamic names one.
	DynamicPrograms Facility = "programs linked with the C library"
)

// Has reports whether an operating system has a facility.
func Has(os OS, f Facility) bool {
	ok := false
	switch f {
	case Seeking:
		_, ok = os.(Seeker)
	case FIFOs:
		_, ok = os.(FIFOMaker)
	case Locking:
		_, ok = os.(Locker)
	case Semaphores:
		_, ok = os.(SemaphoreOwner)
	case Sleeping:
		_, ok = os.(Sleeper)
	case Networking:
		_, ok = os.(Sockets)
	case Disks:
		d, owner := os.(DiskOwner)
		ok = owner && d.Disk() != ""
	case Compiling:
		b, builder := os.(Builder)
		ok = builder && b.Compiler() != ""
	case DynamicPrograms:
		d, owner := os.(DynamicOwner)
		ok = owner && d.Dynamic() != ""
	case Domains:
		t, owner := os.(ToolstackOwner)
		ok = owner && t.Toolstack() != nil
	case BlockIO:
		b, owner := os.(BlockOwner)
		ok = owner && b.Block() != ""
	case Neighbours:
		n, owner := os.(NetworkOwner)
		ok = owner && n.Server() != Host{}
	}
	return ok
}

// Lacking returns the first facility that a benchmark needs and that has does
// not report, "" if there is none.
func (b Benchmark) Lacking(has func(Facility) bool) Facility {
	for _, f := range b.Needs {
		if !has(f) {
			return f
		}
	}
	return ""
}

// Seeker moves in open files.
type Seeker interface {
	// Seek sets the position of an open file, in bytes from its beginning.
	Seek(fd FD, offset int64) error
	// Fsync waits until what was written is on the device.
	Fsync(FD) error
}

// FIFOMaker makes named pipes.
type FIFOMaker interface {
	// Mkfifo makes a named pipe. Opening one end waits for the other.
	Mkfifo(path string) error
}

// Locker locks the first byte of open files for their process (fcntl).
type Locker interface {
	// Lock takes the exclusive lock of an open file's first byte, and waits
	// for whoever has it (F_SETLKW).
	Lock(FD) error
	// Unlock gives it back (F_SETLK with F_UNLCK).
	Unlock(FD) error
}

// SemaphoreOwner has sets of System V semaphores.
type SemaphoreOwner interface {
	// NewSemaphores makes a set of count semaphores, all zero.
	NewSemaphores(count int) (id int, err error)
	// Operate does operations on a set, all of them or none, and waits until
	// it can.
	Operate(id int, ops []SemaphoreOp) error
	// RemoveSemaphores removes a set. Who waits for it fails.
	RemoveSemaphores(id int) error
}

// SemaphoreOp adds to a semaphore of a set; it waits until the sum is not
// negative. The layout is that of struct sembuf.
type SemaphoreOp struct {
	Number uint16
	Add    int16
	_      int16 // flags
}

// SleepMethod is a way to sleep, named as lat_usleep's option.
type SleepMethod string

// Ways to sleep.
const (
	Usleep    SleepMethod = "usleep"
	Nanosleep SleepMethod = "nanosleep"
	SleepIn   SleepMethod = "select"  // select with no descriptors
	SleepInP  SleepMethod = "pselect" // pselect with no descriptors
	Itimer    SleepMethod = "itimer"  // an interval timer, whose signal is waited for
)

// SleepMethods lists them.
func SleepMethods() []SleepMethod { return []SleepMethod{Usleep, Nanosleep, SleepIn, SleepInP, Itimer} }

// Sleeper can wait for the time.
type Sleeper interface {
	// ReadySleep readies sleeps of a length by a method. Each call of sleep
	// returns when the time is over; end undoes what was readied.
	ReadySleep(m SleepMethod, length time.Duration) (sleep func() error, end func(), err error)
}

// SocketKind is what a socket speaks.
type SocketKind int

// Kinds of sockets.
const (
	TCP        SocketKind = iota // over IPv4
	UDP                          // over IPv4
	UnixStream                   // AF_UNIX
)

// SocketAddr is where a socket is: a name in the file system for one of
// UnixStream, else a port of a host, this one unless it is named.
type SocketAddr struct {
	Path string
	Host Host
	Port uint16
}

// Sockets connects processes of this machine. The loopback device is up when
// Socket has returned.
type Sockets interface {
	Socket(SocketKind) (FD, error)
	// Bind gives a socket its address; port 0 becomes a free one. It
	// returns the address.
	Bind(FD, SocketKind, SocketAddr) (SocketAddr, error)
	Listen(FD) error
	Accept(FD) (FD, error)
	Connect(FD, SocketKind, SocketAddr) error
	// Send and Receive move one message of a connected socket of UDP.
	Send(FD, []byte) (int, error)
	Receive(FD, []byte) (int, error)
	// ReceiveFrom and Reply serve: the address that the last message came
	// from is the one that Reply sends to.
	ReceiveFrom(FD, []byte) (int, error)
	Reply(FD, []byte) (int, error)
	// Buffers sets how much a socket buffers of what it receives and of what it
	// sends, in bytes; 0 leaves it to the kernel. Before a connection is made, it
	// also sets how much the other end may send at a time.
	Buffers(fd FD, receive, send int) error
	// Reuse lets a socket have an address that an earlier one had
	// (SO_REUSEADDR).
	Reuse(FD) error
	// Duplicate makes another descriptor of an open file (dup).
	Duplicate(FD) (FD, error)
	// SelectWritable polls the first n descriptors (zero time-out); w is
	// replaced by the set of writable ones.
	SelectWritable(n int, w *FDSet) (int, error)
}

// DiskOwner may have a disk that nobody else uses.
type DiskOwner interface {
	// Disk is the path of a block device, or of a file in its place; "" for
	// none. What is on it is lost.
	Disk() string
}

// DynamicOwner may have programs that the dynamic linker begins.
type DynamicOwner interface {
	// Dynamic is the path of such a program, which a target's native loops are in;
	// "" for none.
	Dynamic() string
}

// Roomy is what an OS may also implement whose file system has room for as many files
// as a benchmark makes in a window.
type Roomy interface {
	// ManyFiles reports whether it has.
	ManyFiles() bool
	Mkdir(path string) error
	Rmdir(path string) error
}

// Builder can build programs: it may have a C compiler, and does what make and
// time(1) do.
type Builder interface {
	// Compiler is the path of the compiler's program; "" for none.
	Compiler() string
	// Processors is how many the processes of this system may run on.
	Processors() int
	Mkdir(path string) error
	Rmdir(path string) error
	// Spawn starts a program in a directory. What it prints goes where this
	// process's errors go.
	Spawn(dir string, argv ...string) (pid int, err error)
	// Reap waits for a child to end.
	Reap() (pid, status int, err error)
	// Used is what this process and the children that it waited for have used.
	Used() Usage
	// Sync waits until what was written to the file system of a directory is on
	// its device.
	Sync(dir string) error
}
