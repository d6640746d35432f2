package xen

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cavaliergopher/cpio"
	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/hypercall"
	"xsmbench/hv/xen/faketools"
	"xsmbench/hv/xen/image"
	"xsmbench/hv/xen/protocol"
	"xsmbench/hv/xen/qemu"
)

// elfFile is an ELF file with one section beside that of the names.
func elfFile(section, content string) []byte {
	return faketools.ELF(faketools.Section{Name: section, Data: []byte(content)})
}

// fakeParts are packages unpacked, with what the guests take of them and what
// they do not.
func fakeParts(t *testing.T) *guestParts {
	t.Helper()
	dir := t.TempDir()
	files := map[string][]byte{"vmlinux": []byte("a kernel"), "root/usr/share/doc/README": []byte("not taken")}
	for _, m := range slices.Concat(modules, deviceModules) {
		depends := ""
		if m == "xen-gntdev" {
			depends = "xen-helper"
		}
		files["root/lib/modules/6.1/kernel/"+m+".ko"] = elfFile(".modinfo", "name="+m+"\x00depends="+depends+"\x00")
	}
	files["root/lib/modules/6.1/kernel/xen-helper.ko"] = elfFile(".modinfo", "depends=\x00")
	for _, f := range fakeToolstack {
		files["tools"+f] = []byte(f)
	}
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &guestParts{
		&kernel{root: image.Root(filepath.Join(dir, "root")), vmlinux: filepath.Join(dir, "vmlinux")},
		&toolstack{root: image.Root(filepath.Join(dir, "tools")), version: "4.17"},
		nil,
	}
}

var fakeToolstack = []string{protocol.ToolstackDir + "/xl", "/lib64/ld-linux-x86-64.so.2"}

func (p *guestParts) dom0Image(t *testing.T, s shape) ([]byte, error) {
	around := &surroundings{tools: p.tools, iface: &hypercall.Interface{Constants: map[string]uint32{"XEN": 4}}}
	return dom0Image(t.Context(), p.kernel, around, fakeAgents(), s, "", p.equipment)
}

func fakeAgents() *agents {
	return &agents{programs: map[string]programs{
		"dom0": {[]byte("agent of dom0"), []byte("loops of dom0"), []byte("ipc of dom0"), []byte("dynamic of dom0")},
		"domU": {[]byte("agent of domU"), []byte("loops of domU"), []byte("ipc of domU"), []byte("dynamic of domU")},
	}}
}

// unpack reads an initial file system.
func unpack(t *testing.T, data []byte) map[string]string {
	t.Helper()
	files := map[string]string{}
	for r := cpio.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if h.Linkname != "" {
			body = []byte(h.Linkname)
		}
		files["/"+h.Name] = string(body)
	}
}

// TestReproducible composes the same from packages that were unpacked
// elsewhere and later: snapshots are found by what is in them.
func TestReproducible(t *testing.T) {
	for _, s := range []shape{{domU: "pv", cpus: 1}, {domU: "pvh", idle: 2, cpus: 2}} {
		first, err := fakeParts(t).dom0Image(t, s)
		if err != nil {
			t.Fatal(err)
		}
		p := fakeParts(t)
		past := time.Unix(1, 0)
		err = filepath.Walk(string(p.root), func(path string, _ os.FileInfo, err error) error {
			if err != nil {
				return err
			}
			return os.Chtimes(path, past, past)
		})
		if err != nil {
			t.Fatal(err)
		}
		second, err := p.dom0Image(t, s)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("%+v: two compositions differ", s)
		}
	}
}

