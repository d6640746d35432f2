package binarycheck

import (
	"debug/dwarf"
	"fmt"
	"sort"
	"strings"

	"xsmbench/xsm"
	"xsmbench/xsm/hook"
)

// Inline checks the claim that the binary has no framework, as Native does,
// but the checks of Xen's dummy in the hypervisor's code: each hook that has
// one has code at its places, with no call, and no other hook has any. The
// report's sites are in order of address; it takes DWARF, so the binary must
// not have been linked with -w either.
func Inline(path string) (*Report, error) {
	r, err := Native(path)
	if err != nil {
		return nil, err
	}
	im, err := open(path)
	if err != nil {
		return nil, err
	}
	defer im.file.Close()
	for _, name := range []string{"privileged", "target", "console"} {
		if _, ok := im.byName[framework+name]; ok {
			r.finding("%s%s is linked: a check that was not inlined", framework, name)
		}
	}
	if err := im.inlined(r); err != nil {
		return nil, fmt.Errorf("check binary %s: %w", path, err)
	}
	if len(r.Sites) == 0 {
		r.finding("no check is inlined")
	}
	return r, nil
}

// inlined finds the places that DWARF names as those of hooks' wrappers.
func (im *image) inlined(r *Report) error {
	data, err := im.file.DWARF()
	if err != nil {
		return fmt.Errorf("read debug information: %w", err)
	}
	hooks := wrapperIDs()
	origins := map[dwarf.Offset]xsm.HookID{}
	var uses []*dwarf.Entry
	for reader := data.Reader(); ; {
		e, err := reader.Next()
		if err != nil {
			return fmt.Errorf("read debug information: %w", err)
		}
		if e == nil {
			break
		}
		switch e.Tag {
		case dwarf.TagSubprogram:
			name, _ := e.Val(dwarf.AttrName).(string)
			if id, ok := hooks[name]; ok {
				origins[e.Offset] = id
			}
		case dwarf.TagInlinedSubroutine:
			uses = append(uses, e)
		}
	}
	for _, e := range uses {
		origin, _ := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
		id, ok := origins[origin]
		if !ok {
			continue
		}
		ranges, err := data.Ranges(e)
		if err != nil {
			return fmt.Errorf("read debug information: %w", err)
		}
		im.check(r, id, ranges)
	}
	sort.Slice(r.Sites, func(i, j int) bool { return r.Sites[i].PC < r.Sites[j].PC })
	return nil
}

// wrapperIDs are the hooks by their wrappers' names.
func wrapperIDs() map[string]xsm.HookID {
	ids := map[string]xsm.HookID{}
	for i, h := range hook.Table {
		ids[framework+h.Go] = xsm.HookID(i)
	}
	return ids
}

// check looks at the code of one place.
func (im *image) check(r *Report, id xsm.HookID, ranges [][2]uint64) {
	size := uint64(0)
	for _, p := range ranges {
		size += p[1] - p[0]
	}
	if size == 0 {
		return
	}
	pc := ranges[0][0]
	if hook.Table[id].Check == "" {
		if size > nop {
			r.finding("%v has %d bytes of code at %#x, but no check", id, size, pc)
		}
		return
	}
	r.Sites = append(r.Sites, Site{id, im.functionAround(pc), pc})
}

// nop is the most that the compiler leaves of a call that it has inlined away:
// an instruction without effect, to have an address for its line.
const nop = 1

// functionAround is the function that an address is in.
func (im *image) functionAround(pc uint64) string {
	i := sort.Search(len(im.funcs), func(i int) bool { return im.funcs[i].Value > pc })
	if i == 0 {
		return ""
	}
	return strings.TrimSuffix(im.funcs[i-1].Name, ".abi0")
}
