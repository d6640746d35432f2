package xen

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"xsmbench/hv"
	"xsmbench/hv/count/code"
	"xsmbench/hv/count/window"
	"xsmbench/hv/xen/protocol"
	"xsmbench/hv/xen/qemu"
	"xsmbench/hv/xen/symbols"
)

// start is all that starting an image takes, files in the cache.
type start struct {
	img     *hv.Image
	accel   qemu.Accel
	shape   shape
	vmlinux string
	dom0    string // initial file system
	marks   []window.Marks
	code    *code.Map
	codeMap string // the same, as the plug-in reads it
	plugin  string
	key     string // hash of what decides the state of a snapshot
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
	p, err := t.parts(ctx, progress)
	if err != nil {
		return nil, err
	}
	s := &start{img: img, accel: accel, shape: shapeOf(spec), vmlinux: p.vmlinux}
	if err := t.compose(ctx, s, p, progress); err != nil {
		return nil, err
	}
	if accel != qemu.ICount {
		return s, nil
	}
	if err := s.readyCounting(ctx); err != nil {
		return nil, err
	}
	version, err := qemuVersion(ctx)
	if err != nil {
		return nil, err
	}
	s.key, err = s.hash(version)
	return s, err
}

// compose makes dom0's initial file system, once for each shape.
func (t *Target) compose(ctx context.Context, s *start, p *parts, progress func(string)) error {
	a, err := t.agents(ctx, s.img.Build.Arch, progress)
	if err != nil {
		return err
	}
	s.marks = a.marks
	defer t.alone("images")()
	dir, err := cacheDir("images")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %v %v %s", a.hash, p.versions, s.shape, composition))
	s.dom0 = filepath.Join(dir, hex.EncodeToString(sum[:16])+".img")
	now := time.Now()
	if os.Chtimes(s.dom0, now, now) == nil { // there, and used: kept longer
		return nil
	}
	progress("guests: composing dom0 and domU")
	data, err := dom0Image(p, a, s.shape)
	if err != nil {
		return err
	}
	defer prune(filepath.Join(dir, "*.img"), "", now)
	return renameio.WriteFile(s.dom0, data, 0o644)
}

// composition stands for what dom0Image does; it changes with it.
const composition = "2"

// readyCounting readies what the plug-in needs.
func (s *start) readyCounting(ctx context.Context) error {
	var err error
	if s.code, err = symbols.Read(symsOf(s.img)); err != nil {
		return err
	}
	dir, err := cacheDir("plugin")
	if err != nil {
		return err
	}
	if s.plugin, err = window.BuildPlugin(ctx, dir); err != nil {
		return err
	}
	var text strings.Builder
	if err := s.code.WriteMap(&text); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(text.String()))
	s.codeMap = filepath.Join(dir, "code-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(s.codeMap); err == nil {
		return nil
	}
	return renameio.WriteFile(s.codeMap, []byte(text.String()), 0o644)
}

// hash names the snapshot: everything that the machine's state depends on.
func (s *start) hash(version string) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%s\n%s\n", s.img.Hash, version, filepath.Base(s.dom0), strings.Join(s.machine("/", s.snapshotOrder()).Args(), "\n"))
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
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
	text, err := o.Encode()
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return qemu.Machine{
		Accel: s.accel, CPUs: 1, MemoryMB: machineMemory + s.shape.idle*idleMemory,
		Xen: s.img.Path,
		CmdLine: fmt.Sprintf("console=com1 com1=115200,8n1 dom0_mem=%dM,max:%dM dom0_max_vcpus=1 flask=enforcing",
			dom0Memory, dom0Memory+dom0Spare),
		Modules:     []qemu.Module{{Path: s.vmlinux, CmdLine: kernelArgs}, {Path: s.dom0}},
		Console:     filepath.Join(dir, "console"),
		Results:     filepath.Join(dir, "results"),
		ResultsPort: protocol.ResultsPort,
		ExitPort:    protocol.ExitPort,
		FwCfg:       map[string]string{protocol.OrderFile: text},

		PauseOnPanic: s.accel == qemu.ICount,
	}
}

func qemuVersion(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, qemu.Program, "--version").Output()
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
var errNoVirtualisation = errors.New("this processor shows neither vmx nor svm, so that KVM is of no use here; --accel icount counts instructions without it")

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
