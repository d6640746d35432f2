package xen

import (
	"context"
	"fmt"
	"path/filepath"

	"xsmbench/hv"
	"xsmbench/hv/xen/domain/hypercall"
	"xsmbench/hv/xen/image"
	"xsmbench/hv/xen/protocol"
)

// modules are the kernel modules that a domain loads.
var modules = []string{"xenfs", "xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd"}

// moduleArgs are modules' arguments, by file. In a domU the device for
// hypercalls refuses them otherwise.
var moduleArgs = map[string]string{
	"xen-privcmd.ko": "unrestricted=1",
	"brd.ko":         fmt.Sprintf("rd_nr=1 rd_size=%d", diskSize<<10),
}

// kernelArgs make two starts of a guest kernel alike, and quick. The last is
// for the agent's environment: its run-time system must not stop goroutines by
// signals, since one might hit a window.
const kernelArgs = "console=hvc0 nokaslr norandmaps randomize_kstack_offset=off quiet panic=1 cryptomgr.notests=1 rodata=off rdinit=/init GODEBUG=asyncpreemptoff=1"

// shape is what a user may choose about the domUs.
type shape struct {
	domU string // "pv", "pvh", "hvm"
	idle int    // domUs that do nothing
	cpus int    // physical processors that domains use
	gap  int    // idle ones between them
}

// String names the shape.
func (s shape) String() string { return fmt.Sprintf("%s %d %d+%d", s.domU, s.idle, s.cpus, s.gap) }

func shapeOf(spec hv.BootSpec) shape {
	s := shape{domU: spec.DomU, idle: spec.Idle, cpus: max(1, spec.CPUs)}
	if s.cpus > 1 && hasNeighbour(spec.Plan) {
		s.gap = 1
	}
	if s.domU == "" {
		s.domU = "pv"
	}
	return s
}

// memory in MiB. A domU of 96 MiB has a kernel with 45 MiB to give away, of which the agent leaves so
// little that kswapd is woken by one allocation or another, and then by each.
const (
	machineMemory = 1024
	dom0Memory    = 512
	dom0Spare     = 16 // that dom0 may ask for
	domUMemory    = 128
	compileMemory = 64 // that a domU has more, where it compiles
	idleMemory    = 96
)

// kernelFile is where dom0 has the domUs' kernel.
const kernelFile = "/boot/vmlinux"

// domUConfig is xl's description of a domU. TSC reads must not trap: Linux
// makes one in every system call.
func domUConfig(name, kind, ramdisk, label string, memory int) string {
	return domainConfig(name, kind, ramdisk, label, memory, "destroy")
}

// domainConfig is domUConfig of a domain of which xl does something else when it
// reboots.
func domainConfig(name, kind, ramdisk, label string, memory int, onReboot string) string {
	from := hvmConfig
	if kind != hvmKind {
		from = fmt.Sprintf("kernel=%q\nramdisk=%q\nextra=%q\n", kernelFile, ramdisk, kernelArgs)
	}
	config := fmt.Sprintf("name=%q\ntype=%q\n%smemory=%d\nvcpus=1\n"+
		"tsc_mode=\"native\"\non_crash=\"destroy\"\non_reboot=%q\n", name, kind, from, memory, onReboot)
	if label != "" {
		config += fmt.Sprintf("seclabel=%q\n", label)
	}
	return config
}

// base is what every domain's file system has.
func base(ctx context.Context, k *kernel, iface *hypercall.Interface, name string, progs programs) (*image.Initramfs, error) {
	fs := &image.Initramfs{}
	fs.File("/init", progs.agent, 0o755)
	fs.File(protocol.NativePath, progs.native, 0o755)
	fs.File(protocol.IPCPath, progs.ipc, 0o755)
	fs.File(protocol.HelloPath, progs.native, 0o755)
	fs.File(protocol.ShellPath, progs.native, 0o755)
	fs.File(protocol.DomainFile, []byte(name+"\n"), 0o644)
	fs.File(protocol.InterfaceFile, iface.Encode(), 0o644)
	fs.Dir("/proc")
	fs.Dir("/sys")
	fs.Dir("/tmp")
	fs.Dir("/run")
	fs.Symlink("/var/run", "../run")
	fs.Symlink("/var/lock", "../run/lock")
	list, err := addModules(ctx, fs, k, modules)
	if err != nil {
		return nil, err
	}
	fs.File(protocol.ModulesFile, []byte(list), 0o644)
	return fs, nil
}

