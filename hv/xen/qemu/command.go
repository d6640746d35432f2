// Package qemu runs the real Xen in QEMU: its command line composed of small
// values, its console, its control channel, and its death.
package qemu

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// Accel is how QEMU executes the guest's instructions.
type Accel string

// Accelerators.
const (
	// ICount executes under TCG with virtual time advancing by one
	// nanosecond per instruction: two runs of one image are identical.
	ICount Accel = "icount"
	// TCG executes under TCG with the host's time.
	TCG Accel = "tcg"
	// KVM executes on the host's processor.
	KVM Accel = "kvm"
)

// SlowDown is how much longer than under KVM a wait may take.
func (a Accel) SlowDown() int {
	switch a {
	case KVM:
		return 1
	case TCG:
		return 10
	}
	return 20
}

// Module is a multiboot module: a file and its command line.
type Module struct{ Path, CmdLine string }

// Plugin is a TCG plug-in with its arguments.
type Plugin struct {
	Path string
	Args []string // key=value
}

// Machine is a PC that boots Xen.
type Machine struct {
	Accel Accel
	CPUs  int // physical CPUs that Xen sees
	// Turn is how many microseconds a CPU executes before it is the next one's turn,
	// under ICount; 0 leaves that to the guest's timers and pauses.
	Turn     int
	MemoryMB int
	Xen      string   // the hypervisor's uncompressed multiboot image
	CmdLine  string   // the hypervisor's
	Modules  []Module // dom0's kernel, then its initramfs, then others
	Console  string   // file that receives the serial console
	Control  string   // path of the QMP socket
	Plugin   *Plugin
	// FwCfg are values that a guest reads from QEMU's firmware device; a
	// resumed machine finds those of the new command line.
	FwCfg map[string]string
	// Snapshot, if not empty, is loaded in place of a boot. The machine then
	// stands still, as it did when it was saved, until Monitor.Resume.
	Snapshot string
	// Results, if not empty, is a file that receives what dom0 writes to the
	// debug console at port ResultsPort.
	Results     string
	ResultsPort uint16
	// ExitPort, if not 0, is a port by which dom0 ends QEMU: a value v there
	// makes QEMU's exit status 2v+1.
	ExitPort uint16
	// PauseOnPanic stops the machine when a guest reports a panic through
	// the pvpanic port; that is how a guest asks for a snapshot.
	PauseOnPanic bool
	// Paused has the machine stand still at first, until Monitor.Begin.
	Paused bool
}

// features are those of the processor under TCG: what the model "max" has in QEMU
// 7.2. That model itself has more from version to version (fsrm, rdpid, sha-ni and
// others until 10.0; null-sel-clr-base and no-nested-data-bp in 11.1), and Xen and
// Linux choose their code by it. Named one by one they are the same everywhere.
//
// Left out are SMAP, with which QEMU 7.2 faults the far return by which Xen starts
// a paravirtual guest; x2APIC, which TCG has from QEMU 9 on: under icount, QEMU 10
// ends with "Bad icount read" when Xen sets a timer by it; the sources of
// randomness rdrand and rdseed; ERMS, with which Linux copies and clears memory
// byte by byte, each one an instruction; and pcommit, which no processor has.
var features = strings.Fields(`
	3dnow 3dnowext abm acpi adx aes apic arat avx avx2 bmi1 bmi2 clflush clflushopt clwb cmov
	cr8legacy cx16 cx8 de f16c fma fpu fsgsbase fxsr hypervisor la57 lahf-lm lm mca mce mmx
	mmxext monitor movbe mpx msr mtrr npt nx pae pat pclmulqdq pdpe1gb pge pks pku pni popcnt pse
	pse36 rdtscp sep smep ss sse sse2 sse4.1 sse4.2 sse4a ssse3 svm svme-addr-chk syscall tsc umip
	vaes vgif xgetbv1 xsave xsaveopt
`)

