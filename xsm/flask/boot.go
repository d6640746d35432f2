package flask

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

func init() { xsm.Initcall(boot) }

// Check says whether a policy is one that the module can load.
func Check(policy []byte) error { return newModule(true, func(string) {}).loadPolicy(0, policy) }

// boot is the module's initcall (flask_init): unless flask_enabled is 0 it
// registers the module and loads the policy that was found among the boot
// modules. flask_enforcing chooses the mode.
//
// Without a policy everything is allowed until one is loaded by hypercall, as
// in Xen. A policy that was found but is refused leaves nothing allowed: Xen
// 3.2 would go on as if there were none.
func boot(b *xsm.Boot) abi.Errno {
	printk := b.Printk
	if printk == nil {
		printk = func(string, ...any) {}
	}
	if b.IntParam("flask_enabled", 1) == 0 {
		printk("Flask:  Disabled at boot.")
		return 0
	}
	printk("Flask:  Initializing.")
	m := newModule(b.IntParam("flask_enforcing", 1) != 0, func(line string) { printk("%s", line) })
	if rc := xsm.Register(m.operations()); rc != 0 {
		printk("Flask:  Unable to register with XSM.")
		return rc
	}
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
