package native

// sumStep is how many bytes sum adds without a jump.
const sumStep = 128

// memory emits what maps and sums a process's own memory.
func (p *program) memory() {
	// map maps size bytes and touches every page; rax is negative if it
	// cannot.
	p.label("map")
	p.load(rsi, rbp, size)
	p.clear(rax)
	p.test(rsi)
	p.jumpIf(equal, "map.end")
	p.clear(rdi)
	p.set(rdx, protRead|protWrite)
	p.set(r10, mapPrivate|mapAnonymous)
	p.set(r8, -1)
	p.clear(r9)
	p.system(sysMmap)
	p.test(rax)
	p.jumpIf(negative, "map.end")
	p.store(rbp, area, rax)
	p.load(rcx, rbp, size)
	p.add(rcx, rax)
	p.label("map.next")
	p.storeByte(rax, 0, 1)
	p.addConst(rax, pageSize)
	p.compare(rax, rcx)
	p.jumpIf(below, "map.next")
	p.clear(rax)
	p.label("map.end")
	p.ret()

	// sum adds the words of that memory, as lmbench's bread does.
	p.label("sum")
	p.load(rsi, rbp, area)
	p.load(rdi, rbp, size)
	p.add(rdi, rsi)
	p.clear(rax)
	p.label("sum.next")
	p.compare(rsi, rdi)
	p.jumpIf(aboveOrEqual, "sum.end")
	for i := int32(0); i < sumStep; i += 8 {
		p.addFrom(rax, rsi, i)
	}
	p.addConst(rsi, sumStep)
	p.jump("sum.next")
	p.label("sum.end")
	p.ret()
}

// transfer reads or writes the token by the descriptor in rdi, and goes to a label
// unless all of it was moved.
func (p *program) transfer(number int64, unless string) {
	p.place(rsi, token)
	p.load(rdx, rbp, tokenLen)
	p.timed(number)
	p.load(rdx, rbp, tokenLen)
	p.compare(rax, rdx)
	p.jumpIf(notEqual, unless)
}

// relay emits what the processes of a ring run. Their ends are in r14 (in) and
// r15 (out).
func (p *program) relay() {
	// A relay keeps no other descriptors, so that the end of the ring's
	// input reaches every process.
	p.label("relay")
	p.store(rbp, in, r14)
	p.store(rbp, out, r15)
	p.call("closeOthers")
	p.call("map")
	p.test(rax)
	p.jumpIf(negative, "relay.end")
	p.label("relay.next")
	p.load(rdi, rbp, in)
	p.transfer(sysRead, "relay.end")
	p.call("sum")
	p.load(rdi, rbp, out)
	p.transfer(sysWrite, "relay.end")
	p.jump("relay.next")
	p.label("relay.end")
	p.exit(0)

	// serveTurns serves the loop of the process that starts each round.
	p.label("serveTurns")
	p.store(rbp, in, r14)
	p.store(rbp, out, r15)
	p.call("map")
	p.test(rax)
	p.jumpIf(negative, "fail")
	p.address(r15, "turn")
	p.jump("serve")

	p.label("turn")
	p.load(rdi, rbp, out)
	p.transfer(sysWrite, "short")
	p.load(rdi, rbp, in)
	p.transfer(sysRead, "short")
	p.call("sum")
	p.subConst(rbx, 1)
	p.jumpIf(notEqual, "turn")
	p.clear(rax)
	p.ret()

	// short returns why less than the token was moved.
	p.label("short")
	p.test(rax)
	p.jumpIf(negative, "short.end")
	p.set(rax, errProtocol)
	p.label("short.end")
	p.ret()

	// openRing opens count pipes.
	p.label("openRing")
	p.load(rax, rbp, count)
	p.compareConst(rax, MaxProcesses)
	p.jumpIf(greater, "openRing.invalid")
	p.compareConst(rax, 1)
	p.jumpIf(less, "openRing.invalid")
	p.clear(rbx)
	p.label("openRing.next")
	p.hop(rdi, rbx)
	p.system(sysPipe)
	p.test(rax)
	p.jumpIf(negative, "fail")
	p.addConst(rbx, 1)
	p.load(rax, rbp, count)
	p.compare(rbx, rax)
	p.jumpIf(less, "openRing.next")
	p.ret()
	p.label("openRing.invalid")
	p.set(rax, errInvalid)
	p.jump("fail")
}

