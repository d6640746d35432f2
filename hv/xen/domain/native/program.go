// Package native makes the program that runs operations in which a language's
// runtime would take part: fork, exec, signals, faults, and switches between
// processes (the operations of bench.NativeLoops). The program has no runtime
// and no library. It is a static ELF file of a few pages, whose
// machine code this package writes, so that the guests' side needs no other
// compiler than Go's.
//
// One image is three programs, told apart by their arguments:
//
//	IMAGE                  /bin/hello: prints a line
//	IMAGE -c PATH          /bin/sh: forks, execs PATH, waits, exits with its status
//	IMAGE OPERATION ARG…   readies the operation and then serves loops of it
//
// Linked with the C library (Dynamic) it has the mappings, the pages and the way
// to its end of a C program, and a few more operations, which fork through the
// library.
//
// The operations of sockets, locks, semaphores and the interval timer are in an
// image of their own (IPC): how many pages the first one has is part of what its
// fork and exec cost.
//
// A server first writes a Reply to descriptor 1, zero when it is ready. Then it
// reads Requests from descriptor 0 and answers each when its loop has run. At
// the end of its input it ends its processes, waits for them and exits.
//
// Loops follow lmbench 3's lat_proc.c, lat_sig.c, lat_pipe.c, lat_unix.c,
// lat_ctx.c, lat_fifo.c, lat_tcp.c, lat_udp.c, lat_connect.c, lat_unix_connect.c,
// lat_fcntl.c, lat_sem.c, lat_usleep.c, bw_tcp.c and lat_rand.c. A window is marked around a whole loop,
// by the program's own table of marks (see package mark).
package native

import (
	"slices"

	"xsmbench/bench"
)

// program is the program being assembled. data is the address of its one page
// of data, which rbp holds everywhere but in signal handlers. got is the address
// of its table of C library functions, 0 if it is linked with none. ipc tells the
// image of the operations between processes.
type program struct {
	*assembler
	data, got  uint64
	ipc        bool
	timedCalls int // emitted, through the library
}

func newProgram(data, got uint64) *program {
	return &program{assembler: newAssembler(), data: data, got: got}
}

// Linux system calls (arch/x86/entry/syscalls/syscall_64.tbl).
const (
	sysRead         = 0
	sysWrite        = 1
	sysClose        = 3
	sysMmap         = 9
	sysMprotect     = 10
	sysRtSigaction  = 13
	sysRtSigreturn  = 15
	sysPipe         = 22
	sysGetpid       = 39
	sysSocketpair   = 53
	sysFork         = 57
	sysExecve       = 59
	sysWait4        = 61
	sysKill         = 62
	sysFtruncate    = 77
	sysClockGettime = 228
	sysExitGroup    = 231
	sysDup2         = 33
	sysPselect6     = 270
	sysMemfdCreate  = 319
	sigactionSize   = 8 // of the mask
	flagRestorer    = 0x04000000
	protRead        = 0x1
	protWrite       = 0x2
	mapShared       = 0x1
	mapPrivate      = 0x2
	mapAnonymous    = 0x20
	familyUnix      = 1
	socketStream    = 1
	signalUser1     = int64(bench.SIGUSR1)
	signalSegfault  = int64(bench.SIGSEGV)
	exitedWith1     = 1 << 8 // wait's status
	errIO           = -5
	errAgain        = -11
	errInvalid      = -22
	errProtocol     = -71
	descriptors     = 1024 // more than the program ever opens
	statusUsage     = 2
	statusNoProgram = 127
	statusSignal    = 128
)

// Slots is the length of the program's table of marks: Slots-1 windows, and the
// end.
const Slots = 1024

// MaxProcesses is the longest ring.
const MaxProcesses = 128

// What the page of data holds.
const (
	request  = 0 // count, slot
	reply    = 16
	args     = 24 // where argc is on the stack
	status   = 32 // wait's
	caught   = 40 // signals handled
	wanted   = 48 // signals to handle
	left     = 56 // faults to come
	result   = 64
	page     = 72 // the protected page
	in       = 80 // descriptors of this process's ends
	out      = 88
	token    = 96 // what goes round
	tokenLen = 104
	count    = 112 // processes of the ring
	size     = 120 // bytes that each sums
	area     = 128 // where they are
	execPath = 136 // what exec ops start
	execArgv = 144 // up to three arguments and the end
	stack    = 176 // the stack pointer while a library function runs
	timeout  = 184 // a struct timespec
	action   = 200 // a struct sigaction: the kernel's or the library's
	oldAct   = 360 // the one before
	hops     = 520 // the ring's pipes: descriptor to read, to write
	set      = 520 // descriptors to select on
	ready    = set + setSize

	// Of a program that is linked with the C library: whether its destructor
	// ran, and the addresses of lazy imports behind three words of the dynamic
	// linker's.
	destroyed   = 2040
	gotPLT      = 2048
	gotReserved = 3
)

