package xen

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/xen/protocol"
	"xsmbench/workloads"
	_ "xsmbench/workloads/block"
	_ "xsmbench/workloads/domains"
	_ "xsmbench/workloads/network"
	_ "xsmbench/workloads/serve"
)

// equipped is what the machines of a plan have, with the kernel of fakeParts.
func equipped(t *testing.T, p *guestParts, plan bench.Plan) (*equipment, []string) {
	t.Helper()
	var said []string
	e, err := New().equip(t.Context(), plan, hv.Packages{}, p.kernel, p.tools, func(line string) { said = append(said, line) })
	if err != nil {
		t.Fatal(err)
	}
	return e, said
}

const (
	readsDisk   = "Workload/block/op=read/order=random/depth=8"
	asksService = "Workload/net/op=request"
	reboots     = "Workload/domain/op=reboot"
)

// TestEquip: a plan's benchmarks and its workload decide what its machines have.
func TestEquip(t *testing.T) {
	p := fakeParts(t)
	for _, c := range []struct {
		plan                   bench.Plan
		disk, network, domains bool
	}{
		{bench.Plan{Benchmarks: benchmarks}, false, false, false},
		{bench.Plan{Benchmarks: benchmarks, Workload: "memory"}, false, false, false},
		{bench.Plan{Benchmarks: []string{readsDisk}}, true, false, false},
		{bench.Plan{Benchmarks: []string{asksService}}, false, true, false},
		{bench.Plan{Benchmarks: []string{reboots}}, false, false, true},
		{bench.Plan{Benchmarks: []string{"Workload/serve/op=disk_and_net"}}, true, true, false},
		{bench.Plan{Benchmarks: benchmarks, Workload: "block"}, true, false, false},
		{bench.Plan{Benchmarks: benchmarks, Workload: "neighbour-network"}, false, true, false},
	} {
		e, said := equipped(t, p, c.plan)
		if e.disk != c.disk || e.network != c.network || e.domains != c.domains || len(said) > 0 {
			t.Errorf("%+v: %+v, said %q", c.plan, e, said)
		}
		if (e.id() == "") != (!c.disk && !c.network && !c.domains) {
			t.Errorf("%+v: named %q", c.plan, e.id())
		}
	}
	// The default suite's machines stay what they are.
	list, err := bench.SelectSuite(bench.DefaultSuite, "")
	if err != nil {
		t.Fatal(err)
	}
	if e, _ := equipped(t, p, planOf(namesOf(list)...)); e.id() != "" {
		t.Errorf("the default suite's machines have %+v", e)
	}
}

// TestEquipLacks: a kernel without a module has no such device, with the reason.
func TestEquipLacks(t *testing.T) {
	p := fakeParts(t)
	if err := os.Remove(filepath.Join(string(p.root), "lib/modules/6.1/kernel/xen-blkfront.ko")); err != nil {
		t.Fatal(err)
	}
	e, said := equipped(t, p, bench.Plan{Benchmarks: []string{readsDisk, asksService}})
	if e.disk || !e.network || strings.Join(said, "; ") != "guests: no virtual block device, what needs it is skipped: the guests' kernel has no module xen-blkfront" {
		t.Errorf("%+v, said %q", e, said)
	}
	p.equipment = e
	data, err := p.dom0Image(t, shape{domU: "pv", idle: 0, cpus: 1})
	if err != nil {
		t.Fatal(err)
	}
	dom0 := unpack(t, data)
	domU := unpack(t, []byte(dom0["/boot/domU.img"]))
	want := string(bench.BlockIO) + "\tthe guests' kernel has no module xen-blkfront\n"
	if dom0[protocol.LacksFile] != want || domU[protocol.LacksFile] != want {
		t.Errorf("the domains are told %q and %q, want %q", dom0[protocol.LacksFile], domU[protocol.LacksFile], want)
	}
}

