package xsm

import (
	"encoding/binary"
	"strconv"
	"strings"

	"xsmbench/abi"
)

// Version is the framework's, which Init announces.
const Version = "1.0.0"

// Boot is what the hypervisor knows when it starts the framework: the
// arguments of Xen's xsm_init and the command line.
type Boot struct {
	// Modules are the multiboot modules; module 0 is dom0's kernel.
	Modules []BootModule
	// InitrdIdx is the module that the hypervisor would take for dom0's
	// initial RAM disk, 1 as a rule. Init moves it if that module turns
	// out to be the policy; 0 then says that dom0 has no initrd.
	InitrdIdx int
	// CmdLine is the hypervisor's own command line.
	CmdLine string
	// Printk writes a line to the console, which ends it; nil discards.
	Printk func(format string, args ...any)

	// Policy is the policy that Init found, nil if there was none, and
	// PolicyIdx its module.
	Policy    []byte
	PolicyIdx int
}

func (b *Boot) printk(format string, args ...any) {
	if b.Printk != nil {
		b.Printk(format, args...)
	}
}

// IntParam returns an integer parameter of the command line, as in
// "flask_enforcing=1" (integer_param): decimal, 0x… or octal 0…, the last one
// if it is given twice, def if it is absent or has no value. Where Xen would
// take a malformed number for zero, which for flask_enforcing would switch
// protection off, IntParam says so on the console and keeps what it had.
func (b *Boot) IntParam(name string, def int) int {
	for _, option := range strings.Fields(b.CmdLine) {
		key, value, ok := strings.Cut(option, "=")
		if key != name || !ok || value == "" {
			continue
		}
		n, err := strconv.ParseInt(value, 0, 32)
		if err != nil {
			b.printk("xsm: parameter %s: %q is no integer; it stays %d", name, value, def)
			continue
		}
		def = int(n)
	}
	return def
}

// findPolicy looks for the policy among the boot modules (xsm_policy_init),
// from the last down to module 1: the first whose first 32 bits are magic. A
// policy in module 1 stands where the initrd would, so that the initrd is
// module 2, or none if there are only two. To find nothing is no error.
func (b *Boot) findPolicy(magic uint32) {
	b.Policy, b.PolicyIdx = nil, 0
	for i := len(b.Modules) - 1; i >= 1; i-- {
		data := b.Modules[i].Data
		if len(data) < 4 || binary.LittleEndian.Uint32(data) != magic {
			continue
		}
		b.Policy, b.PolicyIdx = data, i
		b.printk("xsm: policy of %d bytes in boot module %d", len(data), i)
		if i == 1 {
			b.InitrdIdx = 0
			if len(b.Modules) > 2 {
				b.InitrdIdx = 2
			}
		}
		return
	}
}

// initcalls are the modules' entries, in the order in which their packages
// were initialised (the section .xsm_initcall.init).
var initcalls []func(*Boot) abi.Errno

// Initcall adds a module's entry, which Init calls (xsm_initcall). It is for
// init functions of modules. The entry registers the module's table.
func Initcall(entry func(*Boot) abi.Errno) { initcalls = append(initcalls, entry) }

// start is xsm_init with the magic number and the initcalls of a build. It
// puts the dummy in use first, so that a process may boot one machine after
// another; machines that run side by side share the table, as all domains of
// one hypervisor do. An initcall's error is printed and, as in Xen, changes
// nothing else.
func start(b *Boot, magic uint32, initcalls []func(*Boot) abi.Errno) abi.Errno {
	b.printk("XSM Framework v%s initialized", Version)
	if magic != 0 {
		b.findPolicy(magic)
	}
	useDummy()
	for i, entry := range initcalls {
		if rc := entry(b); rc != 0 {
			b.printk("xsm: initcall %d: %v", i, rc)
		}
	}
	return 0
}