const marksLabel = "marks"

// operation is a piece of the program that readies an operation and jumps to
// its server.
type operation struct {
	name bench.NativeOp
	argc int // least number of arguments, program and operation included
	emit func(p *program)
}

// Empty is an operation beside those of package bench that does nothing: its
// windows show what a window holds by itself.
const Empty bench.NativeOp = "empty"

var operations = []operation{
	{Empty, 2, (*program).empty},
	{bench.NativeFork, 2, (*program).fork},
	{bench.NativeExec, 3, (*program).exec},
	{bench.NativeShell, 4, (*program).shell},
	{bench.NativeInstall, 2, (*program).install},
	{bench.NativeSend, 2, (*program).send},
	{bench.NativeCatch, 2, (*program).catch},
	{bench.NativeProtect, 2, (*program).protect},
	{bench.NativeCatchProtect, 2, (*program).catchProtect},
	{bench.NativePipe, 2, (*program).pipe},
	{bench.NativeUnix, 2, (*program).unix},
	{bench.NativeRing, 4, (*program).ring},
	{bench.NativeRingAlone, 4, (*program).ringAlone},
	{bench.NativeSelect, 3, (*program).selectWritable},
}

// dynamicOperations are those of a program that is linked with the C library.
var dynamicOperations = []operation{
	{bench.NativeLibraryFork, 2, (*program).dynamicFork},
	{bench.NativeLibraryExec, 3, (*program).dynamicExec},
	{bench.NativeLibraryShell, 4, (*program).dynamicShell},
	{bench.NativeGetppid, 2, (*program).getppid},
	{bench.NativeReadByte, 3, (*program).readByte},
	{bench.NativeWriteByte, 3, (*program).writeByte},
	{bench.NativeMap, 4, (*program).mapFile},
}

// operations are those that the program has.
func (p *program) operations() []operation {
	switch {
	case p.ipc && p.got != 0:
		return slices.Concat(ipcOperations, libraryOperations)
	case p.ipc:
		return ipcOperations
	case p.got != 0:
		return slices.Concat(operations, dynamicOperations)
	}
	return operations
}

// assemble writes the whole program. The marks come first.
func (p *program) assemble() ([]byte, error) {
	p.label(marksLabel)
	for range Slots - 1 {
		p.ret()
	}
	p.label("marks.last")
	p.ret()
	p.label("unmarked")
	p.ret()
	p.start()
	p.serve()
	p.finish()
	p.hello()
	p.command()
	p.signals()
	p.memory()
	p.relay()
	if p.got != 0 {
		p.cLibrary()
	}
	for _, op := range p.operations() {
		p.label(string(op.name))
		op.emit(p)
	}
	if p.ipc {
		p.connecting()
		p.kill()
	}
	p.text("text.hello", "Hello world\n")
	p.text("text.page", "page")
	p.text("text.command", "-c")
	p.text("text.schedule", "LMBENCH_SCHED")
	for _, op := range p.operations() {
		p.text("text."+string(op.name), string(op.name))
	}
	return p.link()
}

// text places a string and a zero byte.
func (p *program) text(label, s string) {
	p.label(label)
	p.bytes(append([]byte(s), 0)...)
}

// system makes a system call. Its arguments are in rdi, rsi, rdx, r10, r8, r9,
// its result is in rax; rcx and r11 are lost.
func (p *program) system(number int64) {
	p.set(rax, number)
	p.syscall()
}

func (p *program) exit(status int64) {
	p.set(rdi, status)
	p.system(sysExitGroup)
}

// place sets a register to the address of a piece of data.
func (p *program) place(dst register, offset int64) { p.set(dst, int64(p.data)+offset) }

