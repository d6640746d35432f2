package native

import (
	"slices"

	"xsmbench/bench"
)

// ipcOperations are those of the second image.
var ipcOperations = []operation{
	{bench.NativeExchange, 6, (*program).exchange},
	{bench.NativeDatagram, 5, (*program).datagram},
	{bench.NativeLocks, 4, (*program).locks},
	{bench.NativeSemaphores, 3, (*program).semaphores},
	{bench.NativeConnect, 4, (*program).connectInet},
	{bench.NativeConnectUnix, 4, (*program).connectUnix},
	{bench.NativeItimer, 3, (*program).itimer},
	{bench.NativeStream, 5, (*program).stream},
}

// libraryOperations are those of the second image that call the C library alone.
var libraryOperations = []operation{
	{bench.NativeRandom, 3, (*program).random},
}

// IsIPC reports whether an operation is one of the image that IPC returns.
func IsIPC(op bench.NativeOp) bool {
	return slices.ContainsFunc(slices.Concat(ipcOperations, libraryOperations), func(o operation) bool { return o.name == op })
}

// Linux system calls of the operations below, and their constants.
const (
	sysRtSigprocmask        = 14
	sysSetitimer            = 38
	sysSocket               = 41
	sysConnect              = 42
	sysAccept               = 43
	sysSendto               = 44
	sysRecvfrom             = 45
	sysSetsockopt           = 54
	sysSemop                = 65
	sysFcntl                = 72
	sysRtSigtimedwait       = 128
	familyInet              = 2
	protocolTCP             = 6
	inetLength              = 16  // of a struct sockaddr_in
	unixLength              = 110 // of a struct sockaddr_un
	levelSocket             = 1
	optionReuse             = 2
	setLock                 = 6
	setLockWait             = 7
	lockWrite               = 1
	lockNone                = 2
	signalKill              = 9
	signalAlarm             = 14
	sigsetLength            = 8
	microsInSecond          = 1_000_000
	lastMessage             = 0x80 // in the first byte: a negative number in network order
	mostMessage             = 8
	localhost         int64 = 127 | 1<<24 // as four bytes in network order
)

// What the page of data holds beyond the ring's pipes.
const (
	ends      = 1024 + hops // descriptors that an operation was given
	victim    = ends + 32   // the process to kill at the end, 0 for none
	one       = victim + 8
	family    = one + 8
	protocol  = family + 8
	reuse     = protocol + 8 // 1: set SO_REUSEADDR
	addrLen   = reuse + 8
	address   = addrLen + 8 // of the server
	peerLen   = address + 112
	peer      = peerLen + 8 // of the client
	locking   = peer + 16   // struct flock
	unlocking = locking + 32
	semOps    = unlocking + 32 // two of struct sembuf
	timer     = semOps + 16    // struct itimerval
	alarm     = timer + 32     // a set of signals
)

// arguments stores numbers, from the first of an operation on, where ends is.
func (p *program) arguments(count int32) {
	for i := range count {
		p.number(2 + i)
		p.store(rbp, ends+8*i, rax)
	}
}

// partner forks. The child goes to a label; with doomed it is killed at the end.
func (p *program) partner(child string, doomed bool) {
	p.system(sysFork)
	p.test(rax)
	p.jumpIf(negative, "fail")
	p.jumpIf(equal, child)
	if doomed {
		p.store(rbp, victim, rax)
	}
}

// kill emits what ends a partner that waits for nothing that could end.
func (p *program) kill() {
	p.label("kill")
	p.load(rdi, rbp, victim)
	p.test(rdi)
	p.jumpIf(equal, "kill.end")
	p.set(rsi, signalKill)
	p.system(sysKill)
	p.label("kill.end")
	p.ret()
}

// turns ends a loop's iteration: again, or back with 0. What fails goes to NAME.end
// with its error.
func (p *program) turns(name string) {
	p.subConst(rbx, 1)
	p.jumpIf(notEqual, name)
	p.clear(rax)
	p.label(name + ".end")
	p.ret()
}

