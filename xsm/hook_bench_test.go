package xsm

import (
	"testing"
	"time"

	"xsmbench/abi"
)

// The sites below have the shape of a hypercall that asks a hook: a call, a
// test of its result, some state. All three stand in one binary, so that one
// run compares them on equal terms whatever the build tags are.

// port is the state behind a site.
type port struct {
	evtchn  Evtchn
	pending uint64
}

// foldedEvtchnSend is what the native wrapper is.
func foldedEvtchnSend(cur *VCPU, d *Domain, chn *Evtchn) abi.Errno { return 0 }

//go:noinline
func sendNative(cur *VCPU, d *Domain, p *port) abi.Errno {
	if rc := foldedEvtchnSend(cur, d, &p.evtchn); rc != 0 {
		return rc
	}
	p.pending++
	return 0
}

//go:noinline
func sendTable(cur *VCPU, d *Domain, p *port) abi.Errno {
	if rc := ops.Load().EvtchnSend(cur, d, &p.evtchn); rc != 0 {
		return rc
	}
	p.pending++
	return 0
}

//go:noinline
func sendWrapper(cur *VCPU, d *Domain, p *port) abi.Errno {
	if rc := EvtchnSend(cur, d, &p.evtchn); rc != 0 {
		return rc
	}
	p.pending++
	return 0
}

// BenchmarkHook gives the cost of a hook by the difference to build=native.
// build=wrapper is the site as these build tags make it.
func BenchmarkHook(b *testing.B) {
	withDummy(b)
	sites := []struct {
		name string
		send func(*VCPU, *Domain, *port) abi.Errno
	}{
		{"native", sendNative},
		{"dummy", sendTable},
		{"wrapper", sendWrapper},
	}
	for _, s := range sites {
		b.Run("build="+s.name, func(b *testing.B) {
			d := &Domain{}
			cur, p := &VCPU{Domain: d}, &port{}
			for b.Loop() {
				if rc := s.send(cur, d, p); rc != 0 {
					b.Fatal(rc)
				}
			}
		})
	}
}

// BenchmarkHookExtra gives what the table adds to the native site, by short
// windows of both in turn: on a busy machine the quickest window of each is
// the one that nothing disturbed.
func BenchmarkHookExtra(b *testing.B) {
	withDummy(b)
	const calls = 20000 // per window, some 50 µs
	d := &Domain{}
	cur, p := &VCPU{Domain: d}, &port{}
	window := func(send func(*VCPU, *Domain, *port) abi.Errno) time.Duration {
		begin := time.Now()
		for range calls {
			if rc := send(cur, d, p); rc != 0 {
				b.Fatal(rc)
			}
		}
		return time.Since(begin)
	}
	native, dummy := window(sendNative), window(sendTable)
	for b.Loop() {
		native = min(native, window(sendNative))
		dummy = min(dummy, window(sendTable))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(native.Nanoseconds())/calls, "native-ns/call")
	b.ReportMetric(float64(dummy.Nanoseconds())/calls, "dummy-ns/call")
	b.ReportMetric(float64((dummy-native).Nanoseconds())/calls, "extra-ns/hook")
}
