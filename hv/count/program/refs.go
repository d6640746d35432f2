package program

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// refs tells what lies at the addresses that code refers to, without telling where
// that is.
type refs struct {
	sections  []*content
	functions []Function
	objects   []object          // with a size, by address; none lies within another
	labels    map[uint64]string // without a size, by address
}

// content is a section.
type content struct {
	name   string
	lo, hi uint64
	data   []byte // nil if the file has none
}

type object struct {
	lo, hi uint64
	name   string
}

func newReader(f *elf.File, list []elf.Symbol, functions []Function) *refs {
	r := &refs{functions: functions, labels: map[uint64]string{}}
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Addr == 0 {
			continue
		}
		c := &content{name: s.Name, lo: s.Addr, hi: s.Addr + s.Size}
		if s.Type == elf.SHT_PROGBITS {
			c.data, _ = s.Data()
		}
		r.sections = append(r.sections, c)
	}
	for _, s := range list {
		if s.Name == "" || s.Section == elf.SHN_UNDEF || elf.ST_TYPE(s.Info) == elf.STT_FILE || elf.ST_TYPE(s.Info) == elf.STT_SECTION {
			continue
		}
		name := plainName(s.Name)
		if s.Size == 0 {
			r.label(s.Value, name)
			continue
		}
		r.objects = append(r.objects, object{s.Value, s.Value + s.Size, name})
	}
	slices.SortFunc(r.objects, func(a, b object) int {
		return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(b.hi, a.hi), cmp.Compare(a.name, b.name))
	})
	last := uint64(0)
	r.objects = slices.DeleteFunc(r.objects, func(o object) bool {
		within := o.hi <= last
		last = max(last, o.hi)
		return within
	})
	return r
}

// boundary stands for all labels of the linker's at the beginning and the end of a
// table: whether the end of one is at the beginning of the next depends on alignment.
const boundary = "(boundary)"

var isBoundary = regexp.MustCompile(`^_+[se][a-z]*(text|data|rodata|bss|inittext)?$|^__2M_|(^|_)(start|end)(_|$)`).MatchString

// label notes a label; of several at an address one that is no boundary, the first by name.
func (r *refs) label(at uint64, name string) {
	if isBoundary(name) {
		name = boundary
	}
	old, ok := r.labels[at]
	if !ok || old == boundary || name != boundary && name < old {
		r.labels[at] = name
	}
}

// bytes are those from lo up to hi, nil if no section has them.
func (r *refs) bytes(lo, hi uint64) []byte {
	c := r.section(lo)
	if c == nil || hi < lo || hi-c.lo > uint64(len(c.data)) {
		return nil
	}
	return c.data[lo-c.lo : hi-c.lo]
}

// plainName drops what depends on the rest of the source file: the file itself, and
// the number of a variable that is local to a function.
func plainName(symbol string) string {
	if _, name, ok := strings.Cut(symbol, "#"); ok {
		symbol = name
	}
	if i := strings.LastIndexByte(symbol, '.'); i > 0 && strings.Trim(symbol[i+1:], "0123456789") == "" {
		symbol = symbol[:i]
	}
	return symbol
}

// has reports whether an address is the program's.
func (r *refs) has(at uint64) bool { return r.section(at) != nil }

func (r *refs) section(at uint64) *content {
	for _, c := range r.sections {
		if at >= c.lo && at < c.hi {
			return c
		}
	}
	return nil
}

// name says what is at an address that a function refers to. load is how many bytes
// it loads from there, 0 if it takes the address.
func (r *refs) name(at uint64, load int, from Function) string {
	if fn, ok := r.function(at); ok {
		return "code " + fn.Name
	}
	if o, ok := within(r.objects, at, func(o object) (uint64, uint64) { return o.lo, o.hi }); ok {
		return fmt.Sprintf("data %s+%d", o.name, at-o.lo)
	}
	c, label := r.section(at), r.labels[at]
	if label != "" && (c == nil || load > 0) {
		return "label " + label // the end of a section, or what assembler code has there
	}
	if c == nil {
		return fmt.Sprintf("address %x", at) // of no section: it does not move with the program
	}
	if c.data != nil {
		rest := c.data[at-c.lo:]
		if load > 0 && load <= len(rest) {
			if p := binary.LittleEndian.Uint64(append(rest[:load:load], make([]byte, 8)...)); load == 8 && r.has(p) {
				return "pointer to " + r.name(p, 0, from)
			}
			return fmt.Sprintf("constant %x", rest[:load])
		}
		if s, ok := text0(rest); ok {
			return "string " + s
		}
		if t := r.targets(rest, at, from); t != "" {
			return "switch " + t
		}
	}
	return "label " + cmp.Or(label, "in "+c.name)
}

// function is that which has an address.
func (r *refs) function(at uint64) (Function, bool) {
	return within(r.functions, at, func(f Function) (uint64, uint64) { return f.Lo, f.Hi })
}

// within finds the one of disjoint ranges, ascending, that an address is in.
func within[T any](list []T, at uint64, of func(T) (lo, hi uint64)) (found T, ok bool) {
	i, exact := slices.BinarySearchFunc(list, at, func(x T, at uint64) int { lo, _ := of(x); return cmp.Compare(lo, at) })
	if !exact {
		i--
	}
	if i < 0 {
		return found, false
	}
	_, hi := of(list[i])
	return list[i], at < hi
}

// text0 is a string up to its zero, if there is one.
func text0(data []byte) (string, bool) {
	const longest = 4096
	n := bytes.IndexByte(data[:min(len(data), longest)], 0)
	if n < 1 {
		return "", false
	}
	for _, c := range data[:n] {
		if (c < ' ' || c > '~') && !strings.ContainsRune("\t\n\r\x1b", rune(c)) {
			return "", false
		}
	}
	return string(data[:n]), true
}

// targets are those of a table of jumps within the function, as offsets in it: a
// table of distances from its own beginning (-fpic), or of addresses.
func (r *refs) targets(data []byte, at uint64, from Function) string {
	var b strings.Builder
	in := func(target uint64) bool {
		if target >= from.Lo && target < from.Hi {
			fmt.Fprintf(&b, " %d", target-from.Lo)
			return true
		}
		fn, ok := r.function(target)
		if ok = ok && fn.Name == from.Name; ok {
			b.WriteString(" part")
		}
		return ok
	}
	for i := 0; i+4 <= len(data) && in(at+uint64(int64(int32(binary.LittleEndian.Uint32(data[i:]))))); i += 4 {
	}
	if b.Len() > 0 {
		return b.String()
	}
	for i := 0; i+8 <= len(data) && in(binary.LittleEndian.Uint64(data[i:])); i += 8 {
	}
	return b.String()
}
