package lmbench

import (
	"math"
	"testing"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/bench/benchtest"
)

// TestRandom: the generators give the numbers that the C library gives for seed 1.
func TestRandom(t *testing.T) {
	g := newAdditive(1)
	for i, want := range []int32{1804289383, 846930886, 1681692777, 1714636915} {
		if got := g.next(); got != want {
			t.Errorf("rand's number %d is %d, want %d", i, got, want)
		}
	}
	const seed1 = 1<<16 | 0x330e
	d := drand48(seed1)
	if got := d.long(); got != 89400484 {
		t.Errorf("lrand48 is %d", got)
	}
	d = drand48(seed1)
	if got := d.double(); math.Abs(got-0.0416303447718782) > 1e-15 {
		t.Errorf("drand48 is %v", got)
	}
}

// TestOrders: every order visits places of the memory, none of them twice, and each
// has room for a pointer.
func TestOrders(t *testing.T) {
	for _, c := range []struct {
		name  string
		order []int
		size  int // of the memory
		count int
	}{
		{"strided", strided(32<<10, 128), 32 << 10, 256},
		{"thrashing, a page", thrashing(4<<10, 16), 4 << 10, 256},
		{"thrashing", thrashing(256<<10, 16), 256 << 10, 16 << 10},
		{"line by line", lineByLine(64<<10, 64), 64 << 10, 1024},
		{"line by line, less than a page", lineByLine(8*pointerSize, pointerSize), abi.PageSize, 8},
		{"line by line, no power of two", lineByLine(11*pointerSize, pointerSize), abi.PageSize, 11},
		{"a word of each page", perPage(24), 24 * abi.PageSize, 24},
		{"grouped", grouped(64<<10, pointerSize, 16), 64 << 10, 64 << 10 / pointerSize},
		{"grouped, with a rest", grouped(5*abi.PageSize, pointerSize, 4), 5 * abi.PageSize, 5 * abi.PageSize / pointerSize},
		{"apart", apart(256), hierarchySize, hierarchySize / 256},
	} {
		seen := map[int]bool{}
		for _, off := range c.order {
			if off < 0 || off+pointerSize > c.size || off%pointerSize != 0 || seen[off] {
				t.Fatalf("%s: offset %d, seen %v", c.name, off, seen[off])
			}
			seen[off] = true
		}
		if len(c.order) != c.count {
			t.Errorf("%s: %d places, want %d", c.name, len(c.order), c.count)
		}
	}
	pagesOf := thrashing(64<<10, 64)
	for i, off := range pagesOf[1:] {
		if off/abi.PageSize == pagesOf[i]/abi.PageSize {
			t.Errorf("thrashing: places %d and %d are in one page", i, i+1)
		}
	}
}

// TestPeriod finds the clock of times that are multiples of it.
func TestPeriod(t *testing.T) {
	for _, c := range []struct {
		times []float64
		want  float64
	}{
		{[]float64{2, 2, 4, 6}, 2},
		{[]float64{1, 2, 3, 4}, 1},
		{[]float64{0.66, 0.99, 1.32}, 0.33},
		{[]float64{0.3301, 0.6598, 1.3202}, 0.3301},
		{[]float64{2, 3}, 1},
	} {
		if got := period(c.times); math.Abs(got-c.want) > 0.001 {
			t.Errorf("%v: period %v, want %v", c.times, got, c.want)
		}
	}
}

// TestMoved: lmdd's files have what it says when the clock stops, and nothing is left.
func TestMoved(t *testing.T) {
	for _, c := range []struct{ from, to bool }{{false, true}, {true, false}, {true, true}} {
		d := benchtest.New(1)
		os := d.OS()
		i, err := newMover(os, c.from, c.to)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := i.Before(1); err != nil {
				t.Fatal(err)
			}
			if err := i.Loop(1); err != nil {
				t.Fatal(err)
			}
			var st bench.Stat
			if err := os.Stat(moveTo, &st); (err == nil) != c.to || c.to && st.Size != total {
				t.Errorf("%+v: the file moved to: %v, %d bytes", c, err, st.Size)
			}
			if err := i.After(1); err != nil {
				t.Fatal(err)
			}
		}
		i.Cleanup()
		if f := d.Files(); len(f) != 0 {
			t.Errorf("%+v: files are left: %v", c, f)
		}
	}
}

// TestServerGone: who talks to a server that is not there finds out.
func TestServerGone(t *testing.T) {
	os := benchtest.New(1).OS()
	if _, err := dial(os, bench.TCP, bench.SocketAddr{Port: 1}, asItIs); err == nil {
		t.Error("connected to nobody")
	}
	l, err := tcpLink(os)
	if err != nil {
		t.Fatal(err)
	}
	os.Close(l.there.in)
	if err := readAll(os, l.here.in, make([]byte, 1)); err == nil {
		t.Error("read from a connection whose other end is closed")
	}
}

// TestDiskSize: the size of a disk is found by reading.
func TestDiskSize(t *testing.T) {
	d, err := openDisk(benchtest.New(1).OS(), sector)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	if d.size != 1<<20 {
		t.Errorf("the disk has %d bytes", d.size)
	}
	loop, cleanup, err := seekOnDisk(benchtest.New(1).OS())
	if err != nil {
		t.Fatal(err)
	}
	defer cleanup()
	if err := loop(3 * seekPoints); err != nil {
		t.Error(err)
	}
}
