package xen

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/image"
	"xsmbench/hv/xen/protocol"
	"xsmbench/workloads"
)

// equipment is what the domains of a plan have beside what all have: what its
// benchmarks and its workload need. It makes their file systems, and so all snapshots,
// others; plans of the default suite need nothing. nil is no equipment.
type equipment struct {
	programs []*guestProgram
	domains  bool // dom0 can make the scratch domain
	disk     bool // the domU has virtual block devices
	network  bool // it has a network with dom0
	lacks    []lack
}

// lack is why there is not what a plan needs.
type lack struct {
	facility bench.Facility
	why      string
}

// facilitiesOf are what a plan's benchmarks and its workload need.
func facilitiesOf(plan bench.Plan) map[bench.Facility]bool {
	needs := map[bench.Facility]bool{}
	for _, name := range plan.Benchmarks {
		b, _ := bench.Find(name)
		for _, f := range b.Needs {
			needs[f] = true
		}
	}
	if w, err := workloads.Find(plan.Workload); err == nil {
		for _, f := range w.Needs {
			needs[f] = true
		}
	}
	return needs
}

// equip finds what a plan needs. What there is not is left out, with the reason for
// the domains to tell: all other benchmarks measure.
func (t *Target) equip(ctx context.Context, plan bench.Plan, from hv.Packages, k *kernel, tools *toolstack, progress func(string)) (*equipment, error) {
	needs := facilitiesOf(plan)
	e := &equipment{domains: needs[bench.Domains]}
	for _, x := range extras {
		if err := t.equipProgram(ctx, e, needs, x, from, tools, progress); err != nil {
			return nil, err
		}
	}
	var err error
	if e.disk, err = e.has(ctx, needs, bench.BlockIO, k, diskModules); err != nil {
		return nil, err
	}
	if e.network, err = e.has(ctx, needs, bench.Neighbours, k, networkModules); err != nil {
		return nil, err
	}
	for _, l := range e.lacks {
		line := fmt.Sprintf("guests: no %s, what needs it is skipped: %s", strings.TrimPrefix(string(l.facility), "a "), l.why)
		if _, told := t.told.LoadOrStore(line, true); !told {
			progress(line)
		}
	}
	return e, nil
}

// equipProgram adds a program if it is needed, there, and fits dom0's tools.
func (t *Target) equipProgram(ctx context.Context, e *equipment, needs map[bench.Facility]bool, x *extra, from hv.Packages, tools *toolstack, progress func(string)) error {
	if !needs[x.facility] {
		return nil
	}
	p, err := t.guestProgram(ctx, x, from, progress)
	if err == nil {
		err = p.fits(tools)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		e.lacks = append(e.lacks, lack{x.facility, line})
		return nil
	}
	e.programs = append(e.programs, p)
	return nil
}

// has says whether a facility is needed and its modules are there.
func (e *equipment) has(ctx context.Context, needs map[bench.Facility]bool, f bench.Facility, k *kernel, of driver) (bool, error) {
	if !needs[f] {
		return false, nil
	}
	for _, name := range slices.Concat(of.dom0, of.domU) {
		if _, err := k.root.Modules(ctx, name); err != nil {
			if ctx.Err() != nil {
				return false, context.Cause(ctx)
			}
			e.lacks = append(e.lacks, lack{f, "the guests' kernel has no module " + name})
			return false, nil
		}
	}
	return true, nil
}

// driver are the modules of a device's two ends.
type driver struct{ dom0, domU []string }

var (
	diskModules    = driver{[]string{"brd", "xen-blkback"}, []string{"xen-blkfront"}}
	networkModules = driver{[]string{"xen-netback"}, []string{"xen-netfront"}}
)

// deviceModules are those of all drivers. A kernel may lack them.
var deviceModules = slices.Concat(diskModules.dom0, diskModules.domU, networkModules.dom0, networkModules.domU)

// Sizes of the equipment, in MiB.
const (
	diskSize     = 16
	serverMemory = 32 // that a domU has more, where it serves
)

