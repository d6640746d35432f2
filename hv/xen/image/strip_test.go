package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// loaded is what a loader reads of a program: its segments, without their
// places in the file and without the zeros at their ends.
func loaded(t *testing.T, text []byte) (segments []elf.ProgHeader, contents [][]byte) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Progs {
		data, err := io.ReadAll(s.Open())
		if err != nil {
			t.Fatal(err)
		}
		h := s.ProgHeader
		if h.Type == elf.PT_LOAD {
			data = bytes.TrimRight(data, "\x00")
			if h.Filesz > 0 && h.Off%pageSize != h.Vaddr%pageSize {
				t.Errorf("the segment of %#x is at %#x of the file: Linux cannot map it", h.Vaddr, h.Off)
			}
			h.Filesz = 0
		}
		if h.Off == 0 || h.Type == elf.PT_PHDR {
			data = nil // the headers, which differ
		}
		h.Off = 0
		segments, contents = append(segments, h), append(contents, data)
	}
	return segments, contents
}

// kernelELF is a program as Linux's kernel is one: gaps, zeros at the end of
// the last segment, notes within the first, symbols.
func kernelELF() []byte {
	note := append(bytes.Repeat([]byte{7}, 60), 0, 0, 0, 0) // it ends with zeros
	segments := []elf.Prog64{
		{Type: uint32(elf.PT_LOAD), Off: 0x200000, Vaddr: 0xffffffff81000000, Filesz: 0x2040, Memsz: 0x2040, Align: 0x200000},
		{Type: uint32(elf.PT_LOAD), Off: 0x400123, Vaddr: 0xffffffff82000123, Filesz: 0x3000, Memsz: 0x9000},
		{Type: uint32(elf.PT_NOTE), Off: 0x202000, Vaddr: 0xffffffff81002000, Filesz: 0x40, Memsz: 0x40},
		{Type: uint32(elf.PT_GNU_STACK)},
	}
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Entry: 0x1000000,
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: uint16(len(segments)), Shentsize: 64}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	out := make([]byte, 0x500000)
	_, _ = binary.Encode(out, binary.LittleEndian, h)
	_, _ = binary.Encode(out[64:], binary.LittleEndian, segments)
	copy(out[0x200000:], bytes.Repeat([]byte("text"), 0x100))
	copy(out[0x202000:], note)
	copy(out[0x400123:], "data")
	return out
}

func TestStrip(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"kernel": kernelELF(), "this test": program} {
		got, err := Strip(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(got) >= len(text) {
			t.Errorf("%s: stripped of nothing: %d bytes, then %d", name, len(text), len(got))
		}
		segments, contents := loaded(t, text)
		after, afterContents := loaded(t, got)
		if d := cmp.Diff(segments, after); d != "" {
			t.Errorf("%s: other segments: %s", name, d)
		}
		for i := range contents {
			if !bytes.Equal(contents[i], afterContents[i]) {
				t.Errorf("%s: segment %d has other contents", name, i)
			}
		}
		again, err := Strip(got)
		if err != nil || !bytes.Equal(again, got) {
			t.Errorf("%s: stripped again it is another file, or %v", name, err)
		}
	}
	if got, _ := Strip(kernelELF()); len(got) > 0x4000 {
		t.Errorf("the kernel still has %d bytes", len(got))
	}
}

// A stripped program runs.
func TestStrippedRuns(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	stripped, err := Strip(program)
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/program"
	if err := os.WriteFile(path, stripped, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, "-test.run", "^TestMissingModule$").CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("PASS")) {
		t.Errorf("%v: %s", err, out)
	}
}

func TestStripRefuses(t *testing.T) {
	cut := kernelELF()[:0x400200]
	over := kernelELF()
	binary.LittleEndian.PutUint64(over[64+56+8:], 0) // the second segment's place
	for name, text := range map[string][]byte{"empty": nil, "text": []byte("#!/bin/sh\n"), "cut": cut, "over the header": over} {
		if _, err := Strip(text); !errors.Is(err, errNotELF) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func FuzzStrip(f *testing.F) {
	f.Add(kernelELF()[:0x1000])
	small := kernelELF()[:0x200]
	for i := range 3 {
		binary.LittleEndian.PutUint64(small[64+56*i+8:], uint64(0x130+0x10*i))
		binary.LittleEndian.PutUint64(small[64+56*i+32:], 0x20)
	}
	f.Add(small)
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := Strip(text)
		if err != nil {
			return
		}
		if again, err := Strip(got); err != nil || !bytes.Equal(again, got) {
			t.Errorf("stripped again it is another file, or %v", err)
		}
	})
}
