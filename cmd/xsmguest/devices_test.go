//go:build linux && (amd64 || 386)

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"xsmbench/bench"
	"xsmbench/bench/wire"
	"xsmbench/hv/xen/domain/linux"
	"xsmbench/hv/xen/protocol"
)

// TestDeviceNumber: as the kernel's MAJOR and MINOR take it apart.
func TestDeviceNumber(t *testing.T) {
	for device, want := range map[uint64]string{0x100: "1:0", 0x101: "1:1", 0xca10: "ca:10", 0x1_0000_0300 & 0xffffffff: "3:0", 0x12310345: "103:12345"} {
		if got := deviceNumber(device); got != want {
			t.Errorf("%#x is %s, want %s", device, got, want)
		}
	}
}

// TestInterfaceRequests: structures as the kernel has them (struct ifreq, arpreq).
func TestInterfaceRequests(t *testing.T) {
	a := interfaceAddress("vif1.0", []byte{10, 0, 0, 1})
	if string(bytes.TrimRight(a.name[:], "\x00")) != "vif1.0" || !bytes.Equal(a.data[:8], []byte{2, 0, 0, 0, 10, 0, 0, 1}) {
		t.Errorf("address %v", a)
	}
	if f := interfaceFlags("eth0", 0x41); f.data[0] != 0x41 || f.data[1] != 0 {
		t.Errorf("flags %v", f)
	}
	mac, err := net.ParseMAC(protocol.DomUMAC)
	if err != nil {
		t.Fatal(err)
	}
	n := neighbour("eth0", bench.Host{10, 0, 0, 2}, mac)
	if !bytes.Equal(n.protocol[:8], []byte{2, 0, 0, 0, 10, 0, 0, 2}) || n.hardware[0] != 1 || !bytes.Equal(n.hardware[2:8], mac) || n.flags != 6 || n.device[3] != '0' {
		t.Errorf("neighbour %+v", n)
	}
}

// TestNeighbourLacks: a neighbour that cannot do its part has all benchmarks skipped with
// the reason.
func TestNeighbourLacks(t *testing.T) {
	var stream bytes.Buffer
	system := linux.New(linux.Config{})
	o := protocol.Order{Plan: bench.Plan{Domains: []string{"domU"}, Benchmarks: []string{"Lmbench/lat_syscall/op=null"}, Workload: "neighbour-block", Options: bench.Options{Windows: 2}}}
	other := otherDomain{plan: o.Plan, order: func(protocol.Order) (string, error) {
		return protocol.NeighbourAnswer{Lacks: "there is no disk"}.Encode(), nil
	}}
	err := runPlan("domU", o, session{system, system, noHypervisor{}}, other, &stream, func(*reporter) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	skipped := ""
	for in := wire.NewReader(&stream); ; {
		e, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := e.(wire.Skip); ok {
			skipped += fmt.Sprintln(s.Benchmark, s.Reason)
		}
	}
	if want := "Lmbench/lat_syscall/op=null the workload cannot run: in the other domain: there is no disk\n"; skipped != want {
		t.Errorf("skipped %q, want %q", skipped, want)
	}
	if isNeighbours(bench.Plan{Workload: "busy"}) || !isNeighbours(o.Plan) {
		t.Error("whose workload it is")
	}
}
