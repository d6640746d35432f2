package hypercall

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/abi"
)

func newGrants() (*grants, *fakeGrants) {
	dev := &fakeGrants{}
	args := memory{make([]byte, grantArgs), 0x1000}
	dev.given = []memory{args}
	return &grants{dev: dev, args: args, page: memory{make([]byte, abi.PageSize), 0x5000}}, dev
}

func TestNumbersOfIoctls(t *testing.T) {
	for _, n := range []struct{ got, want uint32 }{
		{gntdevMap, 0x184700}, {gntdevUnmap, 0x104701}, {gntdevCopy, 0x104708},
	} {
		if n.got != n.want {
			t.Errorf("%#x, want %#x", n.got, n.want)
		}
	}
}

func TestEncodeMap(t *testing.T) {
	m := memory{make([]byte, mapArgs), 0}
	encodeMap(m, &abi.GnttabMapGrantRef{Ref: 77, Dom: 3})
	if want := build(mapArgs, field{0, 4, 1}, field{16, 4, 3}, field{20, 4, 77}); !cmp.Equal(m.b, want) {
		t.Errorf("% x, want % x", m.b, want)
	}
}

func TestEncodeCopy(t *testing.T) {
	const local = uint64(abi.InvalidMFN)
	page := memory{nil, 0x5000}
	m := memory{make([]byte, grantArgs), 0x1000}
	from := &abi.GnttabCopy{
		Source: abi.GnttabCopyPtr{UseRef: true, Ref: 77, Dom: 3, Offset: 8},
		Dest:   abi.GnttabCopyPtr{GMFN: local, Dom: abi.DomSelf, Offset: 16},
		Len:    1500,
	}
	if err := encodeCopy(m, from, page); err != 0 {
		t.Fatal(err)
	}
	want := build(grantArgs, field{0, 4, 1}, field{8, 8, 0x1010},
		field{16, 4, 77}, field{20, 2, 8}, field{22, 2, 3}, field{24, 8, 0x5010}, field{32, 2, 1500}, field{34, 2, 1})
	if !cmp.Equal(m.b, want) {
		t.Errorf("from a grant: % x, want % x", m.b, want)
	}
	to := &abi.GnttabCopy{Source: from.Dest, Dest: from.Source, Len: 4}
	if err := encodeCopy(m, to, page); err != 0 {
		t.Fatal(err)
	}
	want = build(grantArgs, field{0, 4, 1}, field{8, 8, 0x1010},
		field{16, 8, 0x5010}, field{24, 4, 77}, field{28, 2, 8}, field{30, 2, 3}, field{32, 2, 4}, field{34, 2, 2})
	if !cmp.Equal(m.b, want) {
		t.Errorf("to a grant: % x, want % x", m.b, want)
	}
	for _, bad := range []struct {
		c    abi.GnttabCopy
		want abi.Errno
	}{
		{abi.GnttabCopy{Source: from.Source, Dest: from.Source}, abi.EINVAL},
		{abi.GnttabCopy{Source: from.Dest, Dest: from.Dest}, abi.EINVAL},
		{abi.GnttabCopy{Source: from.Source, Dest: from.Dest, Len: 4081}, abi.EINVAL},
		{abi.GnttabCopy{Source: from.Source, Dest: abi.GnttabCopyPtr{GMFN: 5, Dom: abi.DomSelf}}, abi.EPERM},
		{abi.GnttabCopy{Source: from.Source, Dest: abi.GnttabCopyPtr{GMFN: local, Dom: 1}}, abi.EPERM},
	} {
		if err := encodeCopy(m, &bad.c, page); err != bad.want {
			t.Errorf("%+v: %v, want %v", bad.c, err, bad.want)
		}
	}
}

func TestMapAndUnmap(t *testing.T) {
	g, dev := newGrants()
	m := &abi.GnttabMapGrantRef{Ref: 77, Dom: 3, Status: 9}
	if r := g.mapRef(m); r != 0 || m.Status != abi.GNTSTOkay || dev.mapped != 1 {
		t.Fatalf("map: %d, status %d, %d mapped", r, m.Status, dev.mapped)
	}
	u := &abi.GnttabUnmapGrantRef{Handle: m.Handle}
	if r := g.unmapRef(u); r != 0 || u.Status != abi.GNTSTOkay || dev.mapped != 0 {
		t.Fatalf("unmap: %d, status %d, %d mapped", r, u.Status, dev.mapped)
	}
	if want := []uint32{gntdevMap, gntdevUnmap}; !slices.Equal(dev.calls, want) {
		t.Errorf("calls are %#x, want %#x", dev.calls, want)
	}
	for _, h := range []abi.GrantHandle{m.Handle, 1000} {
		u.Handle = h
		if r := g.unmapRef(u); r != 0 || u.Status != abi.GNTSTBadHandle {
			t.Errorf("unmap handle %d: %d, status %d", h, r, u.Status)
		}
	}
}

func TestMapFails(t *testing.T) {
	g, dev := newGrants()
	dev.refuse = abi.EINVAL
	m := &abi.GnttabMapGrantRef{}
	if r := g.mapRef(m); r != 0 || m.Status != abi.GNTSTGeneralError {
		t.Errorf("%d, status %d", r, m.Status)
	}
	if want := []uint32{gntdevMap, gntdevUnmap}; !slices.Equal(dev.calls, want) {
		t.Errorf("calls are %#x, want %#x: the offset is given back", dev.calls, want)
	}
	dev.refuse = 0
	for range g.maps {
		g.mapRef(m)
	}
	if r := g.mapRef(m); r != 0 || m.Status != abi.GNTSTNoDeviceSpace {
		t.Errorf("one mapping too many: %d, status %d", r, m.Status)
	}
	dev.given = nil
	g.unmapRef(&abi.GnttabUnmapGrantRef{Handle: 0})
	if r := g.mapRef(m); r != -int64(abi.EFAULT) {
		t.Errorf("the device's error: %d", r)
	}
}

func TestCopyStatus(t *testing.T) {
	g, dev := newGrants()
	dev.status = -3
	c := &abi.GnttabCopy{Source: abi.GnttabCopyPtr{UseRef: true}, Dest: abi.GnttabCopyPtr{GMFN: uint64(abi.InvalidMFN), Dom: abi.DomSelf}}
	if r := g.copy(c); r != 0 || c.Status != -3 {
		t.Errorf("%d, status %d", r, c.Status)
	}
}
