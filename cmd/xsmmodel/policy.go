package main

import (
	"errors"
	"fmt"

	"xsmbench/xsm"
)

// security is what the machine's security module boots with.
type security struct {
	modules []xsm.BootModule // the policy
	cmdLine string           // the hypervisor's
	label   string           // of a domU, "" where there are no labels
	mode    string           // what the module does with what it denies
}

// errNoPolicy is a policy, or what depends on one, that nothing would look at.
var errNoPolicy = errors.New("this program has no module that loads a policy")

// secure makes the boot module that carries the policy: the file's, or the
// built-in one if there is no file; and finds domU's label in it.
func (k kind) secure(o options) (security, error) {
	sec := security{cmdLine: o.xen}
	if k.module != nil {
		sec.mode = k.module.ModeOf(o.xen)
	}
	if k.module == nil || k.module.Policy == nil {
		if o.policy != "" || o.label != "" || o.unknown != "" {
			return sec, errNoPolicy
		}
		return sec, nil
	}
	format := k.module.Policy
	if o.unknown != "" {
		if format.Unknown == "" {
			return sec, fmt.Errorf("-unknown %s: %s has no such choice", o.unknown, k.name)
		}
		sec.cmdLine += " " + format.Unknown + "=" + o.unknown
	}
	name, data := "the built-in policy", format.BuiltIn
	if o.policy != "" {
		name = "policy " + o.policy
		var err error
		if data, err = xsm.ReadPolicy(o.policy, format.Magic); err != nil {
			return sec, fmt.Errorf("%s: %w", name, err)
		}
	}
	if data == nil {
		return sec, nil
	}
	if format.Check != nil {
		var err error
		if sec.label, err = format.Check(data, xsm.PolicyOptions{Unknown: o.unknown, Label: o.label}); err != nil {
			return sec, fmt.Errorf("%s: %w", name, err)
		}
	}
	if sec.mode == xsm.Disabled { // there is nobody to know labels
		sec.label = ""
	}
	if o.label != "" && sec.label == "" {
		return sec, fmt.Errorf("-label %s: %s has no labels", o.label, k.name)
	}
	sec.modules = []xsm.BootModule{{Name: name, Data: data}}
	return sec, nil
}