// TestEquippedImage: what the domains have of devices, and what dom0 has for the scratch
// domain. Idle domains have nothing of it.
func TestEquippedImage(t *testing.T) {
	p := fakeParts(t)
	plain, err := p.dom0Image(t, shape{domU: "pv", idle: 1, cpus: 1})
	if err != nil {
		t.Fatal(err)
	}
	p.equipment, _ = equipped(t, p, bench.Plan{Benchmarks: []string{readsDisk, asksService, reboots}})
	data, err := p.dom0Image(t, shape{domU: "pv", idle: 1, cpus: 1})
	if err != nil {
		t.Fatal(err)
	}
	dom0, before := unpack(t, data), unpack(t, plain)
	domU, idle := unpack(t, []byte(dom0["/boot/domU.img"])), unpack(t, []byte(dom0["/boot/idle.img"]))
	for _, want := range []struct {
		in         map[string]string
		path, text string
	}{
		{dom0, protocol.DiskScript, "/init"}, {dom0, protocol.NetworkScript, "/init"},
		{dom0, protocol.ServerPath, "/init"}, {domU, protocol.ServerPath, "/init"}, {idle, protocol.ServerPath, ""},
		{idle, protocol.DeviceModulesFile, ""}, {before, protocol.DeviceModulesFile, ""}, {before, protocol.DiskScript, ""},
		{dom0, protocol.DomUConfig, domUConfig("domU", "pv", "/boot/domU.img", "", domUMemory+serverMemory) +
			"disk=[\"phy:/dev/ram0,xvda,w\"]\nvif=[\"mac=00:16:3e:00:00:01,script=vif-xsmbench\"]\n"},
		{dom0, "/etc/xen/idle1.cfg", domUConfig("idle1", "pv", "/boot/idle.img", "", idleMemory)},
	} {
		if got := want.in[want.path]; got != want.text {
			t.Errorf("%s holds %q, want %q", want.path, got, want.text)
		}
	}
	for name, c := range map[string]struct {
		fs      map[string]string
		modules []string
	}{"dom0": {dom0, []string{"brd.ko rd_nr=1 rd_size=16384", "xen-blkback.ko ", "xen-netback.ko "}}, "domU": {domU, []string{"xen-blkfront.ko ", "xen-netfront.ko "}}} {
		var got []string
		for line := range strings.Lines(c.fs[protocol.DeviceModulesFile]) {
			got = append(got, filepath.Base(strings.TrimSuffix(line, "\n")))
		}
		if !slices.Equal(got, c.modules) {
			t.Errorf("%s loads %q, want %q", name, got, c.modules)
		}
	}
	scratch := unpack(t, []byte(dom0["/boot/scratch.img"]))
	if scratch["/init"] != "agent of domU" || scratch[protocol.DomainFile] != protocol.Scratch+"\n" {
		t.Errorf("the scratch domain is %v", scratch)
	}
	if c := dom0[protocol.ScratchConfig]; !strings.Contains(c, `name="scratch"`) || !strings.Contains(c, `on_reboot="restart"`) || !strings.Contains(c, `on_crash="destroy"`) {
		t.Errorf("its description is\n%s", c)
	}
}

// An HVM domU's network card is the virtual one alone.
func TestEquippedHVM(t *testing.T) {
	e := &equipment{disk: true, network: true}
	if got, want := e.config("hvm"), "disk=[\"phy:/dev/ram0,xvda,w\"]\nvif=[\"mac=00:16:3e:00:00:01,script=vif-xsmbench,type=vif\"]\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestWorkloadNeeds: each need of a workload is a facility that there is equipment for.
func TestWorkloadNeeds(t *testing.T) {
	for _, w := range workloads.All() {
		for _, f := range w.Needs {
			if f != bench.BlockIO && f != bench.Neighbours && f != bench.Networking {
				t.Errorf("%s needs %s", w.Name, f)
			}
		}
	}
}
