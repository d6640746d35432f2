package native

// hello is the program that lat_proc starts.
func (p *program) hello() {
	p.label("hello")
	p.set(rdi, 1)
	p.address(rsi, "text.hello")
	p.set(rdx, int64(len("Hello world\n")))
	p.system(sysWrite)
	p.exit(0)
}

// command is a shell's -c for a command of one word, a path.
func (p *program) command() {
	p.label("command")
	p.argument(rax, 2)
	p.store(rbp, execPath, rax)
	p.store(rbp, execArgv, rax)
	p.system(sysFork)
	p.test(rax)
	p.jumpIf(equal, "execute")
	p.jumpIf(negative, "command.fail")
	p.move(rdi, rax)
	p.call("wait")
	p.loadByte(rax, rbp, status) // the signal that ended it, if one did
	p.loadByte(rdi, rbp, status+1)
	p.test(rax)
	p.jumpIf(equal, "command.exit")
	p.move(rdi, rax)
	p.addConst(rdi, statusSignal)
	p.label("command.exit")
	p.system(sysExitGroup)
	p.label("command.fail")
	p.exit(statusNoProgram - 1)

	// execute replaces the process by what execPath and execArgv say.
	p.label("execute")
	p.load(rdi, rbp, execPath)
	p.place(rsi, execArgv)
	p.clear(rdx)
	p.system(sysExecve)
	p.exit(statusNoProgram)

	// wait waits for the child in rdi; its status is then in data.
	p.label("wait")
	p.place(rsi, status)
	p.clear(rdx)
	p.clear(r10)
	p.system(sysWait4)
	p.ret()
}

// children emits a loop that forks and waits. The child goes to a label, and
// ends with a status as wait tells it.
func (p *program) children(name, child string, want int32) {
	loop, end := name+".loop", name+".end"
	p.address(r15, loop)
	p.jump("serve")

	p.label(loop)
	p.system(sysFork)
	p.test(rax)
	p.jumpIf(equal, child)
	p.jumpIf(negative, end)
	p.move(rdi, rax)
	p.call("wait")
	p.test(rax)
	p.jumpIf(negative, end)
	p.load32(rax, rbp, status)
	p.compareConst(rax, want)
	p.jumpIf(notEqual, "wrong")
	p.subConst(rbx, 1)
	p.jumpIf(notEqual, loop)
	p.clear(rax)
	p.label(end)
	p.ret()
}

func (p *program) empty() {
	p.address(r15, "empty.loop")
	p.jump("serve")
	p.label("empty.loop")
	p.clear(rax)
	p.ret()
}

func (p *program) fork() {
	p.children("fork", "fork.child", exitedWith1)
	p.label("fork.child")
	p.exit(1)
}

// exec starts argument 2. As lat_proc's child does, it closes descriptor 1
// first.
func (p *program) exec() {
	p.startsProgram()
	p.children("exec", "exec.child", 0)
	p.label("exec.child")
	p.set(rdi, 1)
	p.system(sysClose)
	p.jump("execute")
}

// shell has the shell, argument 2, start argument 3.
func (p *program) shell() {
	p.startsShell()
	p.children("sh", "exec.child", 0)
}

// startsProgram has execute start argument 2.
func (p *program) startsProgram() {
	p.argument(rax, 2)
	p.store(rbp, execPath, rax)
	p.store(rbp, execArgv, rax)
}

// startsShell has execute start argument 2 with a command, argument 3.
func (p *program) startsShell() {
	p.startsProgram()
	p.address(rax, "text.command")
	p.store(rbp, execArgv+8, rax)
	p.argument(rax, 3)
	p.store(rbp, execArgv+16, rax)
}
