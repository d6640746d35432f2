package block_test

import (
	"errors"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/bench/benchtest"
	_ "xsmbench/workloads/block"
)

// device is a block device in memory.
type device struct {
	data          []byte
	read, written int64
	requests      int
	depths        map[int]int // requests by how many were to be under way
	last          int64       // where the last request ended
	inOrder       int         // requests that began there
	spoil         func(*device, *bench.BlockRequest)
	closed        int
}

func (d *device) Size() int64                                 { return int64(len(d.data)) }
func (d *device) Buffer(n int) ([]byte, error)                { return make([]byte, n), nil }
func (d *device) Moved() (int64, int64, error)                { return d.read, d.written, nil }
func (d *device) Close()                                      { d.closed++ }
func (d *device) Block() string                               { return "/dev/xvda" }
func (d *device) OpenBlock(string) (bench.BlockDevice, error) { return d, nil }

func (d *device) Begin(requests []bench.BlockRequest) (func() error, error) {
	return func() error { return d.Do(requests, len(requests)) }, nil
}

func (d *device) Do(requests []bench.BlockRequest, depth int) error {
	for _, r := range requests {
		d.requests++
		d.depths[depth]++
		if r.Offset == d.last {
			d.inOrder++
		}
		d.last = r.Offset + int64(len(r.Data))
		if d.spoil != nil {
			d.spoil(d, &r)
		}
		at := d.data[r.Offset:][:len(r.Data)]
		if r.Write {
			d.written += int64(copy(at, r.Data))
		} else {
			d.read += int64(copy(r.Data, at))
		}
	}
	return nil
}

type system struct {
	bench.OS
	*device
}

func (s system) Close(fd bench.FD) error { return s.OS.Close(fd) }

func (s system) Read(fd bench.FD, b []byte) (int, error) { return s.OS.Read(fd, b) }

const (
	blocks    = 1024
	blockSize = 4096
	window    = 256
)

func measure(t *testing.T, name string, d *device) error {
	t.Helper()
	b, ok := bench.Find("Workload/block/" + name)
	if !ok {
		t.Fatalf("no benchmark %s", name)
	}
	if d.data == nil {
		d.data = make([]byte, blocks*blockSize)
	}
	d.depths = map[int]int{}
	dom := benchtest.New(1)
	_, err := bench.Measure(marked{bench.WithOS(dom, system{dom.OS(), d})}, b, bench.Options{Windows: 21}, bench.Calibration{})
	return err
}

type marked struct{ bench.Domain }

func (marked) Begin(bench.Phase) {}
func (marked) End()              {}

// TestPatterns: windows of 256 requests, one to warm up and four that count, in order or
// not, with so many under way; the device is filled before, and closed.
func TestPatterns(t *testing.T) {
	list, err := bench.Select("^Workload/block/")
	if err != nil || len(list) != 8 {
		t.Fatalf("%d benchmarks, %v", len(list), err)
	}
	const counted = 5 * window
	for _, b := range list {
		d := &device{}
		if err := measure(t, strings.TrimPrefix(b.Name, "block/"), d); err != nil {
			t.Errorf("%s: %v", b.Name, err)
			continue
		}
		checked := 0
		if strings.Contains(b.Name, "op=write") {
			checked = counted // read again
		}
		if d.requests != blocks+counted+checked || d.closed != 1 {
			t.Errorf("%s: %d requests, closed %d times", b.Name, d.requests, d.closed)
		}
		if strings.HasSuffix(b.Name, "depth=1") && d.depths[1] != counted {
			t.Errorf("%s: %v requests by depth", b.Name, d.depths)
		}
		if random := strings.Contains(b.Name, "random"); random != (d.inOrder < blocks+counted/2) {
			t.Errorf("%s: %d of %d requests in order", b.Name, d.inOrder, d.requests)
		}
		if b.Bytes != window*blockSize || b.Ops != window {
			t.Errorf("%s: %d bytes in %d operations", b.Name, b.Bytes, b.Ops)
		}
	}
}

// TestWrongData: a device that reads or writes something else, loses a request, or
// counts wrongly has no figure.
func TestWrongData(t *testing.T) {
	flip := func(write bool) func(*device, *bench.BlockRequest) {
		return func(d *device, r *bench.BlockRequest) {
			if r.Write == write && d.requests > blocks+10 {
				d.data[r.Offset+100] ^= 1
				r.Offset = min(r.Offset+blockSize, (blocks-1)*blockSize)
			}
		}
	}
	for _, c := range []struct {
		name, want string
		spoil      func(*device, *bench.BlockRequest)
	}{
		{"op=read/order=sequential/depth=1", "holds", flip(false)},
		{"op=write/order=random/depth=8", "holds", flip(true)},
		{"op=read/order=random/depth=8", "the device says that", func(d *device, _ *bench.BlockRequest) { d.read += 512 }},
	} {
		if err := measure(t, c.name, &device{spoil: c.spoil}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestSmall: a device without room is a reason to skip.
func TestSmall(t *testing.T) {
	var lack *bench.LackError
	if err := measure(t, "op=read/order=sequential/depth=1", &device{data: make([]byte, blockSize)}); !errors.As(err, &lack) {
		t.Error(err)
	}
}