// hop sets dst to the address of the pipe whose number is in i.
func (p *program) hop(dst, i register) {
	p.move(dst, i)
	p.shiftLeft(dst, 3)
	p.add(dst, rbp)
	p.addConst(dst, hops)
}

// ringArguments reads the number of processes and the memory of each.
func (p *program) ringArguments() {
	p.set(rax, 4)
	p.store(rbp, tokenLen, rax)
	p.number(2)
	p.store(rbp, count, rax)
	p.number(3)
	p.store(rbp, size, rax)
}

// ring: process i reads from pipe i-1 and writes to pipe i; process 0, the
// server, closes the ring.
func (p *program) ring() {
	p.ringArguments()
	p.label("ring.start")
	p.call("openRing")
	p.set(rbx, 1)
	p.label("ring.next")
	p.load(rax, rbp, count)
	p.compare(rbx, rax)
	p.jumpIf(aboveOrEqual, "ring.serve")
	p.system(sysFork)
	p.test(rax)
	p.jumpIf(equal, "ring.child")
	p.jumpIf(negative, "fail")
	p.addConst(rbx, 1)
	p.jump("ring.next")

	p.label("ring.child")
	p.hop(rsi, rbx)
	p.load32(r14, rsi, -8)
	p.load32(r15, rsi, 4)
	p.jump("relay")

	p.label("ring.serve")
	p.hop(rsi, rbx)
	p.load32(r14, rsi, -8)
	p.load32(r15, rbp, hops+4)
	p.jump("serveTurns")
}

// ringAlone sends the token through each of the pipes in turn.
func (p *program) ringAlone() {
	p.ringArguments()
	p.call("openRing")
	p.call("map")
	p.test(rax)
	p.jumpIf(negative, "fail")
	p.address(r15, "ringalone.loop")
	p.jump("serve")

	p.label("ringalone.loop")
	p.clear(r14)
	p.label("ringalone.next")
	p.hop(rdi, r14)
	p.load32(rdi, rdi, 4)
	p.transfer(sysWrite, "short")
	p.hop(rdi, r14)
	p.load32(rdi, rdi, 0)
	p.transfer(sysRead, "short")
	p.call("sum")
	p.addConst(r14, 1)
	p.load(rax, rbp, count)
	p.compare(r14, rax)
	p.jumpIf(less, "ringalone.next")
	p.subConst(rbx, 1)
	p.jumpIf(notEqual, "ringalone.loop")
	p.clear(rax)
	p.ret()
}

// pipe is a ring of two that passes a byte.
func (p *program) pipe() {
	p.set(rax, 1)
	p.store(rbp, tokenLen, rax)
	p.set(rax, 2)
	p.store(rbp, count, rax)
	p.jump("ring.start")
}

// unix passes a byte to a process and back by a pair of sockets.
func (p *program) unix() {
	p.set(rax, 1)
	p.store(rbp, tokenLen, rax)
	p.set(rdi, familyUnix)
	p.set(rsi, socketStream)
	p.clear(rdx)
	p.place(r10, hops)
	p.system(sysSocketpair)
	p.test(rax)
	p.jumpIf(negative, "fail")
	p.system(sysFork)
	p.test(rax)
	p.jumpIf(negative, "fail")
	p.jumpIf(equal, "unix.child")
	p.load32(rdi, rbp, hops+4)
	p.system(sysClose)
	p.load32(r14, rbp, hops)
	p.move(r15, r14)
	p.jump("serveTurns")
	p.label("unix.child")
	p.load32(r14, rbp, hops+4)
	p.move(r15, r14)
	p.jump("relay")
}