// exchange passes a byte to a process and back by descriptors that it was given:
// in and out of the two processes.
func (p *program) exchange() {
	p.set(rax, 1)
	p.store(rbp, tokenLen, rax)
	p.arguments(4)
	p.partner("exchange.child", false)
	for _, end := range []int32{16, 24} {
		p.load(rdi, rbp, ends+end)
		p.system(sysClose)
	}
	p.load(r14, rbp, ends)
	p.load(r15, rbp, ends+8)
	p.jump("serveTurns")
	p.label("exchange.child")
	p.load(r14, rbp, ends+16)
	p.load(r15, rbp, ends+24)
	p.jump("relay")
}

// datagram sends a message of some bytes by a connected socket and receives one;
// the other process answers whoever sent, by its own. Arguments: both sockets, and
// the length.
func (p *program) datagram() {
	p.arguments(3)
	p.load(rax, rbp, ends+16)
	p.compareConst(rax, mostMessage)
	p.jumpIf(greater, "openRing.invalid")
	p.partner("datagram.child", true)
	p.load(rdi, rbp, ends+8)
	p.system(sysClose)
	p.address(r15, "datagram.loop")
	p.jump("serve")

	p.label("datagram.loop")
	for _, number := range []int64{sysSendto, sysRecvfrom} {
		p.load(rdi, rbp, ends)
		p.place(rsi, token)
		p.load(rdx, rbp, ends+16)
		p.clear(r10)
		p.clear(r8)
		p.clear(r9)
		p.timed(number)
		p.load(rdx, rbp, ends+16)
		p.compare(rax, rdx)
		p.jumpIf(notEqual, "short")
	}
	p.turns("datagram.loop")

	p.label("datagram.child")
	p.set(rax, inetLength)
	p.store(rbp, peerLen, rax)
	p.load(rdi, rbp, ends+8)
	p.place(rsi, token)
	p.set(rdx, mostMessage)
	p.clear(r10)
	p.place(r8, peer)
	p.place(r9, peerLen)
	p.timed(sysRecvfrom)
	p.test(rax)
	p.jumpIf(negative, "relay.end")
	p.loadByte(rcx, rbp, token)
	p.compareConst(rcx, lastMessage)
	p.jumpIf(aboveOrEqual, "relay.end")
	p.move(rdx, rax)
	p.load(rdi, rbp, ends+8)
	p.place(rsi, token)
	p.clear(r10)
	p.place(r8, peer)
	p.load32(r9, rbp, peerLen)
	p.timed(sysSendto)
	p.test(rax)
	p.jumpIf(negative, "relay.end")
	p.jump("datagram.child")
}

// locks hands the locks of two files to and fro. Arguments: the files. The process
// that serves has both at first.
func (p *program) locks() {
	p.arguments(2)
	p.set(rax, 1)
	p.store(rbp, locking+16, rax)
	p.store(rbp, unlocking+16, rax)
	p.storeByte(rbp, locking, lockWrite)
	p.storeByte(rbp, unlocking, lockNone)
	p.lock(0, "fail")
	p.lock(8, "fail")
	p.partner("fcntl.child", true)
	p.address(r15, "fcntl.loop")
	p.jump("serve")

	p.label("fcntl.loop")
	p.lock(0, "fcntl.loop.end")
	p.unlock(8, "fcntl.loop.end")
	p.lock(8, "fcntl.loop.end")
	p.unlock(0, "fcntl.loop.end")
	p.turns("fcntl.loop")

	p.label("fcntl.child")
	p.unlock(0, "relay.end")
	p.lock(8, "relay.end")
	p.unlock(8, "relay.end")
	p.lock(0, "relay.end")
	p.jump("fcntl.child")
}

func (p *program) lock(file int32, unless string) { p.fcntl(file, setLockWait, locking, unless) }

func (p *program) unlock(file int32, unless string) { p.fcntl(file, setLock, unlocking, unless) }

func (p *program) fcntl(file int32, command, lock int64, unless string) {
	p.load(rdi, rbp, ends+file)
	p.set(rsi, command)
	p.place(rdx, lock)
	p.timed(sysFcntl)
	p.test(rax)
	p.jumpIf(negative, unless)
}

