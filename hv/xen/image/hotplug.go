package image

import (
	"bytes"
	"encoding/binary"
)

// hotplugPages is for how many pages a paravirtual Linux readies its list of
// machine addresses, whatever memory it has: those of 512 GiB in Debian's kernels
// (CONFIG_XEN_MEMORY_HOTPLUG_LIMIT; xen_vmalloc_p2m_tree in arch/x86/xen/p2m.c).
// It looks at each: 1.3 billion instructions in dom0 and as many in a domU, two
// fifths of what a machine executes until both are ready.
const hotplugPages = 512 << 30 / pageSize

// fewerPages suffice: beside its own memory, dom0 maps other domains' pages into
// holes, the first of which lie below 4 GiB.
const fewerPages = 16 << 30 / pageSize

// LimitHotplug lowers the limit in a kernel, in place, and reports whether it
// found it. A kernel in which it stays works as well, and takes longer to start.
func LimitHotplug(kernel []byte) bool {
	limit := binary.LittleEndian.AppendUint32(nil, hotplugPages)
	found := -1
	for at := 0; ; at++ {
		i := bytes.Index(kernel[at:], limit)
		if i < 0 {
			break
		}
		if at += i; isHotplugLimit(kernel, at) {
			if found >= 0 {
				return false // which of them is not known
			}
			found = at
		}
	}
	if found < 0 {
		return false
	}
	binary.LittleEndian.PutUint32(kernel[found:], fewerPages)
	return true
}

// isHotplugLimit tells whether at is the operand of a mov to a register that
// goes into
//
//	vm.size = ALIGN(sizeof(unsigned long) * max(xen_max_p2m_pfn, p2m_limit), 2 MiB)
//
// which compilers write as lea 0x1fffff(,REG,8) and a mask.
func isHotplugLimit(kernel []byte, at int) bool {
	if at == 0 || kernel[at-1]&^7 != 0xb8 {
		return false
	}
	const near = 96
	after := kernel[at+4 : min(at+4+near, len(kernel))]
	lea := bytes.Index(after, []byte{0xff, 0xff, 0x1f, 0})
	if lea < 1 || after[lea-1]&^0x38 != 0xc5 || bytes.Contains(after[:lea], kernel[at:at+4]) {
		return false // another scale than 8, a base, or the number of a nearer mov
	}
	rest := after[lea+4:]
	return bytes.Contains(rest[:min(7, len(rest))], []byte{0, 0, 0xe0, 0xff})
}
