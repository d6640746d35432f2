package xen

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xsmbench/hv"
	"xsmbench/hv/child"
	"xsmbench/hv/count/code"
	"xsmbench/hv/count/window"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/protocol"
	"xsmbench/hv/xen/qemu"
)

// start is all that starting an image takes, files in the cache.
type start struct {
	img         *hv.Image
	accel       qemu.Accel
	shape       shape
	around      *surroundings
	vmlinux     string
	vmlinuxHash string
	dom0        string // initial file system
	policy      string // that is loaded instead of the image's own, "" for none
	marks       []window.Marks
	code        *code.Map
	codeMap     string // the same, as the plug-in reads it
	plugin      string
	dom0Key     store.Key
	key         store.Key // of the snapshot
}

func accelOf(name string) qemu.Accel {
	if name == "" {
		return qemu.ICount
	}
	return qemu.Accel(name)
}

// Starts fails if QEMU is missing, or KVM, where it is asked for.
func (*Target) Starts(_ hv.Build, accel string) error {
	if _, err := exec.LookPath(qemu.Program); err != nil {
		return qemu.ErrNoQEMU
	}
	return starts(accelOf(accel))
}

func starts(accel qemu.Accel) error {
	if accel == qemu.KVM {
		return virtualises()
	}
	return nil
}

// start readies what a boot needs.
func (t *Target) start(ctx context.Context, img *hv.Image, spec hv.BootSpec, progress func(string)) (*start, error) {
	accel := accelOf(spec.Accel)
	if err := starts(accel); err != nil {
		return nil, err
	}
	k, err := t.kernel(ctx, img.Build.Packages, progress)
	if err != nil {
		return nil, err
	}
	around, err := t.around.get(img)
	if err != nil {
		return nil, err
	}
	s := &start{img: img, accel: accel, shape: shapeOf(spec), around: around, vmlinux: k.vmlinux, vmlinuxHash: k.vmlinuxHash}
	if s.policy, err = t.policyFile(img); err != nil {
		return nil, err
	}
	e, err := t.equip(ctx, spec.Plan, img.Build.Packages, k, around.tools, progress)
	if err != nil {
		return nil, err
	}
	if err := t.compose(ctx, s, k, e, progress); err != nil {
		return nil, err
	}
	if accel != qemu.ICount {
		return s, nil
	}
	if err := t.readyCounting(ctx, s); err != nil {
		return nil, err
	}
	version, err := qemuVersion(ctx)
	if err != nil {
		return nil, err
	}
	s.key = s.hash(version)
	return s, nil
}

// guestImages are initial file systems.
var guestImages = store.Register(store.Kind{
	Name: "guest-images", Doc: "initial file systems of dom0, with what its domUs boot from", Bound: 1 << 30,
	Local: "they are composed in memory before the store is asked",
})

// dom0File is an entry's file.
const dom0File = "dom0.img"

// compose makes dom0's initial file system. It is named by its content: what
// decides that is this program, too, whose code has no other name.
func (t *Target) compose(ctx context.Context, s *start, k *kernel, e *equipment, progress func(string)) error {
	a, err := t.agents(ctx, s.img.Build.Arch, progress)
	if err != nil {
		return err
	}
	s.marks = a.marks
	name := strings.Join([]string{s.img.Build.Arch, s.shape.String(), s.around.id(), guestsFrom(s.img.Build.Packages).String(), s.img.Build.Label, e.id()}, " ")
	entry, err := t.images.get(ctx, name, func(ctx context.Context) (*store.Entry, error) {
		data, err := dom0Image(ctx, k, s.around, a, s.shape, s.img.Build.Label, e)
		if err != nil {
			return nil, err
		}
		return t.keep(ctx, guestImages, "dom0's initial file system", dom0File, data)
	})
	if err != nil {
		return err
	}
	s.dom0, s.dom0Key = entry.Path(dom0File), entry.Key
	return nil
}

// keep puts data into the store under the hash of its content.
func (t *Target) keep(ctx context.Context, k store.Kind, what, name string, data []byte) (*store.Entry, error) {
	s, err := t.store()
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, k, store.KeyOf(name, string(data)), store.Recipe{What: what, Make: func(_ context.Context, dir string) error {
		return os.WriteFile(filepath.Join(dir, name), data, 0o644)
	}})
}

// codeMaps are what the plug-in charges instructions to.
var codeMaps = store.Register(store.Kind{
	Name: "code-maps", Doc: "address ranges of a hypervisor's functions and hooks, as the plug-in reads them", Bound: 100 << 20,
	Local: "they are read from the build before the store is asked",
})

// codeFile is an entry's file.
const codeFile = "code"

