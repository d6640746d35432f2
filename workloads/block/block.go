// Package block is the macro workload of a virtual block device: requests of a domU
// that another domain answers from its memory. It reads and writes, in order and at
// random, one request at a time and eight.
//
// Every block of the device holds its own number, and how often it was written. What
// was read is held against that after each window, and so is what the device itself
// says it moved.
package block

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"xsmbench/bench"
)

// A window is so many requests of so many bytes.
const (
	requests = 256
	Size     = 4 << 10
)

// windows of a sample.
const windows = 4

func init() {
	for _, p := range patterns() {
		bench.Register(p.benchmark())
	}
}

// pattern is how requests follow each other.
type pattern struct {
	write, random bool
	depth         int
}

// patterns are those that are measured.
func patterns() []pattern {
	var all []pattern
	for _, write := range []bool{false, true} {
		for _, random := range []bool{false, true} {
			for _, depth := range []int{1, 8} {
				all = append(all, pattern{write, random, depth})
			}
		}
	}
	return all
}

func (p pattern) name() string {
	return fmt.Sprintf("block/op=%s/order=%s/depth=%d", p.op(), p.order(), p.depth)
}

func (p pattern) op() string {
	if p.write {
		return "write"
	}
	return "read"
}

func (p pattern) order() string {
	if p.random {
		return "random"
	}
	return "sequential"
}

func (p pattern) benchmark() bench.Benchmark {
	b := bench.Benchmark{
		Suite: "Workload", Name: p.name(), Unit: "MB/s", Beside: []string{bench.Throughput}, Workload: true, DomUOnly: true, Later: true, Bytes: requests * Size, Ops: requests,
		Doc:    fmt.Sprintf("%s 4 KiB of a virtual block device past the page cache, %s, %d at a time", p.op(), p.order(), p.depth),
		Source: "xen-blkfront, xen-blkback",
		Hooks: []bench.Crossing{
			{Hook: "evtchn_send", Note: "2 per request, fewer where several are under way"},
			{Hook: "grant_mapref", Note: "1 per page that the backend has not mapped yet"},
		},
		Needs: []bench.Facility{bench.BlockIO},
		Job:   &bench.Job{Windows: windows, Intervals: func(d bench.Domain, _ bench.Options) (bench.Interval, error) { return p.ready(d.OS()) }},
	}
	b.Run = bench.TimeJob(b)
	return b
}

// ready opens the device and fills it.
func (p pattern) ready(os bench.OS) (bench.Interval, error) {
	d, err := OpenFilled(os)
	if err != nil {
		return bench.Interval{}, err
	}
	r := run{disk: d, pattern: p, random: rand.New(rand.NewPCG(1, uint64(p.depth)))}
	return bench.Interval{Most: 1, Before: r.before, Loop: r.loop, After: r.after, Cleanup: d.Close}, nil
}

// Disk is an open block device whose blocks hold their numbers.
type Disk struct {
	bench.BlockDevice
	blocks int64
	times  []uint32 // how often each was written
	buffer []byte   // of as many blocks as a window has requests

	visited int64 // the last block of BeginReads
	asked   []bench.BlockRequest
}

// Open opens the block device of an operating system.
func Open(os bench.OS) (*Disk, error) {
	owner, ok := os.(bench.BlockOwner)
	if !ok || owner.Block() == "" {
		return nil, bench.Lack("%s", bench.Missing(os, bench.BlockIO))
	}
	device, err := owner.OpenBlock(owner.Block())
	if err != nil {
		return nil, err
	}
	d := &Disk{BlockDevice: device, blocks: device.Size() / Size}
	if d.blocks < 2*requests {
		device.Close()
		return nil, bench.Lack("%s has %d bytes, fewer than %d", owner.Block(), device.Size(), 2*requests*Size)
	}
	d.times = make([]uint32, d.blocks)
	if d.buffer, err = device.Buffer(requests * Size); err != nil {
		device.Close()
		return nil, err
	}
	return d, nil
}

