// Package symbols makes a map of the model's code from its program: functions,
// the sites of security hooks in them, and where guests enter the hypervisor
// and are called by it. Hypervisor and guests are one program there, and what
// executes is the hypervisor's from an entry to its return, Go's run-time
// system included.
package symbols

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/arch/x86/x86asm"

	"xsmbench/hv/count/code"
	"xsmbench/hv/count/program"
	"xsmbench/xsm/hook"
)

// Packages by the beginnings of their symbols.
const (
	module     = "xsmbench/"
	wrappers   = "xsm."              // package xsm, whose wrappers the hooks are
	body       = wrappers + "direct" // what they call in a build with direct calls, the module's function
	hypervisor = "model."            // package hv/model
	processor  = "model.(*VCPU)"     // its vCPUs
)

// Functions of package model at the hypervisor's boundary.
var (
	// entered are where it is entered: by hypercalls and faults, and for the
	// work that is done on the way to a guest, which a guest that computes
	// asks for by itself (InterruptWindow).
	entered = []string{processor + ".Hypercall", processor + ".pageFault", processor + ".emulatePTEWrite", processor + ".exitToGuest"}
	// callbacks are those that call a guest's code.
	callbacks = []string{processor + ".upcall", processor + ".deliverTrap"}
	// faults and soft interrupts have handlers as hypercalls have.
	handled = map[string]string{
		processor + ".pageFault": "do_page_fault", processor + ".emulatePTEWrite": "do_page_fault",
		hypervisor + "(*Machine).switchFrom": "do_softirq",
	}
	// disturbing are functions that a clean window does not enter: those of a
	// switch of vCPUs and of the timer's interrupt; and of Go's run-time
	// system, which is no part of a hypervisor, its monitor's, the
	// preemption of a goroutine and the collector's start.
	disturbing = []string{
		processor + ".await", hypervisor + "(*Machine).tickAll",
		"runtime.retake", "runtime.goschedImpl", "runtime.gcStart",
	}
)

// Read makes the map of a model's program.
func Read(path string) (*code.Map, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read symbols: %w", err)
	}
	defer f.Close()
	p, err := program.Read(f, program.Spec{
		Area: textArea(f), Rest: "(no symbol)", Name: shortName, HookOf: hookOf,
		Module: func(string) bool { return false }, Probes: disturbing, Indirect: true, Compares: true,
		IsBody: func(function string) bool { return strings.HasPrefix(function, body) },
	})
	if err != nil {
		return nil, fmt.Errorf("read symbols of %s: %w", path, err)
	}
	p.Map.Shared = true
	if err := boundary(p); err != nil {
		return nil, fmt.Errorf("read symbols of %s: %w", path, err)
	}
	return p.Map, nil
}

// textArea is from the first to the last instruction of a program.
func textArea(f *elf.File) code.Range {
	var r code.Range
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_EXECINSTR == 0 || s.Size == 0 {
			continue
		}
		if r.Lo == 0 || s.Addr < r.Lo {
			r.Lo = s.Addr
		}
		r.Hi = max(r.Hi, s.Addr+s.Size)
	}
	return r
}

// shortName drops the directories of a symbol's package; type arguments may
// have directories of their own.
func shortName(symbol string) (string, bool) {
	name, arguments, generic := strings.Cut(symbol, "[")
	name = name[strings.LastIndexByte(name, '/')+1:]
	if generic {
		name += "[" + arguments
	}
	return strings.TrimSuffix(name, ".abi0"), false
}

// hookOf tells a hook's wrapper by its name, with or without directories.
func hookOf(name string) (string, bool) {
	name, ok := strings.CutPrefix(strings.TrimPrefix(name, module), wrappers)
	if !ok {
		return "", false
	}
	for _, h := range hook.Table {
		if h.Go == name {
			return h.Name, true
		}
	}
	return "", false
}

// boundary notes where guests enter the hypervisor and are called by it.
func boundary(p *program.Program) error {
	missing := slices.Concat(entered, callbacks)
	for _, f := range p.Functions {
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == f.Name })
		switch {
		case slices.Contains(entered, f.Name):
			enter(p, f)
		case slices.Contains(callbacks, f.Name):
			callOut(p, f)
		}
		if name, ok := handlerOf(f.Name); ok {
			p.Handle(f, name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the hypervisor's boundary has changed: no function %s", strings.Join(missing, ", "))
	}
	return nil
}

// enter notes a function's begin, after the check of the stack, which begins
// it anew if the stack must grow, and its returns.
func enter(p *program.Program, f program.Function) {
	begin := f.Lo
	p.Each(f, func(at uint64, inst x86asm.Inst) {
		if inst.Op == x86asm.JBE && at < f.Lo+stackCheck {
			begin = at + uint64(inst.Len)
		}
		if inst.Op == x86asm.RET {
			p.Event(at, code.Leave, 0)
		}
	})
	p.Event(begin, code.Enter, 0)
	if name, ok := handled[f.Name]; ok {
		p.HandleAt(f, begin, name) // of what has just been entered
	}
}

// stackCheck is the most bytes that the check of the stack takes.
const stackCheck = 32

// callOut notes calls through pointers, which are the guest's.
func callOut(p *program.Program, f program.Function) {
	p.Each(f, func(at uint64, inst x86asm.Inst) {
		if program.IsIndirect(inst) {
			p.Event(at, code.Out, 0)
			p.Event(at+uint64(inst.Len), code.Return, 0)
		}
	})
}

// spelling is what Xen spells otherwise.
var spelling = strings.NewReplacer("fpu_task_switch", "fpu_taskswitch", "mmu_ext_op", "mmuext_op", "mapping_other", "mapping_otherdomain")

// handlerOf is Xen's name of the handler that a function is: do_mmu_update of
// model.doMMUUpdate.
func handlerOf(function string) (string, bool) {
	if name, ok := handled[function]; ok {
		return name, !slices.Contains(entered, function)
	}
	name, ok := strings.CutPrefix(function, hypervisor)
	if !ok || !strings.HasPrefix(name, "do") || len(name) < 3 || name[2] < 'A' || name[2] > 'Z' || strings.ContainsRune(name, '.') {
		return "", false
	}
	return spelling.Replace(snake(name)), true
}

// snake is a Go name in lower case, its words separated.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		upper := r >= 'A' && r <= 'Z'
		if upper && i > 0 {
			before := name[i-1] >= 'a' && name[i-1] <= 'z'
			after := i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z'
			if before || after {
				b.WriteByte('_')
			}
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
