package kbench

import (
	"encoding/binary"
	"errors"

	"xsmbench/abi"
	"xsmbench/bench"
)

// putEntry writes an entry of a page table.
func putEntry(table []byte, i int, entry uint64) {
	binary.LittleEndian.PutUint64(table[8*i:], entry)
}

// translated is how many frames translate_gpfn_list is asked for.
const translated = 8

// registerMemoryOfDomains registers what dom0 does to another domain's memory.
func registerMemoryOfDomains() {
	const source = "arch/x86/domctl.c:arch_do_domctl"
	for _, o := range []onDomain{
		{
			op: "domctl_max_mem", doc: "set how much memory a domain may have", hooks: crosses("setdomainmaxmem"), domain: newGuest,
			steps: change("set maximum memory", maxMem(2*scratchKB), maxMem(scratchKB)),
		},
		{
			op: "domctl_getpageframeinfo", doc: "ask what a domain's frame is used as",
			source: source, hooks: crosses("getpageframeinfo"), domain: newGuest,
			steps: func(d *scratchDomain) (undone, error) {
				return read("ask for frame", abi.Domctl{Cmd: abi.DomctlGetPageFrameInfo, PageInfo: abi.DomctlPageInfo{GMFN: d.frames[0]}})(d)
			},
		},
		{
			op: "domctl_getmemlist", doc: "list a domain's frames",
			source: source, hooks: crosses("getmemlist"), domain: newGuest,
			steps: read("list frames", abi.Domctl{Cmd: abi.DomctlGetMemList, MemList: abi.DomctlMemList{MaxPFNs: scratchFrames}}),
		},
		{
			op: "domctl_hypercall_init", doc: "write the page of hypercall stubs into a domain's frame",
			source: source, hooks: crosses("hypercall_init"), domain: newGuest,
			steps: func(d *scratchDomain) (undone, error) {
				return read("write hypercall page", abi.Domctl{Cmd: abi.DomctlHypercallInit, HyperGMFN: d.frames[0]})(d)
			},
		},
		{
			op: "memory_set_memory_map", doc: "set a domain's memory map, of one range",
			source: "arch/x86/mm.c:arch_memory_op", hooks: crosses("domain_memory_map"), domain: newGuest,
			steps: setMemoryMap,
		},
		{
			op: "memory_translate_gpfn_list", doc: "translate frames of a domain in translated mode, of one hypercall 8",
			source: "common/memory.c:translate_gpfn_list", hooks: []bench.Crossing{{Hook: "translate_gpfn_list", PerOp: translated}},
			domain: translatedGuest, steps: translateFrames,
		},
		{
			op: "memory_add_to_physmap", doc: "move the shared page within the memory of a domain in translated mode",
			source: "arch/x86/mm.c:arch_memory_op", hooks: crosses("add_to_physmap"),
			domain: translatedGuest, steps: moveSharedPage,
		},
	} {
		o.register()
	}
}

func maxMem(kb uint64) abi.Domctl { return abi.Domctl{Cmd: abi.DomctlMaxMem, MaxMemKB: kb} }

// setMemoryMap sets two maps in turn.
func setMemoryMap(d *scratchDomain) (undone, error) {
	set := func(size uint64) step {
		m := &abi.MemoryMap{DomID: d.id, Entries: []abi.E820Entry{{Size: size, Type: 1}}}
		return zero("set memory map", abi.MemoryOp, memory(abi.XENMEMSetMemoryMap, m))
	}
	u := alternating(set(scratchFrames*abi.PageSize), set(2*scratchFrames*abi.PageSize))
	u.after = []step{zero("clear memory map", abi.MemoryOp, memory(abi.XENMEMSetMemoryMap, &abi.MemoryMap{DomID: d.id}))}
	return u, nil
}

// translatedGuest makes a domain whose memory the hypervisor translates: a
// paravirtual one in that mode, or where no longer any has it, an HVM domain.
func translatedGuest(hc bench.Hypercalls, id abi.DomID) (*scratchDomain, error) {
	d, err := newGuest(hc, id)
	if err != nil {
		return nil, err
	}
	op := shadow(abi.ShadowOpEnableTranslate)
	err = makeOnce(hc, []step{d.domctl("enable translated mode", &op)})
	if err == nil {
		return d, nil
	}
	d.destroy()
	if errors.Is(err, errors.ErrUnsupported) {
		return hvmDomain(hc, id)
	}
	return nil, err
}

func translateFrames(d *scratchDomain) (undone, error) {
	list := &abi.TranslateGPFNList{DomID: d.id, GPFNs: make([]abi.PFN, translated), MFNs: make([]abi.MFN, translated)}
	for i := range list.GPFNs {
		list.GPFNs[i] = abi.PFN(i)
	}
	return reading(zero("translate frames", abi.MemoryOp, memory(abi.XENMEMTranslateGPFNList, list))), nil
}

// moveSharedPage moves it between two frames behind the domain's memory.
func moveSharedPage(d *scratchDomain) (undone, error) {
	at := func(pfn abi.PFN) step {
		return zero("add to physmap", abi.MemoryOp, memory(abi.XENMEMAddToPhysmap, &abi.AddToPhysmap{DomID: d.id, GPFN: pfn}))
	}
	home := at(scratchFrames)
	return alternating(at(scratchFrames+1), home), makeOnce(d.hc, []step{home})
}
