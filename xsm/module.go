package xsm

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"xsmbench/abi"
)

// Module is a security module: what it says of itself, and where it starts. A
// program has the modules whose packages it imports. One of them is used in a
// machine, as in Xen.
type Module struct {
	// Name is that of the kind of build that has the module: "flask".
	Name string
	Doc  string // one line
	// Start is the module's initcall (xsm_initcall): Init calls it while the
	// hypervisor boots, at every boot of the process. It registers the module's
	// table.
	Start func(*Boot) abi.Errno
	// Policy says what the module's policies are; nil if it has none.
	Policy *PolicyFormat
	// Params are the parameters of the hypervisor's command line that the module
	// reads and a run may set (Boot.IntParam).
	Params []Param
	// Mode says what the module does at a boot with what it denies; nil for
	// Policy.Mode, whatever the command line says.
	Mode func(*Boot) string
	// AVC says that the module caches decisions and answers FLASK's operations
	// on the cache (bench.AVC).
	AVC bool
	// Direct says that builds with direct calls can have the module: its package
	// defines their functions (direct.go, which xsm/hook/gen -module writes).
	Direct bool
	// Denial is what a line of the console holds before it tells what was
	// denied, "" if the module tells nothing.
	Denial string
}

// What a module does with what it denies.
const (
	Enforcing  = "enforcing"
	Permissive = "permissive" // it tells of it, and allows it
	Disabled   = "disabled"   // nothing: it does not register, and the dummy answers
)

// Param is a parameter of the hypervisor's command line.
type Param struct {
	Name   string
	Values []string // that it may have; nil for any
}

// PolicyFormat is what is known of a module's policies.
type PolicyFormat struct {
	// Magic is the number that a policy starts with among the boot modules
	// (XSM_MAGIC), little-endian.
	Magic uint32
	// BuiltIn is the policy to boot with where no other is given; nil for none.
	BuiltIn []byte
	// Symbol is the variable of the program that holds BuiltIn, from which other
	// programs read what an image carries; "" if they cannot.
	Symbol string
	// Check says whether the module can load a policy that starts with Magic,
	// before a machine boots with it. It returns the label of domUs, "" if the
	// module has no labels. It may be nil.
	Check func(policy []byte, o PolicyOptions) (label string, err error)
	// Unknown is the parameter of the command line that takes
	// PolicyOptions.Unknown, "" if there is none.
	Unknown string
	// Mode says what the module does with the policy's denials, where the command
	// line does not decide it (Module.Mode): Enforcing.
	Mode string
}

// PolicyOptions say how a policy is to be read.
type PolicyOptions struct {
	Unknown string // what becomes of permissions that the policy does not have
	Label   string // of domUs, "" for the policy's usual one
}

// modules are those of the program, in the order in which their packages were
// initialised (the section .xsm_initcall.init).
var modules []Module

// AddModule adds a module to the program. It is for init functions of modules.
func AddModule(m Module) { modules = append(modules, m) }

// Modules are those of the program.
func Modules() []Module { return modules }

// About is what one program may know of another's module.
type About struct {
	Name, Doc string
	AVC       bool         // it caches decisions, and is not Disabled
	Mode      string       // at a boot with the command line that was asked about
	Params    []Param      `json:",omitempty"`
	Policy    *AboutPolicy // nil if the module has none
}

// AboutPolicy is what is known of a PolicyFormat.
type AboutPolicy struct {
	Magic   uint32
	BuiltIn bool
}

// ModeOf is what the module does at a boot with a command line with what it denies.
func (m Module) ModeOf(cmdLine string) string {
	switch {
	case m.Mode != nil:
		return m.Mode(&Boot{CmdLine: cmdLine})
	case m.Policy != nil:
		return m.Policy.Mode
	}
	return ""
}

// About returns it, for a boot with a command line.
func (m Module) About(cmdLine string) About {
	mode := m.ModeOf(cmdLine)
	a := About{Name: m.Name, Doc: m.Doc, AVC: m.AVC && mode != Disabled, Mode: mode, Params: m.Params}
	if p := m.Policy; p != nil {
		a.Policy = &AboutPolicy{Magic: p.Magic, BuiltIn: p.BuiltIn != nil}
	}
	return a
}

// CheckOption refuses NAME=VALUE for the command line if the module does not read it,
// or would not take the value.
func (a About) CheckOption(option string) error {
	name, value, _ := strings.Cut(option, "=")
	var names []string
	for _, p := range a.Params {
		names = append(names, p.Name)
		switch {
		case p.Name != name:
		case p.Values == nil || slices.Contains(p.Values, value):
			return nil
		default:
			return fmt.Errorf("%s: want %s=%s", option, name, strings.Join(p.Values, " or "+name+"="))
		}
	}
	if names == nil {
		return fmt.Errorf("%s: the module %s reads nothing from the command line", option, a.Name)
	}
	return fmt.Errorf("%s: the module %s reads no %s, but %s", option, a.Name, name, strings.Join(names, ", "))
}

// mostPolicy is more than any policy has.
const mostPolicy = 64 << 20

// ReadPolicy reads a policy from a file. Of one that does not start with the
// magic number, or has no end, it reads no more than it must.
func ReadPolicy(path string, magic uint32) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 4)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	if n < len(head) || binary.LittleEndian.Uint32(head) != magic {
		return nil, fmt.Errorf("it does not begin with the magic number %#x", magic)
	}
	rest, err := io.ReadAll(io.LimitReader(f, mostPolicy))
	if err == nil && len(rest) == mostPolicy {
		err = fmt.Errorf("it has more than %d bytes", mostPolicy)
	}
	return append(head, rest...), err
}