// addModules adds kernel modules, and those that they need, to a file system. It
// returns the list of them for the agent, which loads them in its order.
func addModules(ctx context.Context, fs *image.Initramfs, k *kernel, names []string) (list string, err error) {
	files, err := k.root.Modules(ctx, names...)
	if err != nil {
		return "", err
	}
	for _, f := range files {
		if err := fs.Copy(f, filepath.Join(string(k.root), f)); err != nil {
			return "", err
		}
		list += fmt.Sprintf("/%s %s\n", f, moduleArgs[filepath.Base(f)])
	}
	return list, nil
}

// domUImage composes a domU's initial file system.
func domUImage(ctx context.Context, k *kernel, iface *hypercall.Interface, name string, progs programs, e *equipment) ([]byte, error) {
	fs, err := base(ctx, k, iface, name, progs)
	if err == nil {
		err = e.add(ctx, fs, k, name, progs)
	}
	if err != nil {
		return nil, fmt.Errorf("compose %s: %w", name, err)
	}
	return fs.Bytes()
}

// dom0Image composes dom0's: it holds what the domUs boot from. Idle domUs have no
// equipment.
func dom0Image(ctx context.Context, k *kernel, around *surroundings, a *agents, s shape, label string, e *equipment) ([]byte, error) {
	fs, err := base(ctx, k, around.iface, "dom0", a.programs["dom0"])
	if err == nil {
		err = e.add(ctx, fs, k, "dom0", a.programs["dom0"])
	}
	if err != nil {
		return nil, fmt.Errorf("compose dom0: %w", err)
	}
	if around.tools.missing != "" {
		return fs.Bytes()
	}
	domU, err := domUImage(ctx, k, around.iface, "domU", a.programs["domU"], e)
	if err != nil {
		return nil, err
	}
	memory := domUMemory + e.memory()
	if s.domU == hvmKind {
		err = addHVM(fs, k, domU, memory)
	} else {
		fs.File("/boot/domU.img", domU, 0o644)
	}
	if err != nil {
		return nil, err
	}
	if err := fs.Copy(kernelFile, k.vmlinux); err != nil {
		return nil, err
	}
	config := domUConfig("domU", s.domU, "/boot/domU.img", label, memory) + s.pinning() + e.config(s.domU)
	fs.File(protocol.DomUConfig, []byte(config), 0o644)
	if err := e.addToolstack(fs, a.programs["domU"], label); err != nil {
		return nil, err
	}
	if s.idle > 0 {
		idle, err := domUImage(ctx, k, around.iface, "idle", a.programs["domU"], nil)
		if err != nil {
			return nil, err
		}
		fs.File("/boot/idle.img", idle, 0o644)
		for i := range s.idle {
			name := fmt.Sprintf("idle%d", i+1)
			fs.File(fmt.Sprintf(protocol.IdleConfig, i+1), []byte(domUConfig(name, "pv", "/boot/idle.img", label, idleMemory)), 0o644)
		}
		fs.File(protocol.IdleFile, []byte(fmt.Sprintln(s.idle)), 0o644)
	}
	fs.File("/etc/xen/xl.conf", []byte("autoballoon=\"0\"\n"), 0o644)
	if err := fs.CopyAll(string(around.tools.root)); err != nil {
		return nil, fmt.Errorf("compose dom0: %w", err)
	}
	return fs.Bytes()
}
