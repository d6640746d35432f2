package network_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"xsmbench/bench"
	"xsmbench/bench/benchtest"
	"xsmbench/workloads/network"
)

// system has sockets that lead to a server of this process.
type system struct {
	bench.OS
	bench.Sockets
	server   string // its address
	to       bench.SocketAddr
	conns    map[bench.FD]net.Conn
	next     bench.FD
	connects int
	in, out  atomic.Int64 // bytes
	spoil    func([]byte) // of what comes
}

func (s *system) Server() bench.Host { return bench.Host{10, 0, 0, 1} }

func (s *system) Socket(bench.SocketKind) (bench.FD, error) { s.next++; return s.next, nil }

func (s *system) Connect(fd bench.FD, _ bench.SocketKind, to bench.SocketAddr) error {
	conn, err := net.Dial("tcp", s.server)
	s.conns[fd], s.to = conn, to
	s.connects++
	return err
}

func (s *system) Close(fd bench.FD) error {
	conn := s.conns[fd]
	delete(s.conns, fd)
	if conn == nil {
		return nil
	}
	return conn.Close()
}

func (s *system) Read(fd bench.FD, b []byte) (int, error) {
	n, err := s.conns[fd].Read(b)
	s.in.Add(int64(n))
	if s.spoil != nil {
		s.spoil(b[:n])
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}

func (s *system) Write(fd bench.FD, b []byte) (int, error) {
	n, err := s.conns[fd].Write(b)
	s.out.Add(int64(n))
	return n, err
}

type marked struct{ bench.Domain }

func (marked) Begin(bench.Phase) {}
func (marked) End()              {}

// connected is a system with a server that ends with the test.
func connected(t *testing.T) *system {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- network.Serve(l) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return &system{OS: benchtest.New(1).OS(), server: l.Addr().String(), conns: map[bench.FD]net.Conn{}}
}

func measure(t *testing.T, op string, s bench.OS) error {
	t.Helper()
	b, ok := bench.Find("Workload/net/op=" + op)
	if !ok {
		t.Fatalf("no benchmark %s", op)
	}
	_, err := bench.Measure(marked{bench.WithOS(benchtest.New(1), s)}, b, bench.Options{Windows: 21}, bench.Calibration{})
	return err
}

// TestOperations: as many bytes go over the network as an operation claims, in a window
// to warm up and four that count, and connections are closed.
func TestOperations(t *testing.T) {
	const times = 5
	for op, c := range map[string]struct {
		out, in  int64 // at least
		connects int
	}{
		"send":    {times * 16 << 16, 0, 1},
		"receive": {0, times * 16 << 16, 1},
		"request": {times * 64 * network.RequestSize, times * 64 * network.PageSize, 1},
		"connect": {times * 32 * network.RequestSize, times * 32 * network.PageSize, times*32 + 1},
	} {
		s := connected(t)
		if err := measure(t, op, s); err != nil {
			t.Errorf("%s: %v", op, err)
			continue
		}
		if out, in := s.out.Load(), s.in.Load(); out < c.out || in < c.in || s.connects != c.connects || len(s.conns) != 0 {
			t.Errorf("%s: %d bytes out, %d in, %d connections, %d left; want %+v", op, out, in, s.connects, len(s.conns), c)
		}
		if want := (bench.SocketAddr{Host: bench.Host{10, 0, 0, 1}, Port: network.Port}); s.to != want {
			t.Errorf("%s: connected to %+v", op, s.to)
		}
	}
}

// TestWrongAnswers: one byte that is not the server's is enough.
func TestWrongAnswers(t *testing.T) {
	for op, want := range map[string]string{
		"send": "the server took", "receive": "of what the server gave", "request": "the answer to request", "connect": "the answer to request",
	} {
		s := connected(t)
		s.spoil = func(b []byte) {
			if len(b) > 0 {
				b[0] ^= 1
			}
		}
		if err := measure(t, op, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", op, err, want)
		}
	}
}

// TestNoServer: no network, or nobody in it, is a reason to skip.
func TestNoServer(t *testing.T) {
	gone := connected(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.server = l.Addr().String()
	l.Close()
	for _, s := range []bench.OS{benchtest.New(1).OS(), gone} {
		var lack *bench.LackError
		if err := measure(t, "request", s); !errors.As(err, &lack) || lack.Reason == "" {
			t.Errorf("%v", err)
		}
	}
}
