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

// describe writes what the module says of itself, as JSON of xsm.About.
func (k kind) describe(w io.Writer) error {
	if k.module == nil {
		return errors.New("there is no module in this program: call xsm.AddModule in an init function of its package")
	}
	return json.NewEncoder(w).Encode(k.module.About())
}

// check refuses to measure under a name that is not the build's own: a module
// may have been told to stay out, or may not have come up.
func (k kind) check() error {
	switch used := xsm.InUse(); {
	case k.module != nil && !used:
		return fmt.Errorf("check the security module: the build is of %s, which has not registered: the dummy answers", k.name)
	case k.module == nil && used:
		return fmt.Errorf("check the security module: the build %s runs one", k.name)
	}
	return nil
}