func TestDom0Image(t *testing.T) {
	data, err := fakeParts(t).dom0Image(t, shape{domU: "pvh", idle: 2, cpus: 1})
	if err != nil {
		t.Fatal(err)
	}
	dom0 := unpack(t, data)
	iface := &hypercall.Interface{Constants: map[string]uint32{"XEN": 4}}
	domU, idle := unpack(t, []byte(dom0["/boot/domU.img"])), unpack(t, []byte(dom0["/boot/idle.img"]))
	for _, want := range []struct {
		in         map[string]string
		path, text string
	}{
		{dom0, "/init", "agent of dom0"}, {domU, "/init", "agent of domU"}, {idle, "/init", "agent of domU"},
		{dom0, protocol.HelloPath, "loops of dom0"}, {domU, protocol.NativePath, "loops of domU"}, {dom0, protocol.IPCPath, "ipc of dom0"}, {domU, protocol.IPCPath, "ipc of domU"},
		{dom0, protocol.DomainFile, "dom0\n"}, {domU, protocol.DomainFile, "domU\n"}, {idle, protocol.DomainFile, "idle\n"},
		{dom0, protocol.InterfaceFile, string(iface.Encode())}, {domU, protocol.InterfaceFile, string(iface.Encode())},
		{dom0, protocol.IdleFile, "2\n"}, {dom0, "/boot/vmlinux", "a kernel"},
		{dom0, protocol.DomUConfig, domUConfig("domU", "pvh", "/boot/domU.img", "", domUMemory)},
		{dom0, "/etc/xen/idle2.cfg", domUConfig("idle2", "pv", "/boot/idle.img", "", idleMemory)},
		{dom0, "/etc/xen/xl.conf", "autoballoon=\"0\"\n"},
	} {
		if got := want.in[want.path]; got != want.text {
			t.Errorf("%s holds %q, want %q", want.path, got, want.text)
		}
	}
	const dir = "/lib/modules/6.1/kernel/"
	want := dir + "xenfs.ko \n" + dir + "xen-evtchn.ko \n" + dir + "xen-helper.ko \n" + dir + "xen-gntdev.ko \n" + dir + "xen-gntalloc.ko \n" + dir + "xen-privcmd.ko unrestricted=1\n"
	for name, fs := range map[string]map[string]string{"dom0": dom0, "domU": domU, "idle": idle} {
		if d := cmp.Diff(want, fs[protocol.ModulesFile]); d != "" {
			t.Errorf("%s loads other modules:\n%s", name, d)
		}
		for line := range strings.Lines(want) {
			if path, _, _ := strings.Cut(line, " "); fs[path] == "" {
				t.Errorf("%s lacks %s", name, path)
			}
		}
	}
	if _, ok := dom0["/usr/share/doc/README"]; ok {
		t.Error("dom0 holds what it does not need")
	}
	for _, f := range fakeToolstack {
		if dom0[f] != f || domU[f] != "" {
			t.Errorf("%s is not in dom0 alone", f)
		}
	}
}

