package native

import (
	"fmt"
	"slices"
)

// imports are the functions of the C library that the program calls, in the order
// of its table.
var imports = []string{"__libc_start_main", "fork", "waitpid", "malloc", "getenv", "read", "write", "kill", "sigaction"}

// ipcImports are those that the second program calls beside them.
var ipcImports = slices.Concat([]string{"sendto", "recvfrom", "fcntl", "semop", "socket", "setsockopt", "connect", "accept", "close"}, generators)

// generators are lat_rand's functions, in the order of bench.NativeRandom.
var generators = []string{"drand48", "lrand48", "rand", "random"}

// imports are the program's.
func (p *program) imports() []string {
	if p.ipc {
		return slices.Concat(imports, ipcImports)
	}
	return imports
}

// lazy are those whose addresses the dynamic linker looks up when they are called
// for the first time, as it does for programs that are linked in the usual way.
// lmbench's children make such first calls: their parents never do. The last four are
// of operations that no target but a machine without Xen has, and cost the others
// nothing.
var lazy = []string{"exit", "close", "execve", "write", "getppid", "select", "mmap", "munmap"}

// wrapped are the system calls of timed loops that a C program makes through its
// library. The functions answer -1 for any error. (select takes a timeout of zero as
// pselect6 does.)
var wrapped = map[int64]string{
	sysRead: "read", sysWrite: "write", sysKill: "kill", sysRtSigaction: "sigaction", sysPselect6: "select",
	sysSendto: "sendto", sysRecvfrom: "recvfrom", sysFcntl: "fcntl", sysSemop: "semop", sysSocket: "socket",
	sysSetsockopt: "setsockopt", sysConnect: "connect", sysAccept: "accept", sysClose: "close",
}

// withFourth are those of them that have four arguments or more.
var withFourth = []int64{sysPselect6, sysSendto, sysRecvfrom, sysSetsockopt}

// timed makes a system call of a timed loop: through the library, if there is one.
// A function has a call's arguments in the same registers, but the fourth. Its
// result is then -EIO for any error.
func (p *program) timed(number int64) {
	name, ok := wrapped[number]
	if p.got == 0 || !ok {
		p.system(number)
		return
	}
	if slices.Contains(withFourth, number) {
		p.move(rcx, r10)
	}
	if slices.Contains(p.imports(), name) {
		p.calls(name)
	} else {
		p.callsFirst(name)
	}
	p.signExtend(rax)
	p.test(rax)
	p.timedCalls++
	done := fmt.Sprintf("timed.%d", p.timedCalls)
	p.jumpUnless(negative, done)
	p.set(rax, errIO)
	p.label(done)
}

// coarseClock is the clock that goes on at timer ticks alone (CLOCK_MONOTONIC_COARSE).
const coarseClock = 6

// tick emits what waits for the next timer tick. What the library's processes do takes
// most of the time from one tick to the next: a window that does not begin behind a tick
// seldom ends before one, and then is not clean.
func (p *program) tick() {
	p.label("tick")
	p.set(rdi, coarseClock)
	p.place(rsi, timeout)
	p.system(sysClockGettime)
	p.load(r8, rbp, timeout+8)
	p.label("tick.next")
	p.system(sysClockGettime)
	p.load(r9, rbp, timeout+8)
	p.compare(r8, r9)
	p.jumpIf(equal, "tick.next")
	p.ret()
}

// heap is what the program allocates, as benchmp does for its results, so that it
// has a heap to copy.
const heap = 256

// slot is where the address of an import is.
func (p *program) slot(name string) int64 {
	return int64(p.got) + 8*indexOf("import", p.imports(), name)
}

// lazySlot is where that of a lazy one is, in the page of data.
func (p *program) lazySlot(name string) int64 {
	return int64(p.data) + gotPLT + 8*(gotReserved+indexOf("lazy import", lazy, name))
}

func indexOf(what string, list []string, name string) int64 {
	i := slices.Index(list, name)
	if i < 0 {
		panic("assemble: no " + what + " " + name)
	}
	return int64(i)
}

// calls calls a function of the library with what is in rdi, rsi, rdx, rcx, r8 and r9. Its
// result is in rax; the registers that the calling convention does not keep are
// lost. The stack is aligned as it wants it.
func (p *program) calls(name string) { p.callsThrough(p.slot(name)) }

// callsFirst calls one that the dynamic linker may have to look up.
func (p *program) callsFirst(name string) { p.callsThrough(p.lazySlot(name)) }

