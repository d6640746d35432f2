package hypercall

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"xsmbench/abi"
)

// Interface is what the public headers of a Xen say of its control hypercalls,
// whose layouts are no stable interface: constants, the sizes of structures and
// the places of their fields.
type Interface struct {
	Constants map[string]uint32    `json:"constants"`
	Structs   map[string]Structure `json:"structs"` // by name, without "struct"
}

// Structure is a structure's layout, in bytes.
type Structure struct {
	Size   int              `json:"size"`
	Fields map[string]Field `json:"fields"`
}

// Field is where a field lies, and its size.
type Field struct {
	At   int `json:"at"`
	Size int `json:"size"`
}

// Names of the interfaces' versions, which Xen compares with those in a call.
const (
	domctlVersion = "XEN_DOMCTL_INTERFACE_VERSION"
	sysctlVersion = "XEN_SYSCTL_INTERFACE_VERSION"
	flaskVersion  = "XEN_FLASK_INTERFACE_VERSION"
)

// Wanted is what this package must know of a Xen: of the constants the names, of
// structures those of the fields, which have the sizes given here in every Xen
// that the package can talk to.
func Wanted() Interface { return wanted }

var wanted = Interface{
	Constants: map[string]uint32{
		domctlVersion: 0, sysctlVersion: 0, flaskVersion: 0,
		emulateAll: 0, emulatePCI: 0,
		"FLASK_GETENFORCE": flaskGetEnforce, "FLASK_SETENFORCE": flaskSetEnforce,
		"FLASK_GETBOOL": flaskGetBool, "FLASK_SETBOOL": flaskSetBool,
		"FLASK_GETAVC_THRESHOLD": flaskGetThreshold, "FLASK_SETAVC_THRESHOLD": flaskSetThreshold,
		"FLASK_AVC_HASHSTATS": flaskHashStats, "FLASK_AVC_CACHESTATS": flaskCacheStats,
	},
	Structs: map[string]Structure{
		"xen_domctl":          {Fields: map[string]Field{"cmd": {0, 4}, "interface_version": {4, 4}, "domain": {8, 2}, "u": {domctlUnion, 0}}},
		"xen_sysctl":          {Fields: map[string]Field{"cmd": {0, 4}, "interface_version": {4, 4}, "u": {sysctlUnion, 0}}},
		"xen_sysctl_perfc_op": {Fields: map[string]Field{"cmd": {0, 4}, "nr_counters": {4, 4}, "nr_vals": {8, 4}, "desc": {16, 8}, "val": {24, 8}}},
		"xen_flask_op":        {Fields: map[string]Field{"cmd": {0, 4}, "interface_version": {4, 4}, "u": {flaskUnion, 0}}},
	},
}

// Names of structures of which several commands are made.
const (
	domainInfo = "xen_domctl_getdomaininfo"
	physInfo   = "xen_sysctl_physinfo"
)

// placed are the structures whose fields must lie where this package knows them.
// Of the others it takes the places from the headers.
var placed = map[string]bool{"xen_domctl": true, "xen_sysctl": true, "xen_sysctl_perfc_op": true, "xen_flask_op": true}

// optional are fields that some versions do not have, and do well without.
var optional = map[string][]string{"xen_domctl_createdomain": {"grant_opts"}}

// check says what of some constants and structures is not as this package knows
// it: an error that is errors.ErrUnsupported, by name.
func (i *Interface) check(names ...string) error {
	if i == nil {
		return fmt.Errorf("what this Xen's public headers say is not known: %w", errors.ErrUnsupported)
	}
	for _, name := range names {
		if want, ok := wanted.Constants[name]; ok {
			got, has := i.Constants[name]
			switch {
			case !has:
				return fmt.Errorf("this Xen's public headers have no %s: %w", name, errors.ErrUnsupported)
			case want != 0 && got != want:
				return fmt.Errorf("this Xen's %s is %d, not the %d that is known: %w", name, got, want, errors.ErrUnsupported)
			}
			continue
		}
		if err := i.checkStructure(name); err != nil {
			return err
		}
	}
	return nil
}

func (i *Interface) checkStructure(name string) error {
	s, has := i.Structs[name]
	if !has {
		return fmt.Errorf("this Xen's public headers have no struct %s: %w", name, errors.ErrUnsupported)
	}
	fields := wanted.Structs[name].Fields
	var names []string
	for f := range fields {
		names = append(names, f)
	}
	slices.Sort(names)
	for _, f := range names {
		want := fields[f]
		got, has := s.Fields[f]
		switch {
		case !has && slices.Contains(optional[name], f), want == Field{}:
			continue // named does without, or asks itself
		case !has:
			return fmt.Errorf("this Xen's struct %s has no field %s: %w", name, f, errors.ErrUnsupported)
		case want.Size != anyWidth && want.Size != 0 && got.Size != want.Size, placed[name] && got.At != want.At:
			return fmt.Errorf("this Xen's struct %s has %s, %d bytes, at %d, which is not known: %w", name, f, got.Size, got.At, errors.ErrUnsupported)
		case got.At < 0 || got.At+got.Size > s.Size || s.Size > mostStructure:
			return fmt.Errorf("struct %s of %d bytes has %s at %d: %w", name, s.Size, f, got.At, errors.ErrUnsupported)
		}
	}
	return nil
}

// anyWidth is the size of a number that the versions have in several.
const anyWidth = -1

// mostStructure bounds what is taken for a structure's size.
const mostStructure = 8192

// Encode writes an interface for ParseInterface.
func (i Interface) Encode() []byte {
	text, err := json.MarshalIndent(i, "", "\t")
	if err != nil {
		panic(err) // maps of strings and numbers always marshal
	}
	return append(text, '\n')
}

// ParseInterface reads what Encode wrote.
func ParseInterface(text []byte) (*Interface, error) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	var i Interface
	if err := d.Decode(&i); err != nil {
		return nil, fmt.Errorf("read Xen's interface: %w", err)
	}
	return &i, nil
}

// lacks is the error of a hypercall whose interface is not known.
func lacks(op abi.Hypercall, err error) error {
	return fmt.Errorf("prepare %s: %w", name(op), err)
}