func TestPartsMissing(t *testing.T) {
	p := fakeParts(t)
	if err := os.Remove(filepath.Join(string(p.root), "lib/modules/6.1/kernel/xen-helper.ko")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.dom0Image(t, shape{domU: "pv", idle: 0, cpus: 1}); err == nil || !strings.Contains(err.Error(), "xen_helper") {
		t.Errorf("error %v, want one that names what is missing", err)
	}
}

func TestDomUConfig(t *testing.T) {
	const want = `name="domU"
type="pvh"
kernel="/boot/vmlinux"
ramdisk="/boot/domU.img"
extra="` + kernelArgs + `"
memory=96
vcpus=1
tsc_mode="native"
on_crash="destroy"
on_reboot="destroy"
`
	if d := cmp.Diff(want, domUConfig("domU", "pvh", "/boot/domU.img", "", 96)); d != "" {
		t.Error(d)
	}
	const labelled = want + "seclabel=\"system_u:system_r:isolated_domU_t\"\n"
	if d := cmp.Diff(labelled, domUConfig("domU", "pvh", "/boot/domU.img", "system_u:system_r:isolated_domU_t", 96)); d != "" {
		t.Error(d)
	}
}

func TestShape(t *testing.T) {
	for _, tt := range []struct {
		spec hv.BootSpec
		want shape
	}{{hv.BootSpec{}, shape{domU: "pv", idle: 0, cpus: 1}}, {hv.BootSpec{DomU: "pvh", Idle: 3}, shape{domU: "pvh", idle: 3, cpus: 1}}, {hv.BootSpec{CPUs: 2}, shape{domU: "pv", idle: 0, cpus: 2}},
		{hv.BootSpec{CPUs: 2, Plan: bench.Plan{Workload: "neighbour-busy"}}, shape{domU: "pv", cpus: 2, gap: 1}},
		{hv.BootSpec{CPUs: 2, Plan: bench.Plan{Workload: "busy"}}, shape{domU: "pv", cpus: 2}},
		{hv.BootSpec{Plan: bench.Plan{Workload: "neighbour-busy"}}, shape{domU: "pv", cpus: 1}},
	} {
		if got := shapeOf(tt.spec); got != tt.want {
			t.Errorf("%+v became %+v", tt.spec, got)
		}
	}
}

// An HVM domU has firmware and a device model instead of a kernel; nobody needs its initial
// file system beside.
func TestHVMConfig(t *testing.T) {
	const want = `name="domU"
type="hvm"
firmware_override="/boot/firmware"
bios="seabios"
bios_path_override="/boot/bios"
device_model_version="qemu-xen"
device_model_override="/usr/lib/xsmbench/device-model"
vga="none"
vnc=0
usb=0
vkb_device=0
memory=96
vcpus=1
tsc_mode="native"
on_crash="destroy"
on_reboot="destroy"
seclabel="system_u:system_r:isolated_domU_t"
`
	if d := cmp.Diff(want, domUConfig("domU", "hvm", "/boot/domU.img", "system_u:system_r:isolated_domU_t", 96)); d != "" {
		t.Error(d)
	}
}

func TestHVMImage(t *testing.T) {
	p := fakeParts(t)
	if err := os.WriteFile(p.vmlinux, faketools.Program("a kernel"), 0o644); err != nil {
		t.Fatal(err)
	}
	data, err := p.dom0Image(t, shape{domU: "hvm", idle: 1, cpus: 1})
	if err != nil {
		t.Fatal(err)
	}
	dom0 := unpack(t, data)
	if !strings.Contains(dom0[protocol.FirmwareFile], "agent of domU") || dom0[protocol.BIOSFile] == "" || dom0[protocol.DeviceModel] != "/init" {
		t.Error("dom0 lacks what an HVM domU takes")
	}
	for _, path := range []string{"/boot/domU.img", "/boot/idle.img", kernelFile} {
		if has, wanted := dom0[path] != "", path != "/boot/domU.img"; has != wanted {
			t.Errorf("dom0 has %s: %v", path, has)
		}
	}
	if config := dom0[protocol.DomUConfig]; !strings.Contains(config, `type="hvm"`) {
		t.Error(config)
	}
	if _, err := fakeParts(t).dom0Image(t, shape{domU: "hvm", cpus: 1}); err == nil {
		t.Error("a kernel that is no ELF file was taken")
	}
}

// With two processors dom0 is pinned to the first, the domU to the second, or the one
// behind an idle one, and the plug-in tells them apart. Turns are short where both
// domains do one thing.
func TestProcessors(t *testing.T) {
	for _, tt := range []struct {
		cpus, gap             int
		workload              string
		option, config, words string
		plugin                string
	}{
		{1, 0, "", "", "", "there is nothing to pin them to", ""},
		{2, 1, "neighbour-same", " dom0_vcpus_pin ", "cpus=\"2\"\n", "1 in the domU, pinned to CPU 2, on a machine of 3 CPUs", "cpus=3"},
		{2, 0, "busy", " dom0_vcpus_pin ", "cpus=\"1\"\n", "1 in the domU, pinned to CPU 1, on a machine of 2 CPUs", "cpus=2"},
	} {
		s := started(t, "native", qemu.ICount, scenario{})
		s.shape.cpus, s.shape.gap = tt.cpus, tt.gap
		plan := spec().Plan
		plan.Workload = tt.workload
		m := (&machine{target: New(), start: s, spec: spec(), snapshot: &store.Entry{Dir: "/snapshots/x"}}).describe("/a", plan)
		if short := m.Turn > 0; short != (tt.gap > 0) {
			t.Errorf("%s: turns of %d", tt.workload, m.Turn)
		}
		if m.CPUs != tt.cpus+tt.gap || strings.Contains(m.CmdLine, pinDom0) != (tt.option != "") || !strings.Contains(m.CmdLine, tt.option) {
			t.Errorf("%d processors: %s", m.CPUs, m.CmdLine)
		}
		if last := m.Plugin.Args[len(m.Plugin.Args)-1]; strings.HasPrefix(last, "cpus=") != (tt.plugin != "") || tt.plugin != "" && last != tt.plugin {
			t.Errorf("the plug-in has %q", m.Plugin.Args)
		}
		data, err := fakeParts(t).dom0Image(t, s.shape)
		if err != nil {
			t.Fatal(err)
		}
		if config := unpack(t, data)[protocol.DomUConfig]; !strings.HasSuffix(config, tt.config) || strings.Contains(config, "cpus=\"") != (tt.config != "") {
			t.Errorf("the domU's description: %s", config)
		}
		if text := s.shape.cpusText(); !strings.Contains(text, tt.words) {
			t.Error(text)
		}
	}
}

// Without a toolstack dom0 has nothing of a domU.
func TestDom0Alone(t *testing.T) {
	p := fakeParts(t)
	data, err := dom0Image(t.Context(), p.kernel, &surroundings{tools: &toolstack{missing: "it does not build"}, iface: &hypercall.Interface{}}, fakeAgents(), shape{domU: "pv", idle: 1, cpus: 1}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	dom0 := unpack(t, data)
	if dom0["/init"] != "agent of dom0" || dom0[protocol.ModulesFile] == "" {
		t.Error("dom0 is not whole")
	}
	for _, name := range []string{protocol.ToolstackDir, protocol.DomUConfig, protocol.IdleFile, "/boot/domU.img"} {
		if _, ok := dom0[name]; ok {
			t.Errorf("dom0 has %s", name)
		}
	}
}
