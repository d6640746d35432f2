package xen

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/hv"
	"xsmbench/hv/xen/protocol"
)

// kind is a way of building Xen, with all that depends on which security module is
// in it. Nothing else here goes by a kind's name.
type kind struct {
	hv.Kind
	// fragment is the kind's Kconfig. A plain CONFIG_XSM=y build boots FLASK: who
	// wants another module must leave FLASK out, or choose the default.
	fragment string
	// option is that of Xen's command line by which the module is told its mode, "" if
	// there is none, and modes are the option's values. The first is what xsmbench
	// asks for.
	option string
	modes  []mode
	// injected is the hook that Inject changes; one kind has one.
	injected injected
}

// mode is what a security module does at a boot.
type mode struct {
	value string // of the kind's option
	// until is the value to start with where xenstored needs what the mode denies it;
	// dom0's agent then has the module enforce. "" if there is nothing to wait for.
	until string
	// module answers domains (protocol.Facts.Module), and enforces a policy.
	module    string
	enforcing bool
	// refusal is what a domU gets that asks for what only dom0 may, 0 if it is
	// allowed, anyError if Xen's own check refuses it.
	refusal abi.Errno
	// loads says that a policy is in force, and says what that means.
	loads bool
	says  string
}

// anyError is a refusal with whatever error number.
const anyError abi.Errno = -1

// unmoduled is the one mode of builds whose module has no option.
var unmoduled = mode{module: protocol.ModuleNone, refusal: anyError}

// flaskModes are the values of flask= (xsm/flask/flask_op.c, parse_flask_param).
var flaskModes = []mode{
	{value: "enforcing", until: "permissive", module: protocol.ModuleFlask, enforcing: true, refusal: abi.EACCES, loads: true, says: "enforcing"},
	{value: "permissive", module: protocol.ModuleFlask, loads: true, says: "permissive: what the policy denies is told, and done"},
	{value: "late", module: protocol.ModuleFlask, enforcing: true, says: "not loaded: everything is allowed until dom0 loads a policy, and none does"},
	{value: "disabled", module: protocol.ModuleNone, refusal: anyError, says: "not loaded: FLASK is disabled, and the dummy module answers"},
}

// injected is a hook's function, with its file.
type injected struct{ file, function string }

// kinds are native, dummy, flask and silo.
func kinds() []kind {
	return []kind{
		{
			Kind:     hv.Kind{Name: "native", Doc: "CONFIG_XSM off: privilege checks are inlined into their callers", Dispatch: "inlined", Kconfig: true},
			fragment: "# CONFIG_XSM is not set\n",
		},
		{
			Kind:     hv.Kind{Name: "dummy", Doc: "CONFIG_XSM with the dummy module alone: every hook is called and makes native's check", Dispatch: "patched direct call", Kconfig: true},
			fragment: "CONFIG_XSM=y\n# CONFIG_XSM_FLASK is not set\n# CONFIG_XSM_SILO is not set\n",
		},
		{
			Kind:     hv.Kind{Name: "flask", Doc: "CONFIG_XSM with FLASK, enforcing the policy that Xen's source carries, or one of yours", Dispatch: "patched direct call", Policy: true, BuiltIn: true, Mode: "enforcing", AVC: true, Kconfig: true},
			fragment: "CONFIG_XSM=y\nCONFIG_XSM_FLASK=y\nCONFIG_XSM_FLASK_POLICY=y\nCONFIG_XSM_FLASK_DEFAULT=y\n",
			option:   "flask", modes: flaskModes,
			injected: injected{"xen/xsm/flask/hooks.c", "flask_evtchn_status("},
		},
		{
			Kind:     hv.Kind{Name: "silo", Doc: "CONFIG_XSM with SILO, which keeps unprivileged domains apart", Dispatch: "patched direct call", Kconfig: true},
			fragment: "CONFIG_XSM=y\nCONFIG_XSM_SILO=y\nCONFIG_XSM_SILO_DEFAULT=y\n",
		},
	}
}

// Kinds lists native, dummy, flask and silo.
func (*Target) Kinds() []hv.Kind {
	var list []hv.Kind
	for _, k := range kinds() {
		list = append(list, k.Kind)
	}
	return list
}

// kindOf finds a build's kind.
func kindOf(b hv.Build) (kind, error) {
	for _, k := range kinds() {
		if k.Name == b.KindOf() {
			return k, nil
		}
	}
	return kind{}, fmt.Errorf("unknown kind of build %q", b.KindOf())
}

// Fragment is the Kconfig of a kind of build, "" if there is no such kind.
func Fragment(name string) string {
	k, _ := kindOf(hv.Build{Name: name})
	return k.fragment
}

// mode is what the module does at a boot of a build with some options.
func (k kind) mode(options []string) mode {
	if len(k.modes) == 0 {
		return unmoduled
	}
	found := k.modes[0]
	for _, m := range k.modes {
		if k.asks(options, m) {
			found = m
		}
	}
	return found
}

// asks tells whether options ask for a mode. Of several the last counts.
func (k kind) asks(options []string, m mode) bool {
	asked := ""
	for _, o := range options {
		if hv.OptionName(o) == k.option {
			asked = o
		}
	}
	return asked == k.option+"="+m.value
}

// modeOf is what a build's module does.
func modeOf(b hv.Build) mode {
	k, _ := kindOf(b) // of which it was built
	return k.mode(b.Options)
}
