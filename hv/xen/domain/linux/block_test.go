//go:build linux && (amd64 || 386)

package linux_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv/xen/domain/linux"
)

// openFile opens a file in a block device's place, where its file system can be read
// past the page cache.
func openFile(t *testing.T, size int) bench.BlockDevice {
	t.Helper()
	path := filepath.Join(t.TempDir(), "device")
	if err := os.WriteFile(path, make([]byte, size), 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := linux.New(linux.Config{Virtual: path}).OpenBlock(path)
	var lack *bench.LackError
	if errors.As(err, &lack) {
		t.Skip("the test's directory: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// TestBlockDevice writes and reads more requests than are under way at a time, both
// ways to make them, and is told of one that fails.
func TestBlockDevice(t *testing.T) {
	const block, blocks = 4096, 32
	d := openFile(t, blocks*block)
	if d.Size() != blocks*block {
		t.Errorf("%d bytes", d.Size())
	}
	out, err := d.Buffer(blocks * block)
	if err != nil {
		t.Fatal(err)
	}
	in, err := d.Buffer(blocks * block)
	if err != nil {
		t.Fatal(err)
	}
	for i := range out {
		out[i] = byte(i / 7)
	}
	requests := func(write bool, b []byte) (all []bench.BlockRequest) {
		for i := range blocks {
			at := (i * 5 % blocks) * block
			all = append(all, bench.BlockRequest{Write: write, Offset: int64(at), Data: b[at:][:block]})
		}
		return all
	}
	if err := d.Do(requests(true, out), 8); err != nil {
		t.Fatal(err)
	}
	for _, depth := range []int{1, 8, 64} {
		clear(in)
		if err := d.Do(requests(false, in), depth); err != nil || !bytes.Equal(in, out) {
			t.Errorf("%d at a time: %v, the same: %v", depth, err, bytes.Equal(in, out))
		}
	}
	clear(in)
	end, err := d.Begin(requests(false, in))
	if err == nil {
		err = end()
	}
	if err != nil || !bytes.Equal(in, out) {
		t.Errorf("begun at once: %v, the same: %v", err, bytes.Equal(in, out))
	}
	beyond := append(requests(false, in), bench.BlockRequest{Offset: blocks * block, Data: in[:block]})
	if err := d.Do(beyond, 4); err == nil {
		t.Error("a request behind the end succeeded")
	}
	for _, depth := range []int{0, 65} {
		if err := d.Do(nil, depth); err == nil {
			t.Errorf("%d at a time", depth)
		}
	}
}

// TestNoBlockDevice: a device that is not there, or must not be opened, is a reason to
// skip.
func TestNoBlockDevice(t *testing.T) {
	var lack *bench.LackError
	o := linux.New(linux.Config{})
	if _, err := o.OpenBlock(filepath.Join(t.TempDir(), "none")); !errors.As(err, &lack) {
		t.Error(err)
	}
	if bench.Has(o, bench.BlockIO) || bench.Has(o, bench.Domains) || bench.Has(o, bench.Neighbours) {
		t.Error("an OS of nothing has something")
	}
	c := linux.Config{Virtual: "/dev/xvda", Server: bench.Host{10, 0, 0, 1}, Lacks: map[bench.Facility]string{bench.Domains: "no memory"}}
	o = linux.New(c)
	if !bench.Has(o, bench.BlockIO) || !bench.Has(o, bench.Neighbours) || bench.Has(o, bench.Domains) || o.WhyNot(bench.Domains) != "no memory" {
		t.Errorf("%q", o.WhyNot(bench.Domains))
	}
}
