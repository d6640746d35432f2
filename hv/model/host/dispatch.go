package host

import "xsmbench/hv"

// How hooks are reached, then and now. The first of each list is Xen 3.2's.
var (
	// unframed are those of builds without the framework (XSM_ENABLE=n).
	unframed = []hv.Dispatch{
		{Name: "out", How: "compiled out", Doc: "every hook compiles to nothing, as in Xen 3.2"},
		{Name: "inline", How: "inlined check", Doc: "the test of privilege that Xen's dummy makes, inlined into the caller, as in Xen since 4.3 without XSM"},
	}
	// framed are those of builds with it.
	framed = []hv.Dispatch{
		{Name: "table", How: "table", Doc: "every hook is an indirect call through the table of the registered module, as in Xen up to 4.15"},
		{Name: "direct", How: "direct call", Doc: "every hook is a direct call of the module's function, as in Xen since 4.16; dummy's makes the test of native:inline"},
	}
)

// tabled says why builds of a module that defines no functions for direct calls (xsm.Module.Direct)
// are reached by the table alone.
const tabled = "a direct call needs a function for every hook when the model is compiled, and the module fills in a table at boot"

// dispatchTags are the build tags that select a dispatch.
var dispatchTags = map[string][]string{"inline": {"xsminline"}, "direct": {"xsmdirect"}}
