package binarycheck

import (
	"fmt"
	"strings"

	"golang.org/x/arch/x86/x86asm"

	"xsmbench/xsm"
	"xsmbench/xsm/hook"
)

// Table checks the claim that the hooks in the given packages (import paths;
// those of the hypervisor) are indirect calls through the table in use. The
// report's sites are in order of address; that a hook has a site at all is
// for the caller to ask, of Missing.
func Table(path string, packages ...string) (*Report, error) {
	im, err := open(path)
	if err != nil {
		return nil, err
	}
	defer im.file.Close()
	r := &Report{Path: path}
	ops, ok := im.byName[framework+"ops"]
	if !ok {
		r.finding("no table is linked: %sops is missing", framework)
		return r, nil
	}
	c := &checker{im: im, report: r, ops: ops.Value, avoid: avoidNames()}
	err = im.each(packages, r, c.function)
	if err != nil {
		return nil, fmt.Errorf("check binary %s: %w", path, err)
	}
	if len(r.Sites) == 0 {
		r.finding("no hook is called through the table in %s", strings.Join(packages, ", "))
	}
	return r, nil
}

// avoidNames are the functions that a hypervisor must neither call directly
// nor take the address of.
func avoidNames() map[string]string {
	names := map[string]string{}
	for _, h := range hook.Table {
		names[framework+"dummy"+h.Go] = "the dummy's function"
		names[framework+h.Go] = "a wrapper that was not inlined"
	}
	return names
}

// checker follows values through a function from the load of the pointer to
// the table to the indirect call. What it cannot follow becomes a finding.
type checker struct {
	im     *image
	report *Report
	ops    uint64            // address of xsm.ops
	avoid  map[string]string // functions that must not be reached directly

	name  string               // of the function at hand
	regs  map[x86asm.Reg]value // by full-width register
	stack map[x86asm.Mem]value // spilled values
	loads map[uint64]bool      // loads of ops that no call has used yet
}

// value is what a register holds of the way to a hook's code.
type value struct {
	kind   kind
	load   uint64 // where ops was loaded
	offset int64  // of the member in the table
}

type kind int

const (
	unknown kind = iota
	pointer      // &ops
	table        // ops
	closure      // ops->member: a Go function value, which points at its code
	code         // the address of the member's code
)

func (c *checker) function(name string, list []instruction) {
	c.name = name
	c.loads = map[uint64]bool{}
	c.forget()
	targets := jumpTargets(list)
	for _, in := range list {
		if targets[in.pc] {
			c.forget()
		}
		c.step(in)
	}
	for pc := range c.loads {
		c.report.finding("%s: the table loaded at %#x leads to no indirect call", name, pc)
	}
}

// forget drops what is known where control may come from elsewhere.
func (c *checker) forget() {
	c.regs = map[x86asm.Reg]value{}
	c.stack = map[x86asm.Mem]value{}
}

func jumpTargets(list []instruction) map[uint64]bool {
	targets := map[uint64]bool{}
	for _, in := range list {
		if rel, ok := in.Args[0].(x86asm.Rel); ok && in.Op != x86asm.CALL {
			targets[in.target(rel)] = true
		}
	}
	return targets
}

func (in instruction) target(rel x86asm.Rel) uint64 {
	return in.pc + uint64(in.Len) + uint64(int64(rel))
}

func (c *checker) step(in instruction) {
	c.references(in)
	switch in.Op {
	case x86asm.CALL, x86asm.JMP:
		c.call(in)
	case x86asm.RET:
		c.forget()
	case x86asm.MOV:
		c.move(in)
	case x86asm.LEA:
		c.leaAddress(in)
	case x86asm.CMP, x86asm.TEST, x86asm.PUSH, x86asm.NOP:
	case x86asm.MUL, x86asm.IMUL, x86asm.DIV, x86asm.IDIV, x86asm.CDQ, x86asm.CQO, x86asm.CWD, x86asm.CMPXCHG:
		c.kill(x86asm.RAX)
		c.kill(x86asm.RDX)
		c.killArg(in.Args[0])
	case x86asm.XCHG, x86asm.XADD:
		c.killArg(in.Args[0])
		c.killArg(in.Args[1])
	case x86asm.MOVSB, x86asm.MOVSD, x86asm.MOVSQ, x86asm.MOVSW, x86asm.STOSB, x86asm.STOSD, x86asm.STOSQ, x86asm.STOSW:
		c.kill(x86asm.RCX)
		c.kill(x86asm.RSI)
		c.kill(x86asm.RDI)
	case x86asm.CPUID, x86asm.RDTSC:
		c.regs = map[x86asm.Reg]value{}
	default:
		c.killArg(in.Args[0])
	}
}

// references finds addresses of functions to avoid, in the instruction
// itself or in the read-only function value that it names.
func (c *checker) references(in instruction) {
	for _, a := range in.Args {
		var addr uint64
		switch a := a.(type) {
		case x86asm.Imm:
			addr = uint64(a)
			if c.im.mode == 32 {
				addr = uint64(uint32(a))
			}
		case x86asm.Mem:
			var ok bool
			if addr, ok = c.address(in, a); !ok {
				continue
			}
		case x86asm.Rel:
			if in.Op == x86asm.CALL || in.Op == x86asm.JMP {
				c.direct(in, in.target(a))
			}
			continue
		default:
			continue
		}
		name, ok := c.im.functionAt(addr)
		if !ok {
			if w, stored := c.im.word(addr); stored {
				name = c.functionName(w)
			}
		}
		if what := c.avoid[name]; what != "" {
			c.report.finding("%s at %#x refers to %s, %s", c.name, in.pc, name, what)
		}
	}
}

