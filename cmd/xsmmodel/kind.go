package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"xsmbench/xsm"
)

// kind is the way the hypervisor in this program was built.
type kind struct {
	name   string
	module *xsm.Module // takes the dummy's place; nil for none
}

// linkedKind is what this program was linked to be. Modules that are linked
// have added themselves by now.
func linkedKind() (kind, error) {
	if !xsm.Enabled {
		return kind{name: "native"}, nil
	}
	return kindOf(xsm.Modules())
}

// kindOf is the kind of a program with the framework and some modules.
func kindOf(all []xsm.Module) (kind, error) {
	switch {
	case len(all) == 0:
		return kind{name: "dummy"}, nil
	case len(all) > 1:
		return kind{}, fmt.Errorf("the modules %s and %s are both in this program: there is one in a build", all[0].Name, all[1].Name)
	case all[0].Name == "":
		return kind{}, errors.New("the module has no name: give xsm.AddModule one")
	case all[0].Start == nil:
		return kind{}, fmt.Errorf("the module %s does not start: give xsm.AddModule an initcall", all[0].Name)
	}
	return kind{all[0].Name, &all[0]}, nil
}

// describe writes what the module says of itself, at a boot with a command line, as
// JSON of xsm.About.
func (k kind) describe(w io.Writer, cmdLine string) error {
	if k.module == nil {
		return errors.New("there is no module in this program: call xsm.AddModule in an init function of its package")
	}
	return json.NewEncoder(w).Encode(k.module.About(cmdLine))
}

// check refuses to measure what the build and the command line do not say: a module
// may not have come up, or may be in use although it was told to stay out.
func (k kind) check(mode string) error {
	disabled := mode == xsm.Disabled
	switch used := xsm.InUse(); {
	case disabled && used:
		return fmt.Errorf("check the security module: the command line disables %s, which has registered all the same", k.name)
	case k.module != nil && !disabled && !used:
		return fmt.Errorf("check the security module: the build is of %s, which has not registered: the dummy answers", k.name)
	case k.module == nil && used:
		return fmt.Errorf("check the security module: the build %s runs one", k.name)
	}
	return nil
}
