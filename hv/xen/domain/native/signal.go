package native

// signals emits the handlers and what installs them. A handler finds the data
// by itself: it may interrupt anything.
func (p *program) signals() {
	p.label("handleSignal")
	p.place(rax, 0)
	p.addTo(rax, caught, 1)
	p.ret()

	// handleFault counts down, and lets the last of the expected faults
	// succeed. If that fails it would be called for ever.
	p.label("handleFault")
	p.place(rax, 0)
	p.addTo(rax, left, -1)
	p.jumpIf(greater, "handleFault.end")
	p.load(rdi, rax, page)
	p.set(rdx, protRead|protWrite)
	p.call("protectPage")
	p.test(rax)
	p.jumpIf(notEqual, "handleFault.fail")
	p.label("handleFault.end")
	p.ret()
	p.label("handleFault.fail")
	p.exit(statusNoProgram - 2)

	p.label("restore")
	p.system(sysRtSigreturn)

	// setAction has the handler at rax handle the signal in rdi. lmbench asks for
	// the one before.
	p.label("setAction")
	p.store(rbp, action, rax)
	if p.got == 0 {
		p.set(rax, flagRestorer)
		p.store(rbp, action+8, rax)
		p.address(rax, "restore")
		p.store(rbp, action+16, rax)
	} // else the library has its own restorer, and a struct with the mask there
	p.label("setAction.again")
	p.place(rsi, action)
	p.place(rdx, oldAct)
	p.set(r10, sigactionSize)
	p.timed(sysRtSigaction)
	p.ret()

	// protectPage gives the page at rdi the protection in rdx.
	p.label("protectPage")
	p.set(rsi, pageSize)
	p.system(sysMprotect)
	p.ret()
}

// handle installs a handler, or fails.
func (p *program) handle(signal int64, handler string) {
	p.set(rdi, signal)
	p.address(rax, handler)
	p.call("setAction")
	p.test(rax)
	p.jumpIf(negative, "fail")
}

func (p *program) install() {
	p.handle(signalUser1, "handleSignal")
	p.address(r15, "install.loop")
	p.jump("serve")

	p.label("install.loop")
	p.set(rdi, signalUser1)
	p.call("setAction.again")
	p.test(rax)
	p.jumpIf(negative, "install.end")
	p.subConst(rbx, 1)
	p.jumpIf(notEqual, "install.loop")
	p.clear(rax)
	p.label("install.end")
	p.ret()
}

// signalSelf emits a loop that sends a signal to the process, whose number is
// in r14.
func (p *program) signalSelf(name string, signal int64) {
	p.label(name)
	p.move(rdi, r14)
	p.set(rsi, signal)
	p.timed(sysKill)
	p.test(rax)
	p.jumpIf(negative, name+".end")
	p.subConst(rbx, 1)
	p.jumpIf(notEqual, name)
	p.label(name + ".end")
}

func (p *program) send() {
	p.system(sysGetpid)
	p.move(r14, rax)
	p.address(r15, "send.loop")
	p.jump("serve")
	p.signalSelf("send.loop", 0)
	p.ret()
}

func (p *program) catch() {
	p.call("readyCatch")
	p.address(r15, "catch.loop")
	p.jump("serve")

	p.label("readyCatch")
	p.handle(signalUser1, "handleSignal")
	p.system(sysGetpid)
	p.move(r14, rax)
	p.ret()

	p.label("catch.loop")
	p.load(rax, rbp, caught)
	p.add(rax, rbx)
	p.store(rbp, wanted, rax)
	p.signalSelf("catch.send", signalUser1)
	p.test(rax)
	p.jumpIf(negative, "catch.end")
	p.load(rdx, rbp, wanted)
	p.load(rcx, rbp, caught)
	p.compare(rcx, rdx)
	p.jumpIf(notEqual, "wrong")
	p.label("catch.end")
	p.ret()
}

// protect's page is one of a file in memory, as lat_sig's is of a file, and is
// touched before, so that the only faults to come are protection faults.
func (p *program) protect() {
	p.call("readyPage")
	p.handle(signalSegfault, "handleFault")
	p.address(r15, "prot.loop")
	p.jump("serve")

	p.label("readyPage")
	p.address(rdi, "text.page")
	p.clear(rsi)
	p.system(sysMemfdCreate)
	p.test(rax)
	p.jumpIf(negative, "fail")
	p.move(r8, rax)
	p.move(rdi, rax)
	p.set(rsi, pageSize)
	p.system(sysFtruncate)
	p.test(rax)
	p.jumpIf(negative, "fail")
	p.clear(rdi)
	p.set(rsi, pageSize)
	p.set(rdx, protRead)
	p.set(r10, mapShared)
	p.clear(r9)
	p.system(sysMmap)
	p.test(rax)
	p.jumpIf(negative, "fail")
	p.store(rbp, page, rax)
	p.loadByte(rcx, rax, 0)
	p.ret()

	p.label("prot.loop")
	p.store(rbp, left, rbx)
	p.load(rdi, rbp, page)
	p.set(rdx, protRead)
	p.call("protectPage")
	p.test(rax)
	p.jumpIf(negative, "prot.end")
	p.load(rdi, rbp, page)
	p.storeByte(rdi, 0, 1)
	p.load(rax, rbp, left)
	p.test(rax)
	p.jumpIf(notEqual, "wrong")
	p.label("prot.end")
	p.ret()
}

func (p *program) catchProtect() {
	p.call("readyPage")
	p.call("readyCatch")
	p.address(r15, "catchprot.loop")
	p.jump("serve")

	p.label("catchprot.loop")
	p.load(rdi, rbp, page)
	p.set(rdx, protRead)
	p.call("protectPage")
	p.test(rax)
	p.jumpIf(negative, "catchprot.end")
	p.call("catch.loop")
	p.store(rbp, result, rax)
	p.load(rdi, rbp, page)
	p.set(rdx, protRead|protWrite)
	p.call("protectPage")
	p.test(rax)
	p.jumpIf(negative, "catchprot.end")
	p.load(rax, rbp, result)
	p.label("catchprot.end")
	p.ret()
}
