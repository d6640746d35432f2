package host

import (
	"fmt"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/gotool"
	"xsmbench/xsm"

	// The modules of this source, whose kinds are the target's.
	_ "xsmbench/xsm/flask"
	_ "xsmbench/xsm/silo"
)

// kind is a way of building: the tags that select it, and the module that is in
// it.
type kind struct {
	hv.Kind
	tags   []string
	module *xsm.Module // nil for none, or one from outside
}

// framework is the tag of all builds but native.
const framework = "xsm"

// kinds are native and dummy, and one for each module. A module's tag is its
// name.
func kinds() []kind {
	list := []kind{
		{Kind: hv.Kind{Name: "native", Doc: "no framework: every hook compiles to nothing", Dispatch: "compiled out", Dispatches: unframed}},
		{Kind: hv.Kind{Name: "dummy", Doc: "the framework with the dummy module: every hook is called and allows", Dispatch: "table", Dispatches: framed}, tags: []string{framework}},
	}
	for _, m := range xsm.Modules() {
		k := registered(m.About(""))
		if m.Direct {
			k.Dispatches, k.OneWay = framed, ""
		}
		list = append(list, kind{k, []string{framework, m.Name}, &m})
	}
	return list
}

// registered is the kind that a module registers.
func registered(a xsm.About) hv.Kind {
	k := hv.Kind{Name: a.Name, Doc: a.Doc, Dispatch: "table", OneWay: tabled, AVC: a.AVC, Mode: a.Mode}
	if p := a.Policy; p != nil {
		k.Policy, k.BuiltIn = true, p.BuiltIn
	}
	return k
}

// kindOf finds a build's kind.
func kindOf(b hv.Build) (kind, error) {
	if b.Module != "" {
		// It may load a policy; that it does is known when it can be asked.
		return kind{Kind: hv.Kind{Name: b.KindOf(), Dispatch: "table", OneWay: tabled, Policy: true}, tags: []string{framework}}, nil
	}
	var known []string
	for _, k := range kinds() {
		if k.Name == b.KindOf() {
			return k, nil
		}
		known = append(known, k.Name)
	}
	return kind{}, fmt.Errorf("unknown kind of build %q: the model has %s, and modules by their folders", b.KindOf(), strings.Join(known, ", "))
}

// kindOfImage is what its build turned out to be, booted with the build's options.
func kindOfImage(img *hv.Image) hv.Kind {
	if img.Module != nil {
		return *img.Module
	}
	k, _ := kindOf(img.Build) // of which it was built
	if k.module == nil {
		return k.Kind
	}
	return registered(k.module.About(commandLine(img.Build)))
}

var _ hv.Extensible = (*Target)(nil)

// ModuleKind looks for the package, and leaves it to the compiler what is in it.
func (*Target) ModuleKind(b hv.Build) (hv.Kind, error) {
	k, err := kindOf(b)
	if err == nil {
		_, err = gotool.FindPackage(b.Module, tagsOf(k, b)...)
	}
	return k.Kind, err
}
