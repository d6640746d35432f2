package flask

import (
	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/policy"
	"xsmbench/xsm/flask/policydb"
	"xsmbench/xsm/flask/ss"
)

func init() {
	xsm.AddModule(xsm.Module{
		Name:  "flask",
		Doc:   "the framework with FLASK registered, enforcing a policy",
		Start: boot,
		AVC:   true, Direct: true,
		Policy: &xsm.PolicyFormat{
			Magic: policydb.Magic, BuiltIn: policy.Binary, Symbol: "xsmbench/xsm/flask/policy.Binary", Check: Check, Unknown: "flask_unknown", Mode: xsm.Enforcing,
		},
		Params: []xsm.Param{{Name: paramEnabled, Values: []string{"0", "1"}}, {Name: paramEnforcing, Values: []string{"0", "1"}}},
		Mode:   mode,
		Denial: "avc:  denied",
	})
}

// Parameters of the command line.
const (
	paramEnabled   = "flask_enabled"
	paramEnforcing = "flask_enforcing"
)

// mode is what the command line makes of the module.
func mode(b *xsm.Boot) string {
	switch {
	case b.IntParam(paramEnabled, 1) == 0:
		return xsm.Disabled
	case b.IntParam(paramEnforcing, 1) == 0:
		return xsm.Permissive
	}
	return xsm.Enforcing
}

// boot is the module's initcall (flask_init): unless flask_enabled is 0 it
// registers the module and loads the policy that was found among the boot
// modules. flask_enforcing chooses the mode, flask_unknown what becomes of
// permissions that the policy does not have: reject (the policy), deny, allow.
//
// Without a policy everything is allowed until one is loaded by hypercall, as
// in Xen. A policy that was found but is refused leaves nothing allowed: Xen
// 3.2 would go on as if there were none.
func boot(b *xsm.Boot) abi.Errno {
	printk := b.Printk
	if printk == nil {
		printk = func(string, ...any) {}
	}
	call(nil)
	does := mode(b)
	if does == xsm.Disabled {
		printk("Flask:  Disabled at boot.")
		return 0
	}
	printk("Flask:  Initializing.")
	unknown, err := parseUnknown(b.StringParam("flask_unknown", ""))
	if err != nil {
		printk("Flask:  %v; the policy must have them all", err)
	}
	m := newModule(does == xsm.Enforcing, unknown, func(line string) { printk("%s", line) })
	table := m.operations()
	m.unregister = func() abi.Errno {
		rc := xsm.Unregister(table)
		if rc == 0 {
			call(nil)
		}
		return rc
	}
	if rc := xsm.Register(table); rc != 0 {
		printk("Flask:  Unable to register with XSM.")
		return rc
	}
	call(m)
	var rc abi.Errno
	switch err := m.loadBoot(b.Policy); {
	case err != nil:
		printk("Flask:  %v", err)
		rc = errno(err)
	case b.Policy == nil:
		printk("Flask:  No policy among the boot modules; everything is allowed until one is loaded.")
	default:
		s := m.cache.HashStats()
		printk("Flask:  Loaded a policy of %d bytes; AVC of %d slots.", len(b.Policy), s.BucketsTotal)
		m.printSubstitutes(unknown)
	}
	if m.enforcing.Load() {
		printk("Flask:  Starting in enforcing mode.")
	} else {
		printk("Flask:  Starting in permissive mode.")
	}
	return rc
}

// loadBoot loads the boot loader's policy, if there is one.
func (m *Module) loadBoot(policy []byte) error {
	if policy == nil {
		return nil
	}
	err := m.loadPolicy(0, policy)
	if err != nil {
		m.server.Close()
	}
	return err
}

// printSubstitutes says where the policy's words are not the hypervisor's.
func (m *Module) printSubstitutes(unknown ss.Unknown) {
	standIns, missing := m.server.Substitutes()
	for _, line := range standIns {
		m.printf("Flask:  %s.", line)
	}
	verb := "denied"
	if unknown == ss.AllowUnknown {
		verb = "allowed"
	}
	for _, p := range missing {
		m.printf("Flask:  %s is not in the policy: %s.", p, verb)
	}
}
