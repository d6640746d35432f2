// Package network is the macro workload of a virtual network: a client in one domain
// and a server in the other. It moves much data each way, asks and is answered, and
// connects. The server is part of the package, too (Serve): every answer depends on
// what was asked, and is looked at.
package network

import (
	"encoding/binary"
	"fmt"

	"xsmbench/bench"
)

// windows of a sample.
const windows = 4

// Operations of a window.
const (
	bulk     = 16 // pieces of 64 KiB
	requests = 64
	connects = 32
)

func init() {
	for _, o := range []operation{
		{"send", "send 64 KiB to a server in the other domain, by TCP", bulk, pieces, (*Client).send},
		{"receive", "receive 64 KiB from a server in the other domain, by TCP", bulk, pieces, (*Client).receive},
		{"request", "ask a service in the other domain by TCP: 128 bytes there, 4 KiB back", requests, RequestSize + PageSize, (*Client).Request},
		{"connect", "connect to a server in the other domain by TCP, ask and close: 128 bytes there, 4 KiB back", connects, RequestSize + PageSize, (*Client).connect},
	} {
		bench.Register(o.benchmark())
	}
}

// operation is what is done over the network.
type operation struct {
	name, doc string
	ops       int64
	bytes     int64 // of one operation
	do        func(*Client, int64) error
}

func (o operation) benchmark() bench.Benchmark {
	b := bench.Benchmark{
		Suite: "Workload", Name: "net/op=" + o.name, Unit: "MB/s", Beside: []string{bench.Throughput}, Workload: true, Later: true, Ops: o.ops, Bytes: o.ops * o.bytes,
		Doc: o.doc, Source: "xen-netfront, xen-netback",
		Hooks: []bench.Crossing{
			{Hook: "evtchn_send", Note: "depends on how many packets one event is for"},
			{Hook: "grant_copy", Note: "1 or 2 per packet"},
			{Hook: "grant_mapref", Note: "1 per page that the domU sends"},
			{Hook: "grant_unmapref", Note: "as grant_mapref"},
		},
		Needs: []bench.Facility{bench.Neighbours, bench.Networking},
		Job:   &bench.Job{Windows: windows, Intervals: func(d bench.Domain, _ bench.Options) (bench.Interval, error) { return o.ready(d.OS()) }},
	}
	b.Run = bench.TimeJob(b)
	return b
}

func (o operation) ready(os bench.OS) (bench.Interval, error) {
	c, err := Dial(os)
	if err != nil {
		return bench.Interval{}, err
	}
	return bench.Interval{
		Most:    1,
		Before:  func(int64) error { c.Moved = 0; return nil },
		Loop:    func(int64) error { return o.do(c, o.ops) },
		Cleanup: c.Close,
		After: func(int64) error {
			if c.Moved != o.ops*o.bytes {
				return fmt.Errorf("%d bytes were moved, not %d", c.Moved, o.ops*o.bytes)
			}
			return nil
		},
	}, nil
}

// Client is a connection to the server.
type Client struct {
	os      bench.OS
	sockets bench.Sockets
	host    bench.Host
	fd      bench.FD
	out, in []byte
	asked   uint64 // requests so far
	Moved   int64  // bytes, without headers and receipts
}

// Dial connects to the server that the operating system names.
func Dial(os bench.OS) (*Client, error) {
	owner, ok := os.(bench.NetworkOwner)
	if !ok || owner.Server() == (bench.Host{}) {
		return nil, bench.Lack("%s", bench.Missing(os, bench.Neighbours))
	}
	sockets, ok := os.(bench.Sockets)
	if !ok {
		return nil, bench.Lack("%s", bench.Missing(os, bench.Networking))
	}
	c := &Client{os: os, sockets: sockets, host: owner.Server(), fd: -1, out: make([]byte, headerSize+pieces), in: make([]byte, pieces)}
	if err := c.open(); err != nil {
		return nil, bench.Lack("the server at %d.%d.%d.%d does not answer: %v", c.host[0], c.host[1], c.host[2], c.host[3], err)
	}
	return c, nil
}

