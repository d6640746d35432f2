package native

// setSize is an fd_set's, in bytes.
const setSize = 128

// Of the first descriptors lmbench's benchmark has 0 to 5, 7 and 9 open for
// other things: itself, and the pipes by which it is told to start and to end.
// They are not selected on.
const (
	othersLow   = 0x2bf // 0 to 5, 7, 9
	othersCount = 8
)

// selectWritable selects as lat_select does: on the first descriptors, for
// writing, all of one file, and not on those that are open for other things.
func (p *program) selectWritable() {
	p.number(2)
	p.store(rbp, count, rax)
	p.compareConst(rax, 1024)
	p.jumpIf(greater, "openRing.invalid")
	p.compareConst(rax, othersCount+2)
	p.jumpIf(less, "openRing.invalid")
	p.address(rdi, "text.page")
	p.clear(rsi)
	p.system(sysMemfdCreate)
	p.test(rax)
	p.jumpIf(negative, "fail")
	p.move(r14, rax)
	p.set(rbx, 6)
	p.call("select.open")
	p.set(rbx, 8)
	p.call("select.open")
	p.set(rbx, 10)
	p.label("select.next")
	p.call("select.open")
	p.addConst(rbx, 1)
	p.load(rax, rbp, count)
	p.addConst(rax, 8) // as many are open as are asked for
	p.compare(rbx, rax)
	p.jumpIf(less, "select.next")
	p.move(rdi, r14)
	p.system(sysClose)
	p.set(rax, ^othersLow)
	p.store(rbp, set, rax)
	p.set(rax, -1)
	for i := int32(8); i < setSize; i += 8 {
		p.store(rbp, set+i, rax)
	}
	p.address(r15, "select.loop")
	p.jump("serve")

	p.label("select.open")
	p.move(rdi, r14)
	p.move(rsi, rbx)
	p.system(sysDup2)
	p.test(rax)
	p.jumpIf(negative, "fail")
	p.ret()

	p.label("select.loop")
	for i := int32(0); i < setSize; i += 8 {
		p.load(rax, rbp, set+i)
		p.store(rbp, ready+i, rax)
	}
	p.load(rdi, rbp, count)
	p.clear(rsi)
	p.place(rdx, ready)
	p.clear(r10)
	p.place(r8, timeout)
	p.clear(r9)
	p.timed(sysPselect6)
	p.addConst(rax, othersCount)
	p.load(rcx, rbp, count)
	p.compare(rax, rcx)
	p.jumpIf(notEqual, "wrong")
	p.subConst(rbx, 1)
	p.jumpIf(notEqual, "select.loop")
	p.clear(rax)
	p.ret()
}
