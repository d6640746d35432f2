// Package policy holds the FLASK policy that this project measures with:
// dom0, ordinary, hardware-virtualised, isolated, protected and unmigratable
// guests, the domain builder, the store and two driver domains, with devices
// and event channels, of the size of Xen's example policy and after its
// division into modules.
//
// Its source, in the language of checkpolicy, lies in source; "go generate"
// compiles it into xsmbench.pol.
package policy

import _ "embed"

//go:generate go run ./compile source xsmbench.pol

// Binary is the compiled policy: version 24, for Xen. Do not change it.
//
//go:embed xsmbench.pol
var Binary []byte

// FileName is the compiled policy's name, for a boot module's.
const FileName = "xsmbench.pol"