func (c *Client) open() error {
	fd, err := c.sockets.Socket(bench.TCP)
	if err != nil {
		return fmt.Errorf("open socket: %w", err)
	}
	if err := c.sockets.Connect(fd, bench.TCP, bench.SocketAddr{Host: c.host, Port: Port}); err != nil {
		c.os.Close(fd)
		return fmt.Errorf("connect: %w", err)
	}
	c.fd = fd
	return nil
}

// Close ends the connection.
func (c *Client) Close() {
	if c.fd >= 0 {
		c.os.Close(c.fd)
		c.fd = -1
	}
}

// send sends pieces and looks at the receipt.
func (c *Client) send(n int64) error {
	header(c.out, kindTake, n*pieces)
	if err := c.write(c.out[:headerSize]); err != nil {
		return err
	}
	body, s := c.out[headerSize:], uint64(0)
	given(body, 0)
	for range n {
		if err := c.write(body); err != nil {
			return err
		}
		s = sum(s, body)
	}
	receipt := c.in[:receiptSize]
	if err := c.read(receipt); err != nil {
		return err
	}
	count, theirs := int64(binary.LittleEndian.Uint64(receipt)), binary.LittleEndian.Uint64(receipt[8:])
	if count != n*pieces || theirs != s {
		return fmt.Errorf("the server took %d bytes with the sum %#x, not %d with %#x", count, theirs, n*pieces, s)
	}
	c.Moved += count
	return nil
}

// receive asks for pieces and looks at each.
func (c *Client) receive(n int64) error {
	header(c.out, kindGive, n*pieces)
	if err := c.write(c.out[:headerSize]); err != nil {
		return err
	}
	want := c.out[headerSize:]
	for i := range n {
		if err := c.read(c.in); err != nil {
			return err
		}
		given(want, i*pieces)
		if theirs, ours := sum(0, c.in), sum(0, want); theirs != ours {
			return fmt.Errorf("piece %d of what the server gave has the sum %#x, not %#x", i, theirs, ours)
		}
		c.Moved += pieces
	}
	return nil
}

// Request asks the service, each time for something else.
func (c *Client) Request(n int64) error {
	for range n {
		c.asked++
		header(c.out, kindServe, RequestSize)
		request := c.out[headerSize:][:RequestSize]
		given(request, int64(c.asked*RequestSize))
		if err := c.write(c.out[:headerSize+RequestSize]); err != nil {
			return err
		}
		answer := c.in[:PageSize]
		if err := c.read(answer); err != nil {
			return err
		}
		want := c.out[headerSize+RequestSize:][:PageSize]
		page(want, request)
		if theirs, ours := sum(0, answer), sum(0, want); theirs != ours {
			return fmt.Errorf("the answer to request %d has the sum %#x, not %#x", c.asked, theirs, ours)
		}
		c.Moved += RequestSize + PageSize
	}
	return nil
}

// connect connects anew for each request.
func (c *Client) connect(n int64) error {
	for range n {
		c.Close()
		if err := c.open(); err != nil {
			return err
		}
		if err := c.Request(1); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) write(b []byte) error {
	for all := len(b); len(b) > 0; {
		n, err := c.os.Write(c.fd, b)
		if n <= 0 {
			return fmt.Errorf("write: %d of %d bytes: %w", all-len(b), all, cause(err))
		}
		b = b[n:]
	}
	return nil
}

func (c *Client) read(b []byte) error {
	for all := len(b); len(b) > 0; {
		n, err := c.os.Read(c.fd, b)
		if n <= 0 {
			return fmt.Errorf("read: %d of %d bytes: %w", all-len(b), all, cause(err))
		}
		b = b[n:]
	}
	return nil
}

// cause is the reason of a short read or write.
func cause(err error) error {
	if err == nil {
		return fmt.Errorf("the connection is closed")
	}
	return err
}