// cpuModel is the processor as QEMU's command line has it.
func (m Machine) cpuModel() string {
	if m.Accel == KVM {
		return "host"
	}
	return "qemu64,+" + strings.Join(features, ",+")
}

// Processor says in words what executes the machine.
func (m Machine) Processor() string {
	processor := fmt.Sprintf("processor qemu64 with the %d features that TCG has in QEMU 7.2, without smap, rdrand and rdseed", len(features))
	switch m.Accel {
	case KVM:
		return "KVM, processor host"
	case TCG:
		return "TCG, " + processor
	}
	return "TCG in one thread, its clock counts instructions, " + processor
}

// Args composes QEMU's arguments.
func (m Machine) Args() []string {
	args := []string{"-nodefaults", "-display", "none", "-no-reboot", "-cpu", m.cpuModel()}
	switch m.Accel {
	case KVM:
		args = append(args, "-accel", "kvm")
	case TCG:
		args = append(args, "-accel", "tcg")
	default:
		args = append(args, "-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off",
			"-rtc", "base=2026-01-01,clock=vm", "-seed", "1")
	}
	if m.Paused {
		args = append(args, "-S")
	}
	args = append(args, "-smp", fmt.Sprint(m.CPUs), "-m", fmt.Sprint(m.MemoryMB))
	args = append(args, "-kernel", m.Xen, "-append", m.CmdLine, "-initrd", m.initrd())
	args = append(args, "-serial", "file:"+m.Console)
	args = append(args, m.turns()...)
	if m.Control != "" {
		_, name := socketName(m.Control)
		args = append(args, "-qmp", "unix:"+escape(name)+",server=on,wait=off")
	}
	if m.Results != "" {
		args = append(args, "-chardev", "file,id=results,path="+escape(m.Results),
			"-device", fmt.Sprintf("isa-debugcon,iobase=%#x,chardev=results", m.ResultsPort))
	}
	if m.ExitPort != 0 {
		args = append(args, "-device", fmt.Sprintf("isa-debug-exit,iobase=%#x,iosize=1", m.ExitPort))
	}
	if m.PauseOnPanic {
		args = append(args, "-device", "pvpanic", "-action", "panic=pause")
	}
	for _, name := range slices.Sorted(maps.Keys(m.FwCfg)) {
		args = append(args, "-fw_cfg", "name=opt/xsmbench/"+name+",string="+escape(m.FwCfg[name]))
	}
	if m.Plugin != nil {
		args = append(args, "-plugin", strings.Join(append([]string{m.Plugin.Path}, m.Plugin.Args...), ","))
	}
	if m.Snapshot != "" {
		args = append(args, "-incoming", "exec:cat "+shellescape.Quote(m.Snapshot))
	}
	return args
}

// turns ends turns after a while: QEMU ends one when a timer of the virtual time is due,
// whatever that does. A filter of packets that passes them on every so often has such
// a timer; there is no network card, so that it has nothing to do, and no guest sees it.
func (m Machine) turns() []string {
	if m.Accel != ICount || m.CPUs < 2 || m.Turn == 0 {
		return nil
	}
	return []string{"-netdev", "hubport,id=turns,hubid=0", "-object", fmt.Sprintf("filter-buffer,id=turn,netdev=turns,interval=%d", m.Turn)}
}

// initrd is QEMU's list of multiboot modules: path and arguments, separated by
// commas, which are doubled inside an argument.
func (m Machine) initrd() string {
	var modules []string
	for _, mod := range m.Modules {
		s := mod.Path
		if mod.CmdLine != "" {
			s += " " + mod.CmdLine
		}
		modules = append(modules, escape(s))
	}
	return strings.Join(modules, ",")
}

// CommandLine is the arguments as a shell would take them, for people who
// want to repeat a run.
func (m Machine) CommandLine() string {
	return shellescape.QuoteCommand(append([]string{Program}, m.Args()...))
}

// Program is QEMU's name.
const Program = "qemu-system-x86_64"

// escape doubles the commas of a value in an option list.
func escape(s string) string { return strings.ReplaceAll(s, ",", ",,") }