// semaphores hands on the second semaphore of a set and waits for the first, while
// the other process does the opposite. Argument: the set.
func (p *program) semaphores() {
	p.arguments(1)
	p.partner("sem.child", true)
	p.storeSemOps(semOp{1, -1}, semOp{0, 1})
	p.address(r15, "sem.loop")
	p.jump("serve")

	p.label("sem.loop")
	p.semop(2, "sem.loop.end")
	p.turns("sem.loop")

	p.label("sem.child")
	p.storeSemOps(semOp{1, 1}, semOp{})
	p.semop(1, "relay.end")
	p.storeSemOps(semOp{0, -1}, semOp{1, 1})
	p.label("sem.next")
	p.semop(2, "relay.end")
	p.jump("sem.next")
}

// semOp is a struct sembuf without its flags.
type semOp struct {
	number uint16
	add    int16
}

// storeSemOps stores two operations on semaphores.
func (p *program) storeSemOps(a, b semOp) {
	p.set(rax, int64(a.number)|int64(uint16(a.add))<<16|int64(b.number)<<48)
	p.store(rbp, semOps, rax)
	p.set(rax, int64(uint16(b.add)))
	p.store(rbp, semOps+8, rax)
}

func (p *program) semop(count int64, unless string) {
	p.load(rdi, rbp, ends)
	p.place(rsi, semOps)
	p.set(rdx, count)
	p.timed(sysSemop)
	p.test(rax)
	p.jumpIf(negative, unless)
}

// connectInet connects to a port of this machine and closes. Arguments: the socket
// that listens, and its port.
func (p *program) connectInet() {
	p.arguments(2)
	p.load(rax, rbp, ends+8)
	// The port in network order, after the family.
	p.move(rcx, rax)
	p.shiftLeft(rcx, 56)
	p.shiftRight(rcx, 32)
	p.shiftRight(rax, 8)
	p.shiftLeft(rax, 16)
	p.add(rax, rcx)
	p.addConst(rax, familyInet)
	p.set(rcx, localhost)
	p.shiftLeft(rcx, 32)
	p.add(rax, rcx)
	p.store(rbp, address, rax)
	p.set(rax, inetLength)
	p.store(rbp, addrLen, rax)
	p.set(rax, familyInet)
	p.store(rbp, family, rax)
	p.set(rax, protocolTCP)
	p.store(rbp, protocol, rax)
	p.set(rax, 1)
	p.store(rbp, one, rax)
	p.store(rbp, reuse, rax)
	p.jump("connect.start")
}

// connectUnix connects to a UNIX socket and closes. Arguments: the socket that
// listens, and its path.
func (p *program) connectUnix() {
	p.arguments(1)
	p.set(rax, familyUnix)
	p.store(rbp, family, rax)
	p.store(rbp, address, rax)
	p.set(rax, unixLength)
	p.store(rbp, addrLen, rax)
	p.argument(rsi, 3)
	p.place(rdi, address+2)
	p.set(rcx, unixLength-3)
	p.label("connectunix.copy")
	p.loadByte(rax, rsi, 0)
	p.test(rax)
	p.jumpIf(equal, "connect.start")
	p.storeLow(rdi, 0, rax)
	p.addConst(rsi, 1)
	p.addConst(rdi, 1)
	p.subConst(rcx, 1)
	p.jumpIf(notEqual, "connectunix.copy")
	p.jump("openRing.invalid")
}

