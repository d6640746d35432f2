package lmbench

import (
	"errors"
	"fmt"

	"xsmbench/bench"
)

// Of disk.c: how many points a disk is read at, and in which pieces.
const (
	zonePoints = 150
	zoneBlock  = 256 << 10
	seekPoints = 200
	sector     = 512
)

// registerDisk registers disk.
func registerDisk() {
	register(bench.Benchmark{
		Name: "disk/op=zone", Source: "disk DEVICE", Unit: "MB/s", Bytes: zoneBlock, Full: true,
		Doc:   "read 256 KiB of a block device, each time further on (lmbench: a curve over the device)",
		Needs: []bench.Facility{bench.Disks, bench.Seeking},
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return readZones(d.OS()) },
	})
	register(bench.Benchmark{
		Name: "disk/op=seek", Source: "disk DEVICE", Full: true,
		Doc:   "read a sector of a block device, in turn from its beginning on and from its end back (lmbench: a curve over the distance)",
		Needs: []bench.Facility{bench.Disks, bench.Seeking},
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return seekOnDisk(d.OS()) },
	})
}

// disk is an open block device.
type disk struct {
	os     bench.OS
	seeker bench.Seeker
	fd     bench.FD
	size   int64
	buf    []byte
}

func openDisk(os bench.OS, block int) (*disk, error) {
	owner, ok := os.(bench.DiskOwner)
	seeker, seeks := os.(bench.Seeker)
	if !ok || !seeks {
		return nil, fmt.Errorf("find disk: %w", errors.ErrUnsupported)
	}
	path := owner.Disk()
	fd, err := os.Open(path, bench.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("open disk %s: %w", path, err)
	}
	d := &disk{os: os, seeker: seeker, fd: fd, buf: make([]byte, block)}
	if d.size, err = d.measure(); err == nil && d.size < 2*int64(block) {
		err = fmt.Errorf("it has %d bytes, fewer than %d", d.size, 2*block)
	}
	if err != nil {
		os.Close(fd)
		return nil, fmt.Errorf("use disk %s: %w", path, err)
	}
	return d, nil
}

// measure finds how many sectors can be read, in bytes: a device does not tell.
func (d *disk) measure() (int64, error) {
	has := func(sectors int64) bool {
		return sectors == 0 || d.read((sectors-1)*sector, d.buf[:sector]) == nil
	}
	if !has(1) {
		return 0, d.read(0, d.buf[:sector])
	}
	low, high := int64(1), int64(2)
	for has(high) {
		low, high = high, high*2
	}
	for low+1 < high {
		if middle := low + (high-low)/2; has(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low * sector, nil
}

// read reads at a position.
func (d *disk) read(at int64, b []byte) error {
	if err := d.seeker.Seek(d.fd, at); err != nil {
		return fmt.Errorf("seek to %d: %w", at, err)
	}
	if k, err := d.os.Read(d.fd, b); k != len(b) {
		return fmt.Errorf("read at %d: %d of %d bytes: %w", at, k, len(b), cause(err))
	}
	return nil
}

func (d *disk) close() { d.os.Close(d.fd) }

// stride is how far apart a number of points are, in bytes.
func (d *disk) stride(points int64) int64 {
	return max(sector, (d.size/points+sector-1)/sector*sector)
}

func readZones(os bench.OS) (bench.Loop, func(), error) {
	d, err := openDisk(os, zoneBlock)
	if err != nil {
		return nil, nil, err
	}
	at, stride := int64(0), max(zoneBlock, d.stride(zonePoints))
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if err := d.read(at, d.buf); err != nil {
				return err
			}
			if at += stride; at+zoneBlock > d.size {
				at = 0
			}
		}
		return nil
	}
	return loop, d.close, nil
}

func seekOnDisk(os bench.OS) (bench.Loop, func(), error) {
	d, err := openDisk(os, sector)
	if err != nil {
		return nil, nil, err
	}
	stride := d.stride(seekPoints)
	begin, end, back := int64(0), d.size, false
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if end < begin+2*stride {
				begin, end = 0, d.size
			}
			at := begin + stride
			if back = !back; back {
				end -= stride
				at = end
			} else {
				begin = at
			}
			if err := d.read(at, d.buf); err != nil {
				return err
			}
		}
		return nil
	}
	return loop, d.close, nil
}
