package guest

import (
	"bytes"
	"testing"
	"unsafe"

	"xsmbench/abi"
)

// ringPage is a console's page; its words are aligned, as a frame's are.
func ringPage() []byte {
	words := new([abi.PageSize / 8]uint64)
	return (*[abi.PageSize]byte)(unsafe.Pointer(words))[:]
}

func TestConsoleRing(t *testing.T) {
	r := NewConsoleRing(ringPage())
	out := func(b []byte) int { return r.put(b, ringOut, ringOutSize, ringOutCons, ringOutProd) }
	var sent, got []byte
	for i := range 5000 {
		b := bytes.Repeat([]byte{byte(i)}, i%700)
		sent = append(sent, b[:out(b)]...)
		if i%3 == 0 {
			got = append(got, r.Output()...)
		}
	}
	got = append(got, r.Output()...)
	if !bytes.Equal(got, sent) {
		t.Errorf("%d bytes went in, %d others came out", len(sent), len(got))
	}
	if n := out(make([]byte, 2*ringOutSize)); n != ringOutSize {
		t.Errorf("an empty ring takes %d bytes", n)
	}
	if n := out([]byte{1}); n != 0 {
		t.Errorf("a full ring takes %d bytes", n)
	}
	if n := r.Input(make([]byte, 2*ringInSize)); n != ringInSize {
		t.Errorf("input takes %d bytes", n)
	}
}

// FuzzConsoleRing: whatever the other side writes to the page, this side
// stays within it.
func FuzzConsoleRing(f *testing.F) {
	f.Add(uint32(0), uint32(0), []byte("hello"))
	f.Add(uint32(1<<31), uint32(5), []byte("hello"))
	f.Add(^uint32(0), uint32(3), make([]byte, 5000))
	f.Fuzz(func(t *testing.T, cons, prod uint32, b []byte) {
		page := ringPage()
		r := NewConsoleRing(page)
		for _, at := range []int{ringInCons, ringOutCons} {
			word32(page, at).Store(cons)
			word32(page, at+4).Store(prod)
		}
		if n := len(r.Output()); n > ringOutSize {
			t.Errorf("%d bytes came out of a ring of %d", n, ringOutSize)
		}
		if n := r.Input(b); n < 0 || n > len(b) || n > ringInSize {
			t.Errorf("%d of %d bytes went into a ring of %d", n, len(b), ringInSize)
		}
	})
}
