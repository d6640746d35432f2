package faketools

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// xenText is where the text of XenSyms begins, within Xen's own area.
const xenText = 0xffff82d040200000

// function is one of XenSyms.
type function struct {
	name, file string // of a source, "" for a global one
	code       string
	calls      string // function called at its end
}

// xenFunctions are one after another: a handler, the wrapper of a hook, which
// calls, its function in FLASK, and what counting needs of any Xen.
var xenFunctions = []function{
	{"_stext", "", "", ""},
	{"do_event_channel_op", "", "\x90\x90\xc3", ""},
	{"xsm_evtchn_send", "common/event_channel.c", "\xe8\x00\x00\x00\x00\xc3", ""},
	{"flask_evtchn_send", "xsm/flask/hooks.c", "\x90\xc3", ""},
	{"do_IRQ", "", "\x90\xc3", ""},
	{"do_softirq", "", "\x90\xc3", ""},
	{"do_page_fault", "", "\x90\xc3", ""},
	{"context_switch", "", "\x90\xc3", ""},
	{"pv_hypercall", "", "\x90", "do_event_channel_op"},
	{"process_softirqs", "", "\x90", "do_softirq"},
	{"_stextentry", "", "", ""},
	{"lstar_enter", "", "\x90", "pv_hypercall"},
	{"common_interrupt", "", "\x90", "do_IRQ"},
	{"handle_exception", "", "\x90", "do_page_fault"},
	{"handle_ist_exception", "", "\x90\xc3", ""},
	{"double_fault", "", "\x90\xc3", ""},
	{"restore_all_guest", "", "\x90\xc3", ""},
	{"iret_exit_to_guest", "", "\x90\x48\xcf", ""},
	{"restore_all_xen", "", "\x90\x48\xcf", ""},
	{"_etextentry", "", "", ""},
	{"_etext", "", "", ""},
}

// lay lays functions out one after another: where each lies, and their code.
func lay(functions []function) (at map[string]int, text []byte) {
	const call = 5 // bytes, and a return behind it
	at = map[string]int{}
	for n, f := range functions {
		at[f.name] = 0
		if n > 0 {
			last := functions[n-1]
			at[f.name] = at[last.name] + len(last.code)
			if last.calls != "" {
				at[f.name] += call + 1
			}
		}
	}
	for _, f := range functions {
		text = append(text, f.code...)
		if f.calls != "" {
			distance := at[f.calls] - (len(text) + call)
			text = append(binary.LittleEndian.AppendUint32(append(text, 0xe8), uint32(int32(distance))), 0xc3)
		}
	}
	return at, text
}

// compileUnit is DWARF of a unit that has nothing in it.
const (
	compileUnit = "\x08\x00\x00\x00\x04\x00\x00\x00\x00\x00\x08\x01" // length, version, abbreviations, size of addresses, the unit
	unitAbbrev  = "\x01\x11\x00\x00\x00\x00"                         // 1: a compile unit without children and attributes
)

// XenSyms is a xen-syms of little: symbols, DWARF, and the code of a hook.
func XenSyms() []byte {
	var symbols bytes.Buffer
	at, text := lay(xenFunctions)
	names := "\x00"
	add := func(name string, s elf.Sym64) {
		s.Name = uint32(len(names))
		put(&symbols, s)
		names += name + "\x00"
	}
	put(&symbols, elf.Sym64{})
	for n, f := range xenFunctions {
		size := len(text) - at[f.name]
		if n+1 < len(xenFunctions) {
			size = at[xenFunctions[n+1].name] - at[f.name]
		}
		bind, typ := elf.STB_GLOBAL, elf.STT_FUNC
		if f.code == "" {
			typ = elf.STT_NOTYPE
		}
		if f.file != "" {
			bind = elf.STB_LOCAL
			add(f.file, elf.Sym64{Info: elf.ST_INFO(bind, elf.STT_FILE), Shndx: uint16(elf.SHN_ABS)})
		}
		add(f.name, elf.Sym64{Info: elf.ST_INFO(bind, typ), Shndx: 1, Value: xenText + uint64(at[f.name]), Size: uint64(size)})
	}
	return ELF(
		Section{Name: ".text", Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Addr: xenText, Data: text},
		Section{Name: ".symtab", Type: elf.SHT_SYMTAB, Data: symbols.Bytes(), Link: 3, Entry: elf.Sym64Size},
		Section{Name: ".strtab", Type: elf.SHT_STRTAB, Data: []byte(names)},
		Section{Name: ".debug_info", Data: []byte(compileUnit)},
		Section{Name: ".debug_abbrev", Data: []byte(unitAbbrev)},
	)
}
