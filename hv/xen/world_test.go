package xen

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/count/code"
	"xsmbench/hv/count/window"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/hypercall"
	"xsmbench/hv/xen/faketools/fakeqemu"
	"xsmbench/hv/xen/qemu"
	"xsmbench/workloads"
)

func init() {
	for _, b := range []bench.Benchmark{
		{Name: "plain"},
		{Name: "less", Baseline: func(bench.Domain) (bench.Loop, func(), error) { return nil, nil, nil }},
		{Name: "control", Dom0Only: true},
		{Name: "fails"},
	} {
		b.Suite, b.Doc, b.Source, b.Unit = "Target", "a test's", "none", "ns/op"
		b.Setup = func(bench.Domain) (bench.Loop, func(), error) { return nil, nil, errors.New("not run") }
		bench.Register(b)
	}
}

var benchmarks = []string{"Target/plain", "Target/less", "Target/control"}

func spec() hv.BootSpec {
	return hv.BootSpec{Plan: bench.Plan{
		Domains: []string{"dom0", "domU"}, Benchmarks: benchmarks,
		Options: bench.Options{Windows: windows}, Workload: workloads.Default,
	}, Seed: 1}
}

// patient are limits that no test but those of limits meets.
var patient = limits{boot: time.Minute, silence: time.Minute, measure: time.Minute}

// patientTarget is a target with those.
func patientTarget() *Target {
	t := New()
	t.limits = patient
	t.running = newPlaces(4)
	return t
}

// xenCode is a hypervisor that the tests' windows fit.
var xenCode = &code.Map{
	Cells: []code.Cell{
		{Function: "do_event_channel_op"}, {Function: "do_event_channel_op", Hook: "evtchn_send"},
		{Function: "flask_evtchn_send"}, {Function: "common_interrupt", Probe: true},
	},
	Handlers: []string{"do_event_channel_op"}, Hooks: []string{"evtchn_send"},
}

// started is a start of a fake image; the fake QEMU plays a scenario for it.
func started(t *testing.T, build string, accel qemu.Accel, play scenario) *start {
	t.Helper()
	dir := filepath.Join(t.TempDir(), build)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := startIn(dir, build, accel)
	content := ""
	if build == "flask" {
		content = fakeqemu.Flask
	}
	if err := os.WriteFile(s.img.Path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	setScenario(t, s, play)
	t.Cleanup(func() {
		for _, pid := range pids(s) {
			if !gone(pid) {
				t.Errorf("QEMU %s lives on", pid)
			}
		}
	})
	return s
}

// startIn is the start of an image in a directory.
func startIn(dir, build string, accel qemu.Accel) *start {
	s := &start{
		img:   &hv.Image{Build: hv.Build{Name: build, Arch: "amd64"}, Hash: dir, Path: filepath.Join(dir, "xen")},
		accel: accel, shape: shapeOf(hv.BootSpec{}), vmlinux: "/parts/vmlinux", dom0: "/images/dom0.img",
		around: withTools(),
		marks:  []window.Marks{{Domain: "dom0", Base: 0x10000000, Slots: 1024}},
		code:   xenCode, codeMap: "/plugin/code", plugin: "/plugin/window.so",
	}
	s.key = s.hash("QEMU emulator version 7.2.0")
	return s
}

// withTools are the surroundings of a tree whose toolstack is there.
func withTools() *surroundings {
	return &surroundings{tools: &toolstack{version: "4.17"}, iface: &hypercall.Interface{}, lazyFPU: true}
}

// lookupSnapshot finds a start's snapshot in the store.
func lookupSnapshot(t *testing.T, s *start) (*store.Entry, error) {
	t.Helper()
	st, err := store.Default()
	if err != nil {
		t.Fatal(err)
	}
	e, err := st.Lookup(snapshots, s.key)
	if err == nil {
		t.Cleanup(e.Release)
	}
	return e, err
}

func setScenario(t *testing.T, s *start, play scenario) {
	t.Helper()
	if err := play.Write(s.img.Path); err != nil {
		t.Fatal(err)
	}
}

// pids are those of the QEMUs that ran an image.
func pids(s *start) []string { return fakeqemu.Started(s.img.Path) }

func gone(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	_, rest, _ := strings.Cut(string(stat), ") ")
	return err != nil || strings.HasPrefix(rest, "Z")
}

// whole boots and measures.
func whole(ctx context.Context, t *Target, s *start, spec hv.BootSpec) ([]bench.Measurement, error) {
	m, err := t.boot(ctx, s, spec)
	if err != nil {
		return nil, err
	}
	var got []bench.Measurement
	err = m.Measure(ctx, func(s bench.Measurement) error { got = append(got, s); return nil })
	return got, errors.Join(err, m.Close())
}