// start finds out which of the programs this is.
func (p *program) start() {
	p.label("start")
	p.place(rbp, 0)
	p.move(r8, rsp)
	p.label("start.begun")
	p.store(rbp, args, r8)
	p.load(rbx, r8, 0)
	p.compareConst(rbx, 2)
	p.jumpIf(less, "hello")
	p.ifFirst("-c", "text.command", "command", 3)
	for _, op := range p.operations() {
		p.ifFirst(string(op.name), "text."+string(op.name), string(op.name), int32(op.argc))
	}
	p.label("start.usage")
	p.exit(statusUsage)
}

// ifFirst jumps to a label if the first argument is a word, and ends the
// program if there are then too few.
func (p *program) ifFirst(word, text, to string, argc int32) {
	next := "start.not." + to
	p.load(rsi, r8, 16)
	p.address(rdi, text)
	p.set(rcx, int64(len(word)+1))
	p.compareBytes()
	p.jumpIf(notEqual, next)
	p.compareConst(rbx, argc)
	p.jumpIf(less, "start.usage")
	p.jump(to)
	p.label(next)
}

// argument loads the address of argument i; 0 is the program's name.
func (p *program) argument(dst register, i int32) {
	p.load(dst, rbp, args)
	p.load(dst, dst, 8+8*i)
}

// number converts argument i, in decimal digits, to rax.
func (p *program) number(i int32) {
	p.argument(rsi, i)
	p.call("number")
}

// serve runs loops on request. r15 is the loop: it runs rbx iterations and
// returns 0 or a negated error number in rax.
func (p *program) serve() {
	p.label("serve")
	p.clear(rax)
	p.label("serve.reply")
	p.call("reply")
	p.clear(rdi)
	p.place(rsi, request)
	p.set(rdx, RequestSize)
	p.system(sysRead)
	p.compareConst(rax, RequestSize)
	p.jumpIf(notEqual, "finish")
	p.load(rbx, rbp, request)
	p.load(rax, rbp, request+8)
	p.address(r12, "unmarked")
	p.move(r13, r12)
	p.test(rax)
	p.jumpIf(negative, "serve.run")
	p.address(r12, marksLabel)
	p.add(r12, rax)
	p.address(r13, "marks.last")
	if p.got != 0 {
		p.call("tick")
	}
	p.label("serve.run")
	p.callTo(r12)
	p.callTo(r15)
	p.callTo(r13)
	p.jump("serve.reply")

	p.label("reply")
	p.store(rbp, reply, rax)
	p.set(rdi, 1)
	p.place(rsi, reply)
	p.set(rdx, ReplySize)
	p.system(sysWrite)
	p.ret()

	// An operation that cannot be readied answers so and ends.
	p.label("fail")
	p.call("reply")
	p.jump("finish")

	// What a loop returns if an iteration did not do what it should.
	p.label("wrong")
	p.set(rax, errProtocol)
	p.ret()

	p.label("number")
	p.clear(rax)
	p.label("number.next")
	p.loadByte(rcx, rsi, 0)
	p.test(rcx)
	p.jumpIf(equal, "number.end")
	p.multiplyConst(rax, rax, 10)
	p.add(rax, rcx)
	p.subConst(rax, '0')
	p.addConst(rsi, 1)
	p.jump("number.next")
	p.label("number.end")
	p.ret()
}

// finish closes what the operation's other processes read from, so that they
// end, kills the one of IPC's that would not, and waits for them.
func (p *program) finish() {
	p.label("finish")
	p.set(r14, 0)
	p.set(r15, 0)
	p.call("closeOthers")
	if p.ipc {
		p.call("kill")
	}
	p.label("finish.wait")
	p.set(rdi, -1)
	p.place(rsi, status)
	p.clear(rdx)
	p.clear(r10)
	p.system(sysWait4)
	p.test(rax)
	p.jumpIf(negative, "finish.exit")
	p.jump("finish.wait")
	p.label("finish.exit")
	p.exit(0)

	// closeOthers closes every descriptor but those in r14 and r15.
	p.label("closeOthers")
	p.clear(rbx)
	p.label("closeOthers.next")
	p.compare(rbx, r14)
	p.jumpIf(equal, "closeOthers.keep")
	p.compare(rbx, r15)
	p.jumpIf(equal, "closeOthers.keep")
	p.move(rdi, rbx)
	p.system(sysClose)
	p.label("closeOthers.keep")
	p.addConst(rbx, 1)
	p.compareConst(rbx, descriptors)
	p.jumpIf(less, "closeOthers.next")
	p.ret()
}