// connecting emits the loop of both, and the server.
func (p *program) connecting() {
	p.label("connect.start")
	p.partner("connect.child", true)
	p.load(rdi, rbp, ends)
	p.system(sysClose)
	p.address(r15, "connect.loop")
	p.jump("serve")

	p.label("connect.loop")
	p.load(rdi, rbp, family)
	p.set(rsi, socketStream)
	p.load(rdx, rbp, protocol)
	p.timed(sysSocket)
	p.test(rax)
	p.jumpIf(negative, "connect.loop.end")
	p.move(r14, rax)
	p.load(rax, rbp, reuse)
	p.test(rax)
	p.jumpIf(equal, "connect.plain")
	p.move(rdi, r14)
	p.set(rsi, levelSocket)
	p.set(rdx, optionReuse)
	p.place(r10, one)
	p.set(r8, 4)
	p.timed(sysSetsockopt)
	p.test(rax)
	p.jumpIf(negative, "connect.loop.end")
	p.label("connect.plain")
	p.move(rdi, r14)
	p.place(rsi, address)
	p.load(rdx, rbp, addrLen)
	p.timed(sysConnect)
	p.test(rax)
	p.jumpIf(negative, "connect.loop.end")
	p.move(rdi, r14)
	p.timed(sysClose)
	p.turns("connect.loop")

	p.label("connect.child")
	p.load(rdi, rbp, ends)
	p.clear(rsi)
	p.clear(rdx)
	p.timed(sysAccept)
	p.test(rax)
	p.jumpIf(negative, "relay.end")
	p.move(r14, rax)
	p.move(rdi, rax)
	p.place(rsi, token)
	p.set(rdx, 1)
	p.timed(sysRead)
	p.move(rdi, r14)
	p.timed(sysClose)
	p.jump("connect.child")
}

// stream reads messages of a size from a process that writes them as fast as it can.
// Each asks for a whole message at a time, and what is more than the rest of one counts
// as done (bw_tcp.c). Arguments: both sockets, and the size.
func (p *program) stream() {
	p.arguments(2)
	p.number(4)
	p.store(rbp, size, rax)
	p.partner("stream.child", true)
	p.call("map")
	p.test(rax)
	p.jumpIf(negative, "fail")
	p.load(rdi, rbp, ends+8)
	p.system(sysClose)
	p.address(r15, "stream.loop")
	p.jump("serve")

	p.label("stream.loop")
	p.load(r14, rbp, size)
	p.label("stream.next")
	p.piece(ends, sysRead)
	p.compareConst(rax, 1)
	p.jumpIf(less, "short")
	p.sub(r14, rax)
	p.jumpIf(greater, "stream.next")
	p.turns("stream.loop")

	p.label("stream.child")
	p.load(rdi, rbp, ends)
	p.system(sysClose)
	p.call("map")
	p.test(rax)
	p.jumpIf(negative, "relay.end")
	p.label("stream.write")
	p.piece(ends+8, sysWrite)
	p.load(rdx, rbp, size)
	p.compare(rax, rdx)
	p.jumpIf(equal, "stream.write")
	p.jump("relay.end")
}

// piece moves up to a whole message by one of the sockets.
func (p *program) piece(socket int32, number int64) {
	p.load(rdi, rbp, socket)
	p.load(rsi, rbp, area)
	p.load(rdx, rbp, size)
	p.timed(number)
}

// itimer sleeps by an interval timer, whose signal it waits for. Argument: the time
// in µs, less than a second.
func (p *program) itimer() {
	p.arguments(1)
	p.load(rax, rbp, ends)
	p.compareConst(rax, microsInSecond)
	p.jumpIf(aboveOrEqual, "openRing.invalid")
	p.store(rbp, timer+24, rax)
	p.set(rax, 1<<(signalAlarm-1))
	p.store(rbp, alarm, rax)
	p.clear(rdi) // SIG_BLOCK
	p.place(rsi, alarm)
	p.clear(rdx)
	p.set(r10, sigsetLength)
	p.system(sysRtSigprocmask)
	p.test(rax)
	p.jumpIf(negative, "fail")
	p.address(r15, "itimer.loop")
	p.jump("serve")

	p.label("itimer.loop")
	p.clear(rdi) // ITIMER_REAL
	p.place(rsi, timer)
	p.clear(rdx)
	p.system(sysSetitimer)
	p.test(rax)
	p.jumpIf(negative, "itimer.loop.end")
	p.place(rdi, alarm)
	p.clear(rsi)
	p.clear(rdx)
	p.set(r10, sigsetLength)
	p.system(sysRtSigtimedwait)
	p.test(rax)
	p.jumpIf(negative, "itimer.loop.end")
	p.turns("itimer.loop")
}