// id names the equipment; "" is that of none.
func (e *equipment) id() string {
	if e == nil || len(e.programs) == 0 && !e.domains && !e.disk && !e.network && len(e.lacks) == 0 {
		return ""
	}
	var programs []store.Key
	for _, p := range e.programs {
		programs = append(programs, p.key)
	}
	return fmt.Sprint(programs, e.domains, e.disk, e.network, e.lacks)
}

// modules are those that a domain loads beside all domains'.
func (e *equipment) modules(name string) []string {
	var list []string
	for _, d := range []struct {
		has bool
		of  driver
	}{{e.disk, diskModules}, {e.network, networkModules}} {
		switch {
		case !d.has:
		case name == "dom0":
			list = append(list, d.of.dom0...)
		default:
			list = append(list, d.of.domU...)
		}
	}
	return list
}

// memory is what the measured domU has more, in MiB.
func (e *equipment) memory() int {
	if e == nil {
		return 0
	}
	n := 0
	for _, p := range e.programs {
		n += p.memory
	}
	if e.network {
		n += serverMemory
	}
	return n
}

// config is what xl's description of the measured domU of a kind has more. For an HVM domU
// xl would have the device model emulate a network card beside the virtual one.
func (e *equipment) config(kind string) string {
	text := ""
	if e != nil && e.disk {
		text += fmt.Sprintf("disk=[\"phy:%s,%s,w\"]\n", protocol.RAMDisk, filepath.Base(protocol.Disk))
	}
	if e != nil && e.network {
		more := ""
		if kind == hvmKind {
			more = ",type=vif"
		}
		text += fmt.Sprintf("vif=[\"mac=%s,script=%s%s\"]\n", protocol.DomUMAC, filepath.Base(protocol.NetworkScript), more)
	}
	return text
}

// add adds what a measured domain has more to its file system.
func (e *equipment) add(ctx context.Context, to *image.Initramfs, k *kernel, name string, progs programs) error {
	if e == nil {
		return nil
	}
	if err := e.addPrograms(to, progs); err != nil {
		return err
	}
	if e.network {
		to.Symlink(protocol.ServerPath, "/init")
	}
	if list := e.modules(name); len(list) > 0 {
		text, err := addModules(ctx, to, k, list)
		if err != nil {
			return err
		}
		to.File(protocol.DeviceModulesFile, []byte(text), 0o644)
	}
	var why strings.Builder
	for _, l := range e.lacks {
		fmt.Fprintf(&why, "%s\t%s\n", l.facility, l.why)
	}
	if why.Len() > 0 {
		to.File(protocol.LacksFile, []byte(why.String()), 0o644)
	}
	return nil
}

// addPrograms adds programs with their libraries. Where the C library is, the native
// loops that are linked with it are, too.
func (e *equipment) addPrograms(to *image.Initramfs, progs programs) error {
	for _, p := range e.programs {
		if err := p.add(to); err != nil {
			return err
		}
		if p.facility == bench.DynamicPrograms {
			to.File(protocol.DynamicPath, progs.dynamic, 0o755)
		}
	}
	return nil
}

// addToolstack adds what dom0 needs to make domains with devices, and the scratch
// domain.
func (e *equipment) addToolstack(to *image.Initramfs, progs programs, label string) error {
	if e == nil {
		return nil
	}
	if e.disk {
		to.Symlink(protocol.DiskScript, "/init")
	}
	if e.network {
		to.Symlink(protocol.NetworkScript, "/init")
	}
	if !e.domains {
		return nil
	}
	fs := &image.Initramfs{}
	fs.File("/init", progs.agent, 0o755)
	fs.File(protocol.DomainFile, []byte(protocol.Scratch+"\n"), 0o644)
	fs.File(protocol.ModulesFile, nil, 0o644)
	data, err := fs.Bytes()
	if err != nil {
		return err
	}
	to.File("/boot/scratch.img", data, 0o644)
	config := domainConfig(protocol.Scratch, "pv", "/boot/scratch.img", label, protocol.ScratchMemory, "restart")
	to.File(protocol.ScratchConfig, []byte(config), 0o644)
	return nil
}
