package hypercall

import (
	"fmt"

	"xsmbench/abi"
)

// record is a structure in memory, with its fields where this Xen's headers have
// them.
type record struct {
	memory
	layout Structure
}

// put writes a field. One that this Xen does not have, and need not have, is left
// out.
func (r record) put(field string, v uint64) {
	f, ok := r.layout.Fields[field]
	if !ok {
		return
	}
	for i := range f.Size {
		r.b[f.At+i] = byte(v >> (8 * i))
	}
}

// get reads a field.
func (r record) get(field string) uint64 {
	f := r.layout.Fields[field]
	var v uint64
	for i := range f.Size {
		v |= uint64(r.b[f.At+i]) << (8 * i)
	}
	return v
}

// bytes are a field's.
func (r record) bytes(field string) []byte {
	f := r.layout.Fields[field]
	return r.b[f.At : f.At+f.Size]
}

// within is a structure that is a field.
func (r record) within(field string, s Structure) record {
	return record{r.from(r.layout.Fields[field].At), s}
}

// control is one of the two hypercalls whose layouts are no stable interface: a
// structure with the command, the version and a union.
type control struct {
	op      abi.Hypercall
	prefix  string // of the constants of its commands
	version string
	outer   string // its structure
	union   int    // where the union is
}

var (
	domctlControl = control{abi.DomctlOp, "XEN_DOMCTL_", domctlVersion, "xen_domctl", domctlUnion}
	sysctlControl = control{abi.SysctlOp, "XEN_SYSCTL_", sysctlVersion, "xen_sysctl", sysctlUnion}
)

// unionSize is the size of both unions.
const unionSize = 128

// command is a command of such a hypercall, whose arguments a benchmark gives in
// an H.
type command[H any] struct {
	name      string   // of its constant, behind the prefix
	number    uint32   // 0 for the one that a benchmark gives
	structure string   // in the union, "" for none
	also      []string // other constants and structures that must be known
	// room is how many bytes the arguments need behind the structure, nil for
	// none; or how many structures of the name in each.
	room func(*H) int
	each string
	// encode fills the structure and the room, decode reads them; nil for nothing.
	encode, decode func(i *Interface, u record, room memory, h *H)
}

// constant is the name of the command's number.
func (c command[H]) constant(of control) string { return of.prefix + c.name }

// needs is what must be known for the command.
func (c command[H]) needs(of control) []string {
	needs := append([]string{c.constant(of), of.version, of.outer}, c.also...)
	if c.structure != "" {
		needs = append(needs, c.structure)
	}
	return needs
}

// plan plans the command's call; head writes what stands before the union,
// besides command and version.
func (c command[H]) plan(of control, i *Interface, h *H, head func(memory) abi.Errno) (plan, error) {
	if err := i.check(c.needs(of)...); err != nil {
		return plan{}, lacks(of.op, err)
	}
	layout := i.Structs[c.structure]
	behind := pad(max(i.Structs[of.outer].Size, of.union+max(unionSize, layout.Size)))
	room, each := 0, 1
	if c.room != nil {
		room = c.room(h)
	}
	if c.each != "" {
		each = i.Structs[c.each].Size
	}
	parts := func(m memory) (record, memory) { return record{m.from(of.union), layout}, m.from(behind) }
	p := plan{
		args: func(at uint64) [5]uint64 { return [5]uint64{at} }, size: behind + room*each,
		encode: func(m memory) abi.Errno {
			if c.room != nil && c.room(h) > room {
				return abi.E2BIG
			}
			m.clear()
			m.put32(0, i.Constants[c.constant(of)])
			m.put32(4, i.Constants[of.version])
			if e := head(m); e != 0 {
				return e
			}
			if c.encode != nil {
				u, room := parts(m)
				c.encode(i, u, room, h)
			}
			return 0
		},
	}
	if c.decode != nil {
		p.decode = func(m memory, _ int64) {
			u, room := parts(m)
			c.decode(i, u, room, h)
		}
	}
	return p, nil
}

// pad is a size up to a multiple of 8.
func pad(size int) int { return (size + 7) &^ 7 }

// want notes what commands must know of a Xen.
func want[C ~uint32, H any](of control, commands map[C]command[H]) {
	for cmd, c := range commands {
		number := c.number
		if number == 0 {
			number = uint32(cmd)
		}
		wanted.Constants[c.constant(of)] = number
	}
}

// fields are some of a structure's, each with its size in bytes, wherever they
// lie.
func fields(size int, names ...string) map[string]Field {
	list := map[string]Field{}
	for _, n := range names {
		list[n] = Field{Size: size}
	}
	return list
}

// structure is a structure that has them all.
func structure(parts ...map[string]Field) Structure {
	s := Structure{Fields: map[string]Field{}}
	for _, p := range parts {
		for name, f := range p {
			if _, twice := s.Fields[name]; twice {
				panic(fmt.Sprintf("field %s is listed twice", name))
			}
			s.Fields[name] = f
		}
	}
	return s
}
