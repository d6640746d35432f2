package main

const hooksText = `
// HookID numbers a hook by its place in struct xsm_operations.
type HookID int

// The hooks of Xen 3.2, in the structure's order.
const (
{{range $i, $h := .}}Hook{{.Go}}{{if eq $i 0}} HookID = iota{{end}} // {{.Name}}
{{end}})

// NrHooks is the number of hooks.
const NrHooks = {{len .}}

// Names are the hooks' names in Xen, by number.
var Names = [NrHooks]string{
{{range .}}Hook{{.Go}}: {{printf "%q" .Name}},
{{end}}}
`

const operationsText = `
import "xsmbench/abi"

// Operations is a module's table (struct xsm_operations). A module fills the
// members it cares for and hands the table to Register, which gives the rest
// to the dummy. A hook that returns an abi.Errno returns 0 to allow, a negated
// error number to deny.
type Operations struct {
{{range .}}{{comment .}}
{{.Go}} func{{signature .}}
{{end}}}
`

const dummyText = `
import "xsmbench/abi"

{{range .}}func dummy{{.Go}}{{blank .}} { {{constant .}} }

{{end}}
// fixup gives the dummy's function to every member that the module left nil
// (xsm_fixup_ops), and returns which those were.
func fixup(ops *Operations) (replaced []HookID) {
{{range .}}if ops.{{.Go}} == nil {
	ops.{{.Go}} = dummy{{.Go}}
	replaced = append(replaced, Hook{{.Go}})
}
{{end}}return replaced
}
`

const nativeText = `
import "xsmbench/abi"

{{range .}}{{comment .}} Compiled out.
func {{.Go}}{{signature .}} { {{constant .}} }

{{end}}
`

const tableText = `
import "xsmbench/abi"

{{range .}}{{comment .}}
func {{.Go}}{{signature .}} { {{return .}}ops.Load().{{.Go}}({{args .}}) }

{{end}}
`

const countText = `
import "xsmbench/abi"

{{range .}}{{comment .}} Counted.
func {{.Go}}{{signature .}} {
	counters[Hook{{.Go}}].Add(1)
	{{return .}}ops.Load().{{.Go}}({{args .}})
}

{{end}}
`

const inlineText = `
import "xsmbench/abi"

{{range .}}{{comment .}} Inlined.
func {{.Go}}{{signature .}} { {{check .}} }

{{end}}
`

const inlineCountText = `
import "xsmbench/abi"

{{range .}}{{comment .}} Inlined, counted.
func {{.Go}}{{signature .}} {
	counters[Hook{{.Go}}].Add(1)
	{{check .}}
}

{{end}}
`

const directText = `
import "xsmbench/abi"

{{range .}}{{comment .}} Called directly.
func {{.Go}}{{signature .}} { {{return .}}direct{{.Go}}({{args .}}) }

{{end}}
`

const directCountText = `
import "xsmbench/abi"

{{range .}}{{comment .}} Called directly, counted.
func {{.Go}}{{signature .}} {
	counters[Hook{{.Go}}].Add(1)
	{{return .}}direct{{.Go}}({{args .}})
}

{{end}}
`

const directDummyText = `
import "xsmbench/abi"

{{range .}}//go:noinline
func direct{{.Go}}{{signature .}} { {{check .}} }

{{end}}
`

const directModuleText = `
import (
	_ "unsafe" // for go:linkname

	"xsmbench/abi"
)

// The module defines these functions. Who links none gets none: there is no
// table to fall back on.

{{range .}}//go:linkname direct{{.Go}}
func direct{{.Go}}{{signature .}}

{{end}}
`

const listText = `
// wrappers are the functions that the hypervisor calls, by hook.
var wrappers = [NrHooks]any{
{{range .}}Hook{{.Go}}: {{.Go}},
{{end}}}
`
