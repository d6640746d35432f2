package native

import "fmt"

// imports are the functions of the C library that the program calls, in the order
// of its table.
var imports = []string{"__libc_start_main", "fork", "waitpid", "exit", "malloc", "read", "write", "kill", "sigaction"}

// wrapped are the system calls of timed loops that a C program makes through its
// library. The functions have the calls' arguments, in the same registers but the
// fourth, and answer -1 for any error.
var wrapped = map[int64]string{sysRead: "read", sysWrite: "write", sysKill: "kill", sysRtSigaction: "sigaction"}

// timed makes a system call of a timed loop: through the library, if there is one.
// Its result is then -EIO for any error.
func (p *program) timed(number int64) {
	name, ok := wrapped[number]
	if p.got == 0 || !ok {
		p.system(number)
		return
	}
	p.calls(name)
	p.signExtend(rax)
	p.test(rax)
	p.timedCalls++
	done := fmt.Sprintf("timed.%d", p.timedCalls)
	p.jumpUnless(negative, done)
	p.set(rax, errIO)
	p.label(done)
}

// heap is what the program allocates, as benchmp does for its results, so that it
// has a heap to copy.
const heap = 256

// slot is where the address of an import is.
func (p *program) slot(name string) int64 {
	for i, n := range imports {
		if n == name {
			return int64(p.got) + 8*int64(i)
		}
	}
	panic("assemble: no import " + name)
}

// calls calls a function of the library with what is in rdi, rsi and rdx. Its
// result is in rax; the registers that the calling convention does not keep are
// lost. The stack is aligned as it wants it.
func (p *program) calls(name string) {
	p.store(rbp, stack, rsp)
	p.align(rsp, 16)
	p.set(rax, p.slot(name))
	p.load(rax, rax, 0)
	p.callTo(rax)
	p.load(rsp, rbp, stack)
}

// library emits what a C program's start-up code is, and its end.
func (p *program) library() {
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

	p.label("libhello")
	p.set(rdi, 1)
	p.address(rsi, "text.hello")
	p.set(rdx, int64(len("Hello world\n")))
	p.system(sysWrite)
	p.clear(rdi)
	p.calls("exit")
}

// libraryChildren is children through the library.
func (p *program) libraryChildren(name, child string, want int32) {
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

func (p *program) libraryFork() {
	p.libraryChildren("libfork", "libfork.child", exitedWith1)
	p.label("libfork.child")
	p.set(rdi, 1)
	p.calls("exit")
}

// libraryExec starts argument 2, and libraryShell has the shell, argument 2, start
// argument 3.
func (p *program) libraryExec() {
	p.startsProgram()
	p.libraryChildren("libexec", "exec.child", 0)
}

func (p *program) libraryShell() {
	p.startsShell()
	p.libraryChildren("libsh", "exec.child", 0)
}
