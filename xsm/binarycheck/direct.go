package binarycheck

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/arch/x86/x86asm"

	"xsmbench/xsm"
	"xsmbench/xsm/hook"
)

// Direct checks the claim that the hooks in the given packages (import paths;
// those of the hypervisor) are direct calls of the module's functions: no
// wrapper or pointer lies in between, and nothing reads the table. The
// report's sites are in order of address.
func Direct(path string, packages ...string) (*Report, error) {
	im, err := open(path)
	if err != nil {
		return nil, err
	}
	defer im.file.Close()
	r := &Report{Path: path}
	c := &checker{im: im, report: r, ops: im.byName[framework+"ops"].Value, avoid: avoidNames()}
	bodies := bodyNames()
	err = im.each(packages, r, func(name string, code []instruction) {
		c.name = name
		for _, in := range code {
			c.references(in)
			c.tableless(in)
			if id, ok := bodies[c.callee(in)]; ok {
				r.Sites = append(r.Sites, Site{id, name, in.pc})
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("check binary %s: %w", path, err)
	}
	if len(r.Sites) == 0 {
		r.finding("no hook is called directly in %s", strings.Join(packages, ", "))
	}
	return r, nil
}

// bodyNames are the functions that the module defines for direct calls.
func bodyNames() map[string]xsm.HookID {
	names := map[string]xsm.HookID{}
	for i, h := range hook.Table {
		names[framework+"direct"+h.Go] = xsm.HookID(i)
	}
	return names
}

// each visits the functions of the packages.
func (im *image) each(packages []string, r *Report, visit func(name string, code []instruction)) error {
	found := false
	for _, fn := range im.funcs {
		if !slices.Contains(packages, packageOf(fn.Name)) {
			continue
		}
		found = true
		code, err := im.decode(fn)
		if err != nil {
			return err
		}
		visit(fn.Name, code)
	}
	if !found {
		r.finding("no function of %s is linked", strings.Join(packages, ", "))
	}
	return nil
}

// callee is the function that an instruction calls directly, "" if it does not.
func (c *checker) callee(in instruction) string {
	rel, ok := in.Args[0].(x86asm.Rel)
	if !ok || in.Op != x86asm.CALL {
		return ""
	}
	return c.functionName(in.target(rel))
}

// tableless finds what refers to the table.
func (c *checker) tableless(in instruction) {
	for _, a := range in.Args {
		m, ok := a.(x86asm.Mem)
		if !ok {
			continue
		}
		if addr, ok := c.address(in, m); ok && c.ops != 0 && addr == c.ops {
			c.report.finding("%s at %#x refers to the table", c.name, in.pc)
		}
	}
}
