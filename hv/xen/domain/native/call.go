package native

// getppid makes lat_syscall's null call, and ends the loops of the operations below
// whose calls fail: the library says no more of it.
func (p *program) getppid() {
	p.repeats("getppid", func() { p.callsFirst("getppid") })
	p.label("call.failed")
	p.set(rax, errIO)
	p.ret()
}

// readByte and writeByte move a byte by the descriptor that they are given.
func (p *program) readByte()  { p.moveByte("readbyte", "read") }
func (p *program) writeByte() { p.moveByte("writebyte", "write") }

func (p *program) moveByte(name, function string) {
	p.takeDescriptor()
	p.repeats(name, func() {
		p.move(rdi, r14)
		p.place(rsi, token)
		p.set(rdx, 1)
		p.calls(function)
		p.compareConst(rax, 1)
		p.jumpIf(notEqual, "call.failed")
	})
}

// Of lat_mmap.c: a byte is written in each so many of the mapping's first tenth.
const (
	mapStep = 16 << 10
	mapPart = 10
)

// mapFile maps a file by the descriptor that it is given, touches it, and unmaps it.
func (p *program) mapFile() {
	p.number(3)
	p.store(rbp, size, rax)
	p.takeDescriptor()
	p.number(3)
	// The end of what is touched, from the mapping's start: a tenth of the size,
	// rounded up.
	p.clear(rcx)
	p.label("mapfile.tenth")
	p.addConst(rcx, 1)
	p.subConst(rax, mapPart)
	p.jumpIf(greater, "mapfile.tenth")
	p.store(rbp, area, rcx)
	p.repeats("mapfile", func() {
		p.clear(rdi)
		p.load(rsi, rbp, size)
		p.set(rdx, protRead|protWrite)
		p.set(rcx, mapShared)
		p.move(r8, r14)
		p.clear(r9)
		p.callsFirst("mmap")
		p.compareConst(rax, -1)
		p.jumpIf(equal, "call.failed")
		p.move(rdi, rax)
		p.load(rcx, rbp, area)
		p.add(rcx, rax)
		p.label("mapfile.touch")
		p.storeByte(rax, 0, 1)
		p.addConst(rax, mapStep)
		p.compare(rax, rcx)
		p.jumpIf(less, "mapfile.touch")
		p.load(rsi, rbp, size)
		p.callsFirst("munmap")
		p.test32(rax)
		p.jumpIf(negative, "call.failed")
	})
}

// random calls one of the generators, which it is given as a number. The stack is aligned
// once for all calls: lat_rand's loop is the call and little else. (What lmbench adds the
// numbers up for is that no compiler leaves them out.)
func (p *program) random() {
	p.number(2)
	p.compareConst(rax, int32(len(generators)))
	p.jumpIf(aboveOrEqual, "openRing.invalid")
	p.shiftLeft(rax, 3)
	p.set(rcx, p.slot(generators[0]))
	p.add(rcx, rax)
	p.move(r14, rcx)
	p.address(r15, "rand.loop")
	p.jump("serve")
	p.label("rand.linkage") // as a linker leaves a call
	p.jumpThrough(r14, 0)
	p.label("rand.loop")
	p.store(rbp, stack, rsp)
	p.align(rsp, 16)
	p.label("rand.next")
	p.call("rand.linkage")
	p.subConst(rbx, 1)
	p.jumpIf(notEqual, "rand.next")
	p.load(rsp, rbp, stack)
	p.clear(rax)
	p.ret()
}

// takeDescriptor has argument 2 in r14, which calls leave as it is.
func (p *program) takeDescriptor() {
	p.number(2)
	p.move(r14, rax)
}

// repeats emits a loop of what body emits, and serves it.
func (p *program) repeats(name string, body func()) {
	loop := name + ".loop"
	p.address(r15, loop)
	p.jump("serve")
	p.label(loop)
	body()
	p.subConst(rbx, 1)
	p.jumpIf(notEqual, loop)
	p.clear(rax)
	p.ret()
}
