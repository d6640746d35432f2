package serve_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/bench/benchtest"
	"xsmbench/workloads/network"
	_ "xsmbench/workloads/serve"
)

// system has a disk in memory, and sockets that lead to a server of this process.
type system struct {
	bench.OS
	bench.Sockets
	server string
	conn   net.Conn
	data   []byte
	under  int // requests of the disk that were begun and not awaited
	// met counts what went over the network while requests were under way.
	met   int
	spoil bool
}

func (*system) Server() bench.Host                            { return bench.Host{10, 0, 0, 1} }
func (*system) Block() string                                 { return "/dev/xvda" }
func (s *system) OpenBlock(string) (bench.BlockDevice, error) { return disk{s}, nil }
func (*system) Socket(bench.SocketKind) (bench.FD, error)     { return 3, nil }
func (s *system) Close(bench.FD) error                        { return s.conn.Close() }
func (s *system) Connect(bench.FD, bench.SocketKind, bench.SocketAddr) (err error) {
	s.conn, err = net.Dial("tcp", s.server)
	return err
}

func (s *system) Read(_ bench.FD, b []byte) (int, error) {
	n, err := s.conn.Read(b)
	if err == io.EOF {
		err = nil
	}
	return n, err
}

func (s *system) Write(_ bench.FD, b []byte) (int, error) {
	if s.under > 0 {
		s.met++
	}
	return s.conn.Write(b)
}

type disk struct{ s *system }

func (d disk) Size() int64                  { return int64(len(d.s.data)) }
func (d disk) Buffer(n int) ([]byte, error) { return make([]byte, n), nil }
func (d disk) Moved() (int64, int64, error) { return 0, 0, nil }
func (d disk) Close()                       {}
func (d disk) Do(all []bench.BlockRequest, _ int) error {
	for _, r := range all {
		if at := d.s.data[r.Offset:][:len(r.Data)]; r.Write {
			copy(at, r.Data)
		} else {
			copy(r.Data, at)
		}
	}
	return nil
}

func (d disk) Begin(all []bench.BlockRequest) (func() error, error) {
	d.s.under += len(all)
	return func() error {
		d.s.under -= len(all)
		if d.s.spoil {
			d.s.data[all[0].Offset] ^= 1
		}
		return d.Do(all, len(all))
	}, nil
}

type marked struct{ bench.Domain }

func (marked) Begin(bench.Phase) {}
func (marked) End()              {}

func measure(t *testing.T, s bench.OS) error {
	t.Helper()
	b, ok := bench.Find("Workload/serve/op=disk_and_net")
	if !ok {
		t.Fatal("no benchmark")
	}
	_, err := bench.Measure(marked{bench.WithOS(benchtest.New(1), s)}, b, bench.Options{Windows: 21}, bench.Calibration{})
	return err
}

// TestBoth: each request goes over the network while the disk has eight to read, and all
// that was read is looked at.
func TestBoth(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- network.Serve(l) }()
	defer func() {
		l.Close()
		<-done
	}()
	for _, spoil := range []bool{false, true} {
		s := &system{OS: benchtest.New(1).OS(), server: l.Addr().String(), data: make([]byte, 4<<20), spoil: spoil}
		err := measure(t, s)
		if spoil {
			if err == nil || !strings.Contains(err.Error(), "holds") {
				t.Errorf("a block of other contents: %v", err)
			}
			continue
		}
		const want = 5 * 32 // windows of 32 rounds
		if err != nil || s.met != want || s.under != 0 {
			t.Errorf("%v, %d of %d requests met reads, %d reads are under way", err, s.met, want, s.under)
		}
	}
	var lack *bench.LackError
	if err := measure(t, benchtest.New(1).OS()); !errors.As(err, &lack) {
		t.Errorf("nothing to be served with: %v", err)
	}
}
