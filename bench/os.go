package bench

import (
	"time"

	"xsmbench/abi"
)

// FD is a file descriptor, Addr a virtual address of the calling process.
type (
	FD   int
	Addr uint64
)

// Signal is a signal number, Linux's on x86.
type Signal int

// Signals that benchmarks use.
const (
	SIGUSR1 Signal = 10
	SIGSEGV Signal = 11
	SIGCHLD Signal = 17
)

// Flags of Open.
const (
	O_RDONLY = 0x0
	O_WRONLY = 0x1
	O_RDWR   = 0x2
	O_CREAT  = 0x40
	O_TRUNC  = 0x200
)

// Protections and flags of Mmap.
const (
	PROT_READ  = 0x1
	PROT_WRITE = 0x2

	MAP_SHARED    = 0x01
	MAP_PRIVATE   = 0x02
	MAP_ANONYMOUS = 0x20
)

// Stat is what Stat and Fstat tell of a file.
type Stat struct {
	Ino  uint64
	Mode uint32
	Size int64
}

// FDSet is a set of descriptors below 1024, as select takes it.
type FDSet [16]uint64

// Set adds fd to the set.
func (s *FDSet) Set(fd FD) { s[fd/64] |= 1 << (fd % 64) }

// Has reports whether fd is in the set.
func (s *FDSet) Has(fd FD) bool { return s[fd/64]&(1<<(fd%64)) != 0 }

// OS is a process's view of its operating system: the system calls that the
// benchmarks time, and the memory accesses that make it fault. Each value
// belongs to one process and is used only from that process's code. Errors
// are of type abi.Errno (positive), whose numbers are Linux's too.
type OS interface {
	Getpid() int
	Getppid() int

	Open(path string, flags int) (FD, error)
	Close(FD) error
	Read(FD, []byte) (int, error)
	Write(FD, []byte) (int, error)
	Stat(path string, st *Stat) error
	Fstat(FD, *Stat) error
	Unlink(path string) error
	Rename(old, new string) error
	Ftruncate(fd FD, size int64) error

	Pipe() (r, w FD, err error)
	Socketpair() (a, b FD, err error) // AF_UNIX, SOCK_STREAM
	// Select polls the first n descriptors (zero time-out); r is replaced
	// by the set of readable ones.
	Select(n int, r *FDSet) (int, error)

	// Sigaction installs a handler; nil restores the default.
	Sigaction(sig Signal, handler func(Signal)) error
	Kill(pid int, sig Signal) error

	// Fork makes a child that runs the given code on a copy of the
	// address space and exits with what it returns.
	Fork(child func(OS) int) (pid int, err error)
	// Exec replaces the process by the program at path: it is used as
	// "return os.Exec(…)" in a child, since a target may run the new
	// program before it returns its exit status. On failure it returns 127.
	Exec(path string, args ...string) int
	// Wait waits for a child (any if pid is -1) and reaps it.
	Wait(pid int) (status int, err error)
	// Yield gives the processor to another runnable process (sched_yield).
	Yield()

	// Mmap maps length bytes of fd, or zeroes with MAP_ANONYMOUS.
	Mmap(length int, prot, flags int, fd FD, offset int64) (Addr, error)
	Munmap(a Addr, length int) error
	Mprotect(a Addr, length int, prot int) error
	Msync(a Addr, length int) error
	// Load and Store access one byte of memory as the processor does: a
	// page that is absent or protected faults, and the access is retried
	// after the fault's handler has returned.
	Load(Addr) byte
	Store(Addr, byte)
	// Page returns the memory from a to the end of its page, faulted in
	// for reading or writing. It stays valid until the mapping changes.
	Page(a Addr, write bool) []byte

	// Now is the process's monotonic clock, the one benchmarks time with.
	Now() time.Duration
	// Rusage tells what the children that were waited for have used, and
	// theirs in turn (getrusage with RUSAGE_CHILDREN).
	Rusage() Usage
}

// EmptyPathStater is what an OS may also implement whose kernel has newfstatat: it
// is Fstat by the path "" below fd, with AT_EMPTY_PATH.
type EmptyPathStater interface {
	FstatEmptyPath(fd FD, st *Stat) error
}

// Spanner is what an OS may also implement where mappings lie in one piece in the
// memory of the program that the benchmarks are part of.
type Spanner interface {
	// Span returns length bytes from a, which must be mapped. They stay valid
	// until the mapping changes; pages that are not present fault.
	Span(a Addr, length int) []byte
}

// Usage is what processes used of their operating system: the figures of
// time(1) that kernbench reports.
type Usage struct {
	User, System time.Duration // processor time
	// Voluntary counts switches because a process had to wait, Involuntary
	// those because its time was up or another was more urgent.
	Voluntary, Involuntary int64
	MinorFaults            int64 // page faults that no device was needed for
}

// Sub returns what was used since earlier.
func (u Usage) Sub(earlier Usage) Usage {
	return Usage{
		User:        u.User - earlier.User,
		System:      u.System - earlier.System,
		Voluntary:   u.Voluntary - earlier.Voluntary,
		Involuntary: u.Involuntary - earlier.Involuntary,
		MinorFaults: u.MinorFaults - earlier.MinorFaults,
	}
}

// Hypercalls is a domain's view of the hypervisor, for the benchmarks that
// time single hypercalls.
type Hypercalls interface {
	// DomID is the domain's own number, Privileged whether it is dom0.
	DomID() abi.DomID
	Privileged() bool
	// Prepare readies a hypercall for repeated calls: a target may copy
	// the arguments to where the hypervisor can read them. The call
	// returns what the hypercall does, a negated error number on failure;
	// results that the hypercall writes are then in the structure of a.
	// Every call reads its input there anew.
	Prepare(op abi.Hypercall, a *abi.Args) (call func() int64, err error)
	// Scratch gives memory for calls that need some.
	Scratch() (Scratch, error)
	// Peer gives what the other domain offers, or an error if there is
	// no other domain.
	Peer() (Peer, error)
}

// Echoer is what Hypercalls may also implement if the other domain answers
// events.
type Echoer interface {
	// Echo readies a round trip: send an event to the other domain and wait
	// for the one that it sends back.
	Echo() (roundTrip func() error, err error)
}

// FrameMapper is what Hypercalls may also implement if the domain can reach
// memory that it names by frames: its own that the hypervisor shares with it,
// and, if it is privileged, other domains'.
type FrameMapper interface {
	// MapFrame maps a frame of a domain, DomSelf for the own, for reading and
	// writing. The page is valid until unmap.
	MapFrame(dom abi.DomID, frame abi.MFN) (page []byte, unmap func(), err error)
}

// Scratch is a page of the domain's own set aside for benchmarks.
type Scratch struct {
	MFN abi.MFN // its machine frame
	PFN abi.PFN
	VA  uint64  // where the kernel maps it
	PTE uint64  // machine address of the entry that maps it, 0 if unknown
	L1  abi.MFN // a frame that holds a valid, unpinned, empty L1 table; InvalidMFN if none
	// FreeVA is a kernel address with a page table and no mapping.
	FreeVA uint64
}

// Peer is what a domain offers to the other for benchmarks.
type Peer struct {
	Dom   abi.DomID
	Grant abi.GrantRef // a page that the peer granted, read and write
	Port  abi.Port     // a local port bound to the peer
}