func (c *checker) functionName(addr uint64) string {
	name, _ := c.im.functionAt(addr)
	return name
}

func (c *checker) direct(in instruction, target uint64) {
	name := strings.TrimSuffix(c.functionName(target), ".abi0")
	if what := c.avoid[name]; what != "" {
		c.report.finding("%s at %#x calls %s directly: %s", c.name, in.pc, name, what)
	}
}

// address is the absolute address that an operand names, if it names one.
func (c *checker) address(in instruction, m x86asm.Mem) (uint64, bool) {
	switch {
	case m.Segment != 0 || m.Index != 0:
		return 0, false
	case m.Base == x86asm.RIP:
		return in.pc + uint64(in.Len) + uint64(m.Disp), true
	case m.Base == 0 && c.im.mode == 32:
		return uint64(uint32(m.Disp)), true
	case m.Base == 0:
		return uint64(m.Disp), true
	}
	return 0, false
}

// call takes an indirect call for a hook's if it goes to a member's code.
func (c *checker) call(in instruction) {
	var v value
	switch a := in.Args[0].(type) {
	case x86asm.Reg:
		v = c.regs[full(a)]
	case x86asm.Mem:
		if base := c.regs[full(a.Base)]; base.kind == closure && a.Disp == 0 && a.Index == 0 {
			v = value{code, base.load, base.offset}
		}
	}
	if v.kind == code {
		c.site(in, v)
	}
	if in.Op == x86asm.CALL {
		c.regs = map[x86asm.Reg]value{} // a Go function saves no register
		return
	}
	c.forget()
}

func (c *checker) site(in instruction, v value) {
	size := int64(c.im.mode / 8)
	id := v.offset / size
	if v.offset%size != 0 || id < 0 || id >= xsm.NrHooks {
		c.report.finding("%s at %#x calls through offset %#x, which is no hook", c.name, in.pc, v.offset)
		return
	}
	delete(c.loads, v.load)
	c.report.Sites = append(c.report.Sites, Site{xsm.HookID(id), c.name, in.pc})
}

func (c *checker) move(in instruction) {
	switch dst := in.Args[0].(type) {
	case x86asm.Reg:
		if full(dst) == x86asm.RSP {
			c.stack = map[x86asm.Mem]value{}
		}
		c.set(full(dst), c.source(in))
	case x86asm.Mem:
		if slot, ok := spill(dst); ok {
			c.stack[slot] = c.source(in)
		}
	}
}

// source is the value that a move reads.
func (c *checker) source(in instruction) value {
	switch src := in.Args[1].(type) {
	case x86asm.Reg:
		return c.regs[full(src)]
	case x86asm.Imm:
		if uint64(uint32(src)) == c.ops && c.im.mode == 32 {
			return value{kind: pointer}
		}
	case x86asm.Mem:
		if addr, ok := c.address(in, src); ok {
			if addr == c.ops {
				return c.loaded(in)
			}
			return value{}
		}
		if slot, ok := spill(src); ok {
			return c.stack[slot]
		}
		return c.dereference(in, src)
	}
	return value{}
}

func (c *checker) dereference(in instruction, m x86asm.Mem) value {
	if m.Index != 0 || m.Segment != 0 {
		return value{}
	}
	base := c.regs[full(m.Base)]
	switch {
	case base.kind == pointer && m.Disp == 0:
		return c.loaded(in)
	case base.kind == table:
		return value{closure, base.load, m.Disp}
	case base.kind == closure && m.Disp == 0:
		return value{code, base.load, base.offset}
	}
	return value{}
}

func (c *checker) loaded(in instruction) value {
	c.loads[in.pc] = true
	return value{kind: table, load: in.pc}
}

func (c *checker) leaAddress(in instruction) {
	var v value
	if addr, ok := c.address(in, in.Args[1].(x86asm.Mem)); ok && addr == c.ops {
		v.kind = pointer
	}
	c.set(full(in.Args[0].(x86asm.Reg)), v)
}

func (c *checker) set(r x86asm.Reg, v value) {
	if v.kind == unknown {
		c.kill(r)
		return
	}
	c.regs[r] = v
}

func (c *checker) kill(r x86asm.Reg) { delete(c.regs, r) }

func (c *checker) killArg(a x86asm.Arg) {
	switch a := a.(type) {
	case x86asm.Reg:
		c.kill(full(a))
	case x86asm.Mem:
		if slot, ok := spill(a); ok {
			delete(c.stack, slot)
		}
	}
}

// spill names a stack slot: Go addresses them by the stack pointer.
func spill(m x86asm.Mem) (x86asm.Mem, bool) {
	if full(m.Base) != x86asm.RSP || m.Index != 0 {
		return x86asm.Mem{}, false
	}
	return x86asm.Mem{Base: x86asm.RSP, Disp: m.Disp}, true
}

// full is the 64-bit register that r is a part of.
func full(r x86asm.Reg) x86asm.Reg {
	switch {
	case r >= x86asm.AH && r <= x86asm.BH:
		return r - x86asm.AH + x86asm.RAX
	case r >= x86asm.AL && r <= x86asm.BL:
		return r - x86asm.AL + x86asm.RAX
	case r >= x86asm.SPB && r <= x86asm.R15B:
		return r - x86asm.SPB + x86asm.RSP
	case r >= x86asm.AX && r <= x86asm.R15W:
		return r - x86asm.AX + x86asm.RAX
	case r >= x86asm.EAX && r <= x86asm.R15L:
		return r - x86asm.EAX + x86asm.RAX
	}
	return r
}
