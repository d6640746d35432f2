package xsm

import (
	"encoding/binary"
	"slices"
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
	// Printk writes a line to the console, which ends it; nil discards. Modules
	// always find one.
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

// StringParam returns a parameter of the command line, as in
// "flask_unknown=deny" (string_param): the last one if it is given twice, def
// if it is absent or has no value.
func (b *Boot) StringParam(name, def string) string {
	for _, option := range strings.Fields(b.CmdLine) {
		if key, value, ok := strings.Cut(option, "="); ok && key == name && value != "" {
			def = value
		}
	}
	return def
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
			b.printk("xsm: parameter %s: %q is not an integer; %d is used", name, value, def)
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

// start is xsm_init with the modules of a build. It
// puts the dummy in use first, so that a process may boot one machine after
// another; machines that run side by side share the table, as all domains of
// one hypervisor do. An initcall's error is printed and, as in Xen, changes
// nothing else.
func start(b *Boot, modules []Module) abi.Errno {
	if b.Printk == nil {
		b.Printk = func(string, ...any) {}
	}
	b.printk("XSM Framework v%s initialized", Version)
	// There is one XSM_MAGIC in a build.
	if i := slices.IndexFunc(modules, func(m Module) bool { return m.Policy != nil }); i >= 0 {
		b.findPolicy(modules[i].Policy.Magic)
	}
	useDummy()
	for _, m := range modules {
		if rc := m.Start(b); rc != 0 {
			b.printk("xsm: initcall of %s: %v", m.Name, rc)
		}
	}
	return 0
}
