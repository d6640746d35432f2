package xen

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cavaliergopher/cpio"
	"github.com/google/go-cmp/cmp"

	"xsmbench/hv"
	"xsmbench/hv/xen/image"
	"xsmbench/hv/xen/protocol"
)

// elfFile is an ELF file with one section beside that of the names.
func elfFile(section, content string) []byte {
	names := "\x00" + section + "\x00.shstrtab\x00"
	const head, entry = 64, 64
	at := uint64(head)
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Shoff: at + uint64(len(content)+len(names)), Ehsize: head, Shentsize: entry, Shnum: 3, Shstrndx: 2,
	})
	b.WriteString(content + names)
	binary.Write(&b, binary.LittleEndian, []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: at, Size: uint64(len(content)), Addralign: 1},
		{Name: uint32(len(section) + 2), Type: uint32(elf.SHT_STRTAB), Off: at + uint64(len(content)), Size: uint64(len(names)), Addralign: 1},
	})
	return b.Bytes()
}

// fakeParts are packages unpacked, with what the guests take of them and what
// they do not.
func fakeParts(t *testing.T) *parts {
	t.Helper()
	dir := t.TempDir()
	files := map[string][]byte{"vmlinux": []byte("a kernel"), "root/usr/share/doc/README": []byte("not taken")}
	for _, m := range modules {
		depends := ""
		if m == "xen-gntdev" {
			depends = "xen-helper"
		}
		files["root/lib/modules/6.1/kernel/"+m+".ko"] = elfFile(".modinfo", "name="+m+"\x00depends="+depends+"\x00")
	}
	files["root/lib/modules/6.1/kernel/xen-helper.ko"] = elfFile(".modinfo", "depends=\x00")
	for _, f := range toolstackFiles {
		files["root/"+f] = elfFile(".text", f)
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
	return &parts{root: image.Root(filepath.Join(dir, "root")), vmlinux: filepath.Join(dir, "vmlinux")}
}

func fakeAgents() *agents {
	return &agents{programs: map[string]programs{
		"dom0": {[]byte("agent of dom0"), []byte("loops of dom0")},
		"domU": {[]byte("agent of domU"), []byte("loops of domU")},
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
		files["/"+h.Name] = string(body)
	}
}

// TestReproducible composes the same from packages that were unpacked
// elsewhere and later: snapshots are found by what is in them.
func TestReproducible(t *testing.T) {
	for _, s := range []shape{{"pv", 0}, {"pvh", 2}} {
		first, err := dom0Image(fakeParts(t), fakeAgents(), s)
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
		second, err := dom0Image(p, fakeAgents(), s)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("%+v: two compositions differ", s)
		}
	}
}

func TestDom0Image(t *testing.T) {
	data, err := dom0Image(fakeParts(t), fakeAgents(), shape{"pvh", 2})
	if err != nil {
		t.Fatal(err)
	}
	dom0 := unpack(t, data)
	domU, idle := unpack(t, []byte(dom0["/boot/domU.img"])), unpack(t, []byte(dom0["/boot/idle.img"]))
	for _, want := range []struct {
		in         map[string]string
		path, text string
	}{
		{dom0, "/init", "agent of dom0"}, {domU, "/init", "agent of domU"}, {idle, "/init", "agent of domU"},
		{dom0, protocol.HelloPath, "loops of dom0"}, {domU, protocol.NativePath, "loops of domU"},
		{dom0, protocol.DomainFile, "dom0\n"}, {domU, protocol.DomainFile, "domU\n"}, {idle, protocol.DomainFile, "idle\n"},
		{dom0, protocol.IdleFile, "2\n"}, {dom0, "/boot/vmlinux", "a kernel"},
		{dom0, protocol.DomUConfig, domUConfig("domU", "pvh", "/boot/domU.img", domUMemory)},
		{dom0, "/etc/xen/idle2.cfg", domUConfig("idle2", "pv", "/boot/idle.img", idleMemory)},
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
	for _, f := range toolstackFiles {
		if dom0["/"+f] == "" || domU["/"+f] != "" {
			t.Errorf("%s is not in dom0 alone", f)
		}
	}
}

func TestPartsMissing(t *testing.T) {
	for _, lost := range []string{"lib/modules/6.1/kernel/xen-helper.ko", toolstackFiles[0]} {
		p := fakeParts(t)
		if err := os.Remove(filepath.Join(string(p.root), lost)); err != nil {
			t.Fatal(err)
		}
		name := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(lost), ".ko"), "-", "_")
		if _, err := dom0Image(p, fakeAgents(), shape{"pv", 0}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one that names %s", err, name)
		}
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
	if d := cmp.Diff(want, domUConfig("domU", "pvh", "/boot/domU.img", 96)); d != "" {
		t.Error(d)
	}
}

func TestShape(t *testing.T) {
	for _, tt := range []struct {
		spec hv.BootSpec
		want shape
	}{{hv.BootSpec{}, shape{"pv", 0}}, {hv.BootSpec{DomU: "pvh", Idle: 3}, shape{"pvh", 3}}} {
		if got := shapeOf(tt.spec); got != tt.want {
			t.Errorf("%+v became %+v", tt.spec, got)
		}
	}
}