// mapped is an image's code map, and the file that the plug-in reads.
type mapped struct {
	code    *code.Map
	path    string
	release func()
}

// readyCounting readies what the plug-in needs.
func (t *Target) readyCounting(ctx context.Context, s *start) error {
	st, err := t.store()
	if err != nil {
		return err
	}
	plugin, err := window.BuildPlugin(ctx, st, qemu.Program)
	if err != nil {
		return err
	}
	s.plugin = plugin.Path(window.PluginFile)
	m, err := t.maps.get(ctx, s.img.Hash, func(ctx context.Context) (*mapped, error) { return t.mapCode(ctx, s.img) })
	if err != nil {
		return err
	}
	s.code, s.codeMap = m.code, m.path
	return nil
}

// mapCode keeps the map of an image's code for the plug-in.
func (t *Target) mapCode(ctx context.Context, img *hv.Image) (*mapped, error) {
	m, err := t.readSymbols(ctx, symsOf(img))
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	if err := m.WriteMap(&text); err != nil {
		return nil, err
	}
	entry, err := t.keep(ctx, codeMaps, "a code map", codeFile, []byte(text.String()))
	if err != nil {
		return nil, err
	}
	return &mapped{m, entry.Path(codeFile), entry.Release}, nil
}

// hash names the snapshot by everything that the machine's state depends on.
func (s *start) hash(version string) store.Key { return store.KeyOf(s.decides(version)...) }

// decides is what the machine's state depends on: what is booted, QEMU's version,
// and QEMU's arguments, the features of the processor among them. Where files lie is
// not part of it.
func (s *start) decides(version string) []string {
	m := s.machine("/", s.snapshotOrder())
	m.Xen, m.Modules = "xen", slices.Clone(m.Modules)
	for i := range m.Modules {
		m.Modules[i].Path = "module"
	}
	return append([]string{"snapshot", s.img.Hash, version, string(s.dom0Key), s.vmlinuxHash}, m.Args()...)
}

// snapshotOrder asks for the snapshot. Builds that the user has named
// themselves, as controls are, come there with a delay of their own: a
// control is then another boot, not the same one twice.
func (s *start) snapshotOrder() protocol.Order {
	o := protocol.Order{Snapshot: true}
	if b := s.img.Build; b.Name != b.KindOf() {
		h := fnv.New32a()
		h.Write([]byte(b.Name))
		o.Delay = time.Duration(h.Sum32()%mostBootDelay) * time.Microsecond
	}
	return o
}

// mostBootDelay is in microseconds, some timer ticks.
const mostBootDelay = 20000

// machine describes the machine; dir receives its files.
func (s *start) machine(dir string, o protocol.Order) qemu.Machine {
	o.Enforce = s.around.late(modeOf(s.img.Build))
	text, err := o.Encode()
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	modules := []qemu.Module{{Path: s.vmlinux, CmdLine: kernelArgs}, {Path: s.dom0}}
	if s.policy != "" { // Xen looks for its magic in all modules but the first, the last one first
		modules = append(modules, qemu.Module{Path: s.policy})
	}
	return qemu.Machine{
		Accel: s.accel, CPUs: s.shape.processors(), MemoryMB: machineMemory + s.shape.idle*idleMemory,
		Xen:         s.img.Path,
		CmdLine:     s.around.commandLine(s.img.Build, s.shape),
		Modules:     modules,
		Console:     filepath.Join(dir, "console"),
		Results:     filepath.Join(dir, "results"),
		ResultsPort: protocol.ResultsPort,
		ExitPort:    protocol.ExitPort,
		FwCfg:       map[string]string{protocol.OrderFile: text},

		PauseOnPanic: s.accel == qemu.ICount,
		Paused:       s.accel == qemu.ICount,
	}
}

func qemuVersion(ctx context.Context) (string, error) {
	out, err := child.Output(exec.CommandContext(ctx, qemu.Program, "--version"))
	if errors.Is(err, exec.ErrNotFound) {
		return "", qemu.ErrNoQEMU
	}
	if err != nil {
		return "", fmt.Errorf("ask QEMU for its version: %w", err)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return first, nil
}

// errNoVirtualisation is the cause when KVM is asked for and of no use.
var errNoVirtualisation = errors.New("this processor shows neither vmx nor svm, so KVM cannot be used; use --accel icount, which does not need it")

// virtualises fails unless KVM can be used. A /dev/kvm may exist without
// hardware behind it.
func virtualises() error {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return fmt.Errorf("look for KVM: %w", err)
	}
	words := strings.Fields(string(text))
	has := false
	for _, w := range words {
		has = has || w == "vmx" || w == "svm"
	}
	if !has {
		return errNoVirtualisation
	}
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("look for KVM: %w", err)
	}
	return f.Close()
}
