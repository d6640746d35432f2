package qemu

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func machine(change func(*Machine)) Machine {
	m := Machine{
		Accel: ICount, CPUs: 1, MemoryMB: 1024, Xen: "/x/xen", CmdLine: "console=com1", Console: "/r/console",
		Modules: []Module{{"/x/vmlinux", "console=hvc0 quiet"}, {"/x/dom0.img", ""}},
	}
	if change != nil {
		change(&m)
	}
	return m
}

// has tells whether args hold want's words in a row.
func has(args []string, want ...string) bool {
	return strings.Contains("\x00"+strings.Join(args, "\x00")+"\x00", "\x00"+strings.Join(want, "\x00")+"\x00")
}

func TestArgs(t *testing.T) {
	want := []string{
		"-nodefaults", "-display", "none", "-no-reboot", "-cpu", (Machine{}).cpuModel(),
		"-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", "1",
		"-smp", "1", "-m", "1024", "-kernel", "/x/xen", "-append", "console=com1",
		"-initrd", "/x/vmlinux console=hvc0 quiet,/x/dom0.img", "-serial", "file:/r/console",
	}
	if d := cmp.Diff(want, machine(nil).Args()); d != "" {
		t.Error(d)
	}
}

func TestArgsVariants(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Machine)
		want   []string
		absent string
	}{
		{"tcg has the host's time", func(m *Machine) { m.Accel = TCG }, []string{"-cpu", (Machine{}).cpuModel(), "-accel", "tcg"}, "-icount"},
		{"kvm", func(m *Machine) { m.Accel = KVM }, []string{"-cpu", "host", "-accel", "kvm"}, "-icount"},
		{"commas in a module's arguments are doubled", func(m *Machine) { m.Modules[0].CmdLine = "a=1,2" },
			[]string{"-initrd", "/x/vmlinux a=1,,2,/x/dom0.img"}, ""},
		{"control", func(m *Machine) { m.Control = "/r/qmp" }, []string{"-qmp", "unix:/r/qmp,server=on,wait=off"}, ""},
		{"firmware values in a stable order", func(m *Machine) { m.FwCfg = map[string]string{"plan": "a,b", "delay": "7"} },
			[]string{"-fw_cfg", "name=opt/xsmbench/delay,string=7", "-fw_cfg", "name=opt/xsmbench/plan,string=a,,b"}, ""},
		{"plug-in", func(m *Machine) { m.Plugin = &Plugin{"/p.so", []string{"out=/r/w", "map=/r/m"}} },
			[]string{"-plugin", "/p.so,out=/r/w,map=/r/m"}, ""},
		{"resume", func(m *Machine) { m.Snapshot = "/c/it's" }, []string{"-incoming", `exec:cat '/c/it'"'"'s'`}, ""},
		{"results", func(m *Machine) { m.Results, m.ResultsPort = "/r/results", 0xe9 },
			[]string{"-chardev", "file,id=results,path=/r/results", "-device", "isa-debugcon,iobase=0xe9,chardev=results"}, ""},
		{"turns of two processors", func(m *Machine) { m.CPUs, m.Turn = 2, 1 },
			[]string{"-netdev", "hubport,id=turns,hubid=0", "-object", "filter-buffer,id=turn,netdev=turns,interval=1"}, ""},
		{"one processor has no turns", func(m *Machine) { m.Turn = 1 }, []string{"-smp", "1"}, "-netdev"},
		{"turns that guests end", func(m *Machine) { m.CPUs = 2 }, []string{"-smp", "2"}, "-netdev"},
		{"a port that ends it", func(m *Machine) { m.ExitPort = 0xf4 }, []string{"-device", "isa-debug-exit,iobase=0xf4,iosize=1"}, ""},
		{"snapshot point", func(m *Machine) { m.PauseOnPanic = true }, []string{"-device", "pvpanic", "-action", "panic=pause"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := machine(tt.change).Args()
			if !has(args, tt.want...) {
				t.Errorf("%q not in %q", tt.want, args)
			}
			if tt.absent != "" && has(args, tt.absent) {
				t.Errorf("%q in %q", tt.absent, args)
			}
		})
	}
}

func TestCommandLine(t *testing.T) {
	got := machine(nil).CommandLine()
	if !strings.HasPrefix(got, Program+" -nodefaults") || !strings.Contains(got, "-initrd '/x/vmlinux console=hvc0 quiet,/x/dom0.img'") {
		t.Error(got)
	}
}

func TestSlowDown(t *testing.T) {
	if KVM.SlowDown() >= TCG.SlowDown() || TCG.SlowDown() >= ICount.SlowDown() {
		t.Error("waits do not grow with the accelerator's slowness")
	}
}

// TestFeatures: what TCG has and Xen, its clock or repetition cannot take is not
// on, nor what only later versions of QEMU have.
func TestFeatures(t *testing.T) {
	if !slices.IsSorted(features) || len(slices.Compact(slices.Clone(features))) != len(features) {
		t.Errorf("features are not sorted: %v", features)
	}
	model := Machine{Accel: ICount}.cpuModel()
	for _, f := range []string{"smap", "x2apic", "rdrand", "rdseed", "pcommit", "fsrm", "rdpid", "sha-ni", "null-sel-clr-base"} {
		if slices.Contains(features, f) || strings.Contains(model, "+"+f+",") {
			t.Errorf("%s is on: %s", f, model)
		}
	}
	if !strings.HasPrefix(model, "qemu64,+3dnow,") || !strings.Contains(model, ",+svm,") || !strings.HasSuffix(model, ",+xsaveopt") {
		t.Errorf("the processor is %s", model)
	}
	for accel, want := range map[Accel]string{KVM: "KVM, processor host", TCG: "TCG, processor qemu64 with the ", ICount: "its clock counts instructions, processor qemu64 with the "} {
		if got := (Machine{Accel: accel}).Processor(); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", accel, got, want)
		}
	}
}
