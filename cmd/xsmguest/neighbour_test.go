//go:build linux && (amd64 || 386)

package main

import (
	"errors"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv/xen/domain/linux"
	"xsmbench/hv/xen/protocol"
)

// TestNeighbour has one domain order the other, without xenstore between them: to do a
// workload and what a benchmark does, to tell how much, and to stop.
func TestNeighbour(t *testing.T) {
	system := linux.New(linux.Config{Mortal: true})
	own := part{session: session{system, system, noHypervisor{}}}
	defer own.stop()
	other := otherDomain{plan: bench.Plan{Workload: "neighbour-busy"}, order: func(o protocol.Order) (string, error) { return own.obey(o), nil }}
	if _, err := other.Did(); err == nil || err.Error() != "in the other domain: no workload runs" {
		t.Errorf("before it starts: %v", err)
	}
	null, ok := bench.Find("Lmbench/lat_syscall/op=null")
	if !ok {
		t.Fatal("there is no lat_syscall")
	}
	for name, start := range map[string]func() (bench.Load, error){
		"a workload":          func() (bench.Load, error) { return other.start(nil) },
		"what is measured":    func() (bench.Load, error) { return other.same(null) },
		"what is measured, 2": func() (bench.Load, error) { return other.same(null) },
	} {
		load, err := start()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if did, err := load.Did(); err != nil || did.Tasks == 0 {
			t.Errorf("%s: did %v, %v", name, did, err)
		}
		load.Stop()
		if own.load != nil {
			t.Errorf("%s: it goes on", name)
		}
	}
}

// TestNeighbourFails: what the other domain lacks is no error of this one's, what goes wrong is.
func TestNeighbourFails(t *testing.T) {
	var lack *bench.LackError
	if _, err := (otherDomain{}).start(nil); !errors.As(err, &lack) || lack.Reason != "there is no other domain" {
		t.Errorf("alone: %v", err)
	}
	answer, broken := "", error(nil)
	other := otherDomain{order: func(protocol.Order) (string, error) { return answer, broken }}
	answer = protocol.NeighbourAnswer{Lacks: "no disk"}.Encode()
	if _, err := other.start(nil); !errors.As(err, &lack) || lack.Reason != "in the other domain: no disk" {
		t.Errorf("lacks: %v", err)
	}
	for _, tt := range []struct {
		answer string
		broken error
		want   string
	}{
		{protocol.NeighbourAnswer{Error: "it died"}.Encode(), nil, "in the other domain: it died"},
		{"?", nil, "decode a neighbour's answer: "},
		{"", errors.New("no xenstore"), "have the other domain tell its workload: no xenstore"},
	} {
		answer, broken = tt.answer, tt.broken
		if _, err := other.Did(); err == nil || !strings.HasPrefix(err.Error(), tt.want) || errors.As(err, &lack) {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}
