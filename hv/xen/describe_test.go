package xen

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/faketools/fakeqemu"
	"xsmbench/hv/xen/kbuild"
	"xsmbench/hv/xen/protocol"
	"xsmbench/hv/xen/qemu"
	"xsmbench/hv/xen/source"
)

func TestDescribe(t *testing.T) {
	c := kbuild.Config{"CONFIG_XSM": "y", "CONFIG_NR_CPUS": "256", "CONFIG_XSM_SILO": "n", "CONFIG_DEBUG": "n", "CONFIG_CMDLINE": `""`}
	const want = `source=4.17.5-1 CMDLINE="" DEBUG=n NR_CPUS=256 XSM=y`
	if got := describe(c, &source.Tree{Version: "4.17.5-1"}); got != want {
		t.Errorf("described as %q, want %q", got, want)
	}
}

// TestDelay checks that rounds measure at different places between two ticks.
func TestDelay(t *testing.T) {
	if delay(0) != 0 || delay(1) != 0 {
		t.Error("the first round sleeps")
	}
	const tick = 4 * time.Millisecond
	var at []time.Duration
	for seed := range int64(10) {
		d := delay(seed + 1)
		if d > time.Second {
			t.Errorf("round %d sleeps %v", seed+1, d)
		}
		at = append(at, d%tick)
	}
	slices.Sort(at)
	if len(slices.Compact(at)) != 10 {
		t.Errorf("two rounds have their ticks at the same places: %v", at)
	}
}

func TestPanicked(t *testing.T) {
	tests := []struct{ console, want string }{
		{fakeqemu.Console, ""},
		{"", ""},
		{"(XEN) x\r\n(XEN) Panic on CPU 0:\r\n(XEN) more\r\n", "(XEN) Panic on CPU 0:"},
		{"[ 1.2] Kernel panic - not syncing: VFS", "[ 1.2] Kernel panic - not syncing: VFS"},
		{"(XEN) Domain 0 crashed: rebooting machine in 5 seconds.\n", "(XEN) Domain 0 crashed: rebooting machine in 5 seconds."},
	}
	for _, tt := range tests {
		if got, ok := panicked([]byte(tt.console)); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%.40q: %q, %v; want %q", tt.console, got, ok, tt.want)
		}
	}
}

func TestComplaint(t *testing.T) {
	tests := []struct{ console, want string }{
		{"xsmguest: early\r\nxsmguest: late\r\nreboot\r\n", "late"},
		{"xsmguest: one\ndom0 gives up: measure in domU: the domain is gone\n", "measure in domU: the domain is gone"},
		{"xsmguest: cut of", "cut of"},
		{"xsmguest: domU is gone; its console ends:\r\n(XEN) d1 destroyed\r\n| SIGSEGV: segmentation violation\r\n| \r\n| goroutine 1:\r\nreboot\r\n", "domU is gone; its console ends:\nSIGSEGV: segmentation violation\n\ngoroutine 1:"},
		{"", "it did not say why"},
	}
	for _, tt := range tests {
		if got := complaint([]byte(tt.console)); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.console, got, tt.want)
		}
	}
}

// TestKey checks what a snapshot's name depends on.
func TestKey(t *testing.T) {
	const version = "QEMU emulator version 7.2.0"
	key := func(version string, change func(*start)) string {
		s := &start{img: &hv.Image{Hash: "h", Path: "/b/xen"}, accel: qemu.ICount, vmlinux: "/v", dom0: "/i/d.img", plugin: "/p", codeMap: "/r", around: withTools()}
		if change != nil {
			change(s)
		}
		return string(s.hash(version))
	}
	same := key(version, nil)
	for name, other := range map[string]string{
		"QEMU":   key("QEMU emulator version 8.0.0", nil),
		"image":  key(version, func(s *start) { s.img.Hash = "i" }),
		"dom0":   key(version, func(s *start) { s.dom0Key = "e" }),
		"kernel": key(version, func(s *start) { s.vmlinuxHash = "e" }),
		"FPU":    key(version, func(s *start) { s.around.lazyFPU = false }),
		"policy": key(version, func(s *start) { s.around.enforceLate = true }),
		"option": key(version, func(s *start) { s.img.Build.Options = []string{"sched=credit"} }),
		"memory": key(version, func(s *start) { s.shape.idle = 1 }),
	} {
		if other == same {
			t.Errorf("another %s has the same snapshot", name)
		}
	}
	// Where files lie says nothing of what is in them.
	if key(version, func(s *start) { s.img.Path, s.vmlinux, s.dom0 = "/c/xen", "/w", "/j/d.img" }) != same {
		t.Error("the snapshot depends on where the store is")
	}
	// The plug-in and its map are the resumed machine's.
	if key(version, func(s *start) { s.plugin, s.codeMap = "/q", "/s" }) != same {
		t.Error("the snapshot depends on what counts")
	}
}

// TestKeyOfProcessor: machines with other QEMUs, or that ask them for another
// processor, have other snapshots, since they may share a store.
func TestKeyOfProcessor(t *testing.T) {
	const version = "QEMU emulator version 7.2.0"
	s := started(t, "native", qemu.ICount, scenario{})
	parts := s.decides(version)
	if !slices.Contains(parts, version) {
		t.Errorf("QEMU's version does not decide: %q", parts)
	}
	at := slices.Index(parts, "-cpu")
	if at < 0 || !strings.HasPrefix(parts[at+1], "qemu64,+3dnow,") || !strings.HasSuffix(parts[at+1], ",+xsaveopt") {
		t.Fatalf("the processor does not decide: %q", parts)
	}
	same := store.KeyOf(parts...)
	if same != s.key {
		t.Error("the snapshot's name is not that of what decides it")
	}
	for name, cpu := range map[string]string{"one feature less": strings.TrimSuffix(parts[at+1], ",+xsaveopt"), "QEMU's best": "max"} {
		other := slices.Clone(parts)
		other[at+1] = cpu
		if store.KeyOf(other...) == same {
			t.Errorf("%s: the same snapshot", name)
		}
	}
	s.accel = qemu.TCG
	if s.hash(version) == same {
		t.Error("another accelerator has the same snapshot")
	}
}

// TestResumedMachine checks that a machine that resumes differs from the one
// that was saved in nothing that its state depends on.
func TestResumedMachine(t *testing.T) {
	s := started(t, "native", qemu.ICount, scenario{})
	m := &machine{target: New(), start: s, spec: spec(), snapshot: &store.Entry{Dir: "/snapshots/x"}}
	saved, resumed := s.machine("/a", protocol.Order{Snapshot: true}), m.describe("/a", spec().Plan)
	resumed.Control, resumed.Plugin, resumed.Snapshot, resumed.FwCfg = saved.Control, saved.Plugin, saved.Snapshot, saved.FwCfg
	if a, b := strings.Join(saved.Args(), " "), strings.Join(resumed.Args(), " "); a != b {
		t.Errorf("saved   %s\nresumed %s", a, b)
	}
}

func TestQEMUVersion(t *testing.T) {
	got, err := qemuVersion(context.Background())
	if err != nil || got != "QEMU emulator version 7.2.0 (a fake)" {
		t.Errorf("version %q, %v", got, err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := qemuVersion(context.Background()); !errors.Is(err, qemu.ErrNoQEMU) {
		t.Errorf("error %v, want %v", err, qemu.ErrNoQEMU)
	}
	if _, err := patientTarget().boot(context.Background(), started(t, "native", qemu.ICount, scenario{}), spec()); !errors.Is(err, qemu.ErrNoQEMU) {
		t.Errorf("boot without QEMU: %v", err)
	}
}
