package xsm

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

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

// PolicyFormat is what is known of a module's policies.
type PolicyFormat struct {
	// Magic is the number that a policy starts with among the boot modules
	// (XSM_MAGIC), little-endian.
	Magic uint32
	// BuiltIn is the policy to boot with where no other is given; nil for none.
	BuiltIn []byte
	// Check says whether the module can load a policy that starts with Magic,
	// before a machine boots with it. It returns the label of domUs, "" if the
	// module has no labels. It may be nil.
	Check func(policy []byte, o PolicyOptions) (label string, err error)
	// Unknown is the parameter of the command line that takes
	// PolicyOptions.Unknown, "" if there is none.
	Unknown string
	// Mode says what the module does with the policy's denials: "enforcing".
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
	AVC       bool
	Policy    *AboutPolicy // nil if the module has none
}

// AboutPolicy is what is known of a PolicyFormat.
type AboutPolicy struct {
	Magic   uint32
	BuiltIn bool
	Mode    string
}

// About returns it.
func (m Module) About() About {
	a := About{Name: m.Name, Doc: m.Doc, AVC: m.AVC}
	if p := m.Policy; p != nil {
		a.Policy = &AboutPolicy{Magic: p.Magic, BuiltIn: p.BuiltIn != nil, Mode: p.Mode}
	}
	return a
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
