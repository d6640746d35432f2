package lmbench

import (
	"errors"
	"fmt"

	"xsmbench/bench"
)

// socketBuffer is SOCKBUF: what bw_tcp's sockets buffer each way.
const socketBuffer = 1 << 20

// registerTCP registers lat_tcp and bw_tcp.
func registerTCP() {
	register(bench.Benchmark{
		Name: "lat_tcp", Source: "lat_tcp localhost", Enough: medium, Full: true,
		Doc:   "a byte to another process and back, by TCP over the loopback device",
		Needs: []bench.Facility{bench.Networking},
		Hooks: sendEvent,
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return exchange(d.OS(), tcpLink) },
	})
	for _, m := range []struct {
		name string
		size int
	}{{"1", 1}, {"64", 64}, {"128", 128}, {"256", 256}, {"512", 512}, {"1024", 1024}, {"1437", 1437}, {"10M", 10 << 20}} {
		register(bench.Benchmark{
			Name: "bw_tcp/m=" + m.name, Source: "bw_tcp -m " + m.name + " localhost", Unit: "MB/s", Bytes: int64(m.size), Full: true,
			Doc:   fmt.Sprintf("read %s bytes that another process writes as fast as it can, in messages of that size, by TCP over the loopback device", m.name),
			Needs: []bench.Facility{bench.Networking},
			Hooks: sendEvent,
			Setup: func(d bench.Domain) (bench.Loop, func(), error) { return tcpStream(d.OS(), m.size) },
		})
	}
}

// tcpStream reads what a child writes by TCP, a message in an iteration.
func tcpStream(os bench.OS, message int) (bench.Loop, func(), error) {
	l, err := connected(os, func(s bench.Sockets, fd bench.FD, serves bool) error {
		if serves {
			return s.Buffers(fd, 0, socketBuffer)
		}
		return s.Buffers(fd, socketBuffer, socketBuffer)
	})
	if err != nil {
		return nil, nil, err
	}
	here, there := l.here.in, l.there.out
	loop, cleanup, err := nativeOn(os, bench.NativeStream, here, there, int64(message))
	if !errors.Is(err, errors.ErrUnsupported) {
		return loop, cleanup, err
	}
	stop, err := serve(os, there, func(os bench.OS) int {
		os.Close(here)
		return writeOn(os, there, message)
	})
	if err != nil {
		os.Close(here)
		return nil, nil, err
	}
	buf := make([]byte, message)
	loop = func(n int64) error {
		for ; n > 0; n-- {
			if err := readAll(os, here, buf); err != nil {
				return err
			}
		}
		return nil
	}
	return loop, func() { os.Close(here); stop() }, nil
}

// readAll reads until a message is whole, however many writes it came from. lmbench
// asks for the size of a message each time and counts what is more as done.
func readAll(os bench.OS, fd bench.FD, b []byte) error {
	for done := 0; done < len(b); {
		k, err := os.Read(fd, b[done:])
		if k <= 0 {
			return fmt.Errorf("read stream: %d of %d bytes: %w", done, len(b), cause(err))
		}
		done += k
	}
	return nil
}

// writeOn writes messages until nobody reads.
func writeOn(os bench.OS, fd bench.FD, message int) int {
	buf := make([]byte, message)
	for {
		for done := 0; done < len(buf); {
			k, err := os.Write(fd, buf[done:])
			if k <= 0 || err != nil {
				return 0
			}
			done += k
		}
	}
}