func (p *program) callsThrough(slot int64) {
	p.store(rbp, stack, rsp)
	p.align(rsp, 16)
	p.set(rax, slot)
	p.load(rax, rax, 0)
	p.callTo(rax)
	p.load(rsp, rbp, stack)
}

// linkageTable emits what a lazy import's slot points to until it is looked up: it
// tells the dynamic linker the import's number (the linkage table of the processor's
// ABI, but that r11 finds the slots).
func (p *program) linkageTable() {
	p.label("plt")
	p.set(r11, int64(p.data)+gotPLT)
	p.pushFrom(r11, 8)
	p.jumpThrough(r11, 16)
	for i, name := range lazy {
		p.label("plt." + name)
		p.pushConst(int32(i))
		p.jump("plt")
	}
}

// cLibrary emits what a C program's start-up code is, and its end.
func (p *program) cLibrary() {
	// libstart is where the dynamic linker jumps to: rdx is what it wants to have
	// called at the end.
	p.label("libstart")
	p.move(r9, rdx)
	p.move(rax, rsp)
	p.load(rsi, rax, 0)
	p.move(rdx, rsp)
	p.addConst(rdx, 8)
	p.address(rdi, "libmain")
	p.clear(rcx)
	p.clear(r8)
	p.push(rax) // for the alignment
	p.push(rax)
	p.set(rax, p.slot("__libc_start_main"))
	p.load(rax, rax, 0)
	p.callTo(rax)

	// libmain is main, with argc and argv.
	p.label("libmain")
	p.place(rbp, 0)
	p.compareConst(rdi, 2)
	p.jumpIf(less, "libhello")
	p.move(r12, rsi)
	p.set(rdi, heap)
	p.calls("malloc")
	p.test(rax)
	p.jumpIf(equal, "start.usage")
	p.move(r8, r12)
	p.subConst(r8, 8)
	p.jump("start.begun")

	// A program without arguments returns from main.
	p.label("libhello")
	p.set(rdi, 1)
	p.address(rsi, "text.hello")
	p.set(rdx, int64(len("Hello world\n")))
	p.callsFirst("write")
	p.clear(rax)
	p.ret()

	// destroy is the destructor that every C program has: it notes that it ran.
	p.label("destroy")
	p.place(rax, destroyed)
	p.storeByte(rax, 0, 1)
	p.ret()

	p.linkageTable()
	p.tick()
}

// dynamicChildren is children through the library.
func (p *program) dynamicChildren(name, child string, want int32) {
	loop, end := name+".loop", name+".end"
	p.address(r15, loop)
	p.jump("serve")

	p.label(loop)
	p.calls("fork")
	p.test32(rax)
	p.jumpIf(equal, child)
	p.jumpIf(negative, end)
	p.move(rdi, rax)
	p.place(rsi, status)
	p.clear(rdx)
	p.calls("waitpid")
	p.test32(rax)
	p.jumpIf(negative, end)
	p.load32(rax, rbp, status)
	p.compareConst(rax, want)
	p.jumpIf(notEqual, "wrong")
	p.subConst(rbx, 1)
	p.jumpIf(notEqual, loop)
	p.clear(rax)
	p.ret()
	p.label(end)
	p.set(rax, errAgain)
	p.ret()
}

func (p *program) dynamicFork() {
	p.dynamicChildren("libfork", "libfork.child", exitedWith1)
	p.label("libfork.child")
	p.askScheduling()
	p.set(rdi, 1)
	p.callsFirst("exit")
}

// askScheduling is what a child of lmbench's does first: it looks for the variable
// that says on which processor it is to run.
func (p *program) askScheduling() {
	p.address(rdi, "text.schedule")
	p.calls("getenv")
}

// dynamicExec starts argument 2, and dynamicShell has the shell, argument 2, start
// argument 3.
func (p *program) dynamicExec() {
	p.startsProgram()
	p.dynamicChildren("libexec", "libexec.child", 0)
	p.label("libexec.child")
	p.askScheduling()
	p.set(rdi, 1)
	p.callsFirst("close")
	p.load(rdi, rbp, execPath)
	p.place(rsi, execArgv)
	p.clear(rdx)
	p.callsFirst("execve")
	p.exit(statusNoProgram)
}

func (p *program) dynamicShell() {
	p.startsShell()
	p.dynamicChildren("libsh", "libexec.child", 0)
}