// OpenFilled opens the block device, and writes each of its blocks.
func OpenFilled(os bench.OS) (*Disk, error) {
	d, err := Open(os)
	if err != nil {
		return nil, err
	}
	if err := d.fill(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// BeginReads asks for so many blocks, the next ones at a stride that visits all. end
// waits for them, and looks at what they hold.
func (d *Disk) BeginReads(n int) (end func() error, err error) {
	d.asked = d.asked[:0]
	for i := range n {
		d.visited = (d.visited + stride) % d.blocks
		d.asked = append(d.asked, d.request(i, d.visited, false))
	}
	wait, err := d.Begin(d.asked)
	if err != nil {
		return nil, err
	}
	return func() error {
		if err := wait(); err != nil {
			return err
		}
		for i, r := range d.asked {
			number := r.Offset / Size
			if err := stamped(d.at(i), number, d.times[number]); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// stride is a prime number, and no factor of a device's size: no block is visited twice
// until all were.
const stride = 1021

// at is the buffer of a request.
func (d *Disk) at(request int) []byte {
	return d.buffer[request*Size:][:Size]
}

// filling is how many requests fill the device at a time.
const filling = 8

// fill writes each block once.
func (d *Disk) fill() error {
	for first := int64(0); first < d.blocks; first += requests {
		var all []bench.BlockRequest
		for n := range min(requests, d.blocks-first) {
			all = append(all, d.request(int(n), first+n, true))
		}
		if err := d.Do(all, filling); err != nil {
			return fmt.Errorf("fill the device: %w", err)
		}
	}
	return nil
}

// request makes a request of a block, with what it is to hold if it is written.
func (d *Disk) request(n int, block int64, write bool) bench.BlockRequest {
	b := d.at(n)
	if write {
		d.times[block]++
		stamp(b, block, d.times[block])
	} else {
		clear(b)
	}
	return bench.BlockRequest{Write: write, Offset: block * Size, Data: b}
}

// stamp fills a block with its number, and how often it was written.
func stamp(b []byte, block int64, times uint32) {
	word := uint64(block)<<32 | uint64(times)
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], word+uint64(i))
	}
}

// stamped fails if a block does not hold what was written to it last.
func stamped(b []byte, block int64, times uint32) error {
	word := uint64(block)<<32 | uint64(times)
	for i := 0; i < len(b); i += 8 {
		if got := binary.LittleEndian.Uint64(b[i:]); got != word+uint64(i) {
			return fmt.Errorf("block %d holds %#x at byte %d, not %#x", block, got, i, word+uint64(i))
		}
	}
	return nil
}

// run is a pattern on a disk.
type run struct {
	disk          *Disk
	pattern       pattern
	random        *rand.Rand
	next          int64 // block, where they are in order
	blocks        []int64
	requests      []bench.BlockRequest
	read, written int64 // before the window
}

// before chooses the blocks of a window.
func (r *run) before(int64) (err error) {
	r.blocks, r.requests = r.blocks[:0], r.requests[:0]
	if r.pattern.random {
		for _, block := range r.random.Perm(int(r.disk.blocks))[:requests] { // none twice
			r.blocks = append(r.blocks, int64(block))
		}
	} else {
		if r.next+requests > r.disk.blocks {
			r.next = 0
		}
		for range requests {
			r.blocks = append(r.blocks, r.next)
			r.next++
		}
	}
	for n, block := range r.blocks {
		r.requests = append(r.requests, r.disk.request(n, block, r.pattern.write))
	}
	r.read, r.written, err = r.disk.Moved()
	return err
}

func (r *run) loop(int64) error { return r.disk.Do(r.requests, r.pattern.depth) }

// after looks whether as much was moved as was asked for, and whether it is right.
func (r *run) after(int64) error {
	read, written, err := r.disk.Moved()
	if err != nil {
		return err
	}
	want := [2]int64{requests * Size, 0}
	if r.pattern.write {
		want = [2]int64{0, requests * Size}
	}
	if got := [2]int64{read - r.read, written - r.written}; got != want {
		return fmt.Errorf("the device says that %d bytes were read and %d written, not %d and %d", got[0], got[1], want[0], want[1])
	}
	if r.pattern.write {
		for n := range r.requests {
			r.requests[n] = r.disk.request(n, r.blocks[n], false)
		}
		if err := r.disk.Do(r.requests, filling); err != nil {
			return err
		}
	}
	for n, block := range r.blocks {
		if err := stamped(r.disk.at(n), block, r.disk.times[block]); err != nil {
			return err
		}
	}
	return nil
}
