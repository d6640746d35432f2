package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"strings"
	"testing"
)

// kernelFile is an ELF file of 64 bits with two segments, the second of which is longer in
// memory, and an entry in the first.
func kernelFile() []byte {
	le := binary.LittleEndian
	file := []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	for _, v := range []uint16{uint16(elf.ET_EXEC), uint16(elf.EM_X86_64)} {
		file = le.AppendUint16(file, v)
	}
	file = le.AppendUint32(file, 1)
	for _, v := range []uint64{0x1000010, 64, 0} {
		file = le.AppendUint64(file, v)
	}
	file = le.AppendUint32(file, 0)
	for _, v := range []uint16{64, 56, 2, 0, 0, 0} {
		file = le.AppendUint16(file, v)
	}
	for _, s := range []struct{ off, at, size, memory uint64 }{{0x200, 0x1000000, 0x20, 0x20}, {0x220, 0x2000000, 0x10, 0x1234}} {
		file = le.AppendUint32(file, uint32(elf.PT_LOAD))
		file = le.AppendUint32(file, uint32(elf.PF_R))
		for _, v := range []uint64{s.off, 0xffffffff80000000 + s.at, s.at, s.size, s.memory, 0x1000} {
			file = le.AppendUint64(file, v)
		}
	}
	file = append(file, make([]byte, 0x200-len(file))...)
	return append(file, strings.Repeat("code", 8)+strings.Repeat("data", 4)...)
}

// TestFirmware: a 32-bit file without notes, which holds the kernel at its addresses, and
// behind it what Linux's boot protocol asks for.
func TestFirmware(t *testing.T) {
	const memory, cmdLine, ramdisk = 96 << 20, "console=hvc0 quiet", "files"
	file, err := Firmware(kernelFile(), []byte(ramdisk), cmdLine, memory)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	const at = 0x2002000 // the page behind the kernel
	if f.Class != elf.ELFCLASS32 || f.Machine != elf.EM_386 || f.Entry != at {
		t.Errorf("a file of %v for %v, entry %#x", f.Class, f.Machine, f.Entry)
	}
	want := []struct {
		at, size uint64
		data     string
	}{{0x1000000, 0x20, strings.Repeat("code", 8)}, {0x2000000, 0x1234, strings.Repeat("data", 4)}, {at, starterSize + uint64(len(ramdisk)), ""}}
	if len(f.Progs) != len(want) {
		t.Fatalf("%d segments", len(f.Progs))
	}
	var own []byte
	for i, p := range f.Progs {
		data, err := io.ReadAll(p.Open())
		if err != nil || p.Type != elf.PT_LOAD || p.Paddr != want[i].at || p.Memsz != want[i].size || want[i].data != "" && string(data) != want[i].data {
			t.Errorf("segment %d: %v, %+v, %.40q", i, err, p.ProgHeader, data)
		}
		own = data
	}
	le := binary.LittleEndian
	params := own[parameters:]
	for name, check := range map[string]struct{ got, want uint64 }{
		"ramdisk":           {uint64(le.Uint32(params[0x218:])), at + starterSize},
		"its size":          {uint64(le.Uint32(params[0x21c:])), uint64(len(ramdisk))},
		"command line":      {uint64(le.Uint32(params[0x228:])), at + command},
		"ranges of memory":  {uint64(params[0x1e8]), 3},
		"end of low memory": {le.Uint64(params[0x2d0+8:]), lowEnd},
		"size of memory":    {le.Uint64(params[0x2d0+20+8:]), memory - holeEnd},
	} {
		if check.got != check.want {
			t.Errorf("%s: %#x, want %#x", name, check.got, check.want)
		}
	}
	if got := string(own[command : command+len(cmdLine)+1]); got != cmdLine+"\x00" {
		t.Errorf("command line %q", got)
	}
	if string(own[starterSize:]) != ramdisk || string(params[0x202:0x206]) != "HdrS" {
		t.Errorf("the initial file system is %q, the header's mark %q", own[starterSize:], params[0x202:0x206])
	}
	// The last instructions load the kernel's entry and go there.
	if code := le.AppendUint32([]byte{0xb8}, 0x1000010); !bytes.Contains(own[:descriptors], append(code, 0xff, 0xe0)) {
		t.Errorf("the code does not end at the kernel's entry: % x", own[:descriptors])
	}
}

// The code must not reach into the descriptors behind it.
func TestStarterCode(t *testing.T) {
	if n := len((starter{}).code()); n > descriptors {
		t.Errorf("%d bytes of code", n)
	}
}

func TestFirmwareRefuses(t *testing.T) {
	tests := []struct {
		name    string
		kernel  []byte
		cmdLine string
		memory  int64
		want    string
	}{
		{"no ELF file", make([]byte, 64), "", 96 << 20, "bad magic number"},
		{"a long command line", kernelFile(), strings.Repeat("x", 4096), 96 << 20, "a command line of 4096 bytes"},
		{"no room", kernelFile(), "", 32 << 20, "a domain of 32 MiB does not hold it"},
	}
	for _, tt := range tests {
		if _, err := Firmware(tt.kernel, nil, tt.cmdLine, tt.memory); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
