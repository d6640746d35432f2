package faketools

import (
	"encoding/binary"
	"testing"
)

// What Debian's archive has of that the guests are made of: packages with what
// they depend on.
var (
	libraries = map[string][]string{
		"libxenmisc4.17": {"libc6", "libxencall1", "libxenstore4", "libuuid1", "zlib1g"},
		"libxencall1":    {"libc6", "libxentoollog1"}, "libxenstore4": {"libc6"}, "libxentoollog1": {"libc6"},
		"libuuid1": {"libc6"}, "zlib1g": {"libc6"}, "libc6": {"libgcc-s1"}, "libgcc-s1": {"gcc-12-base", "libc6"},
	}
	toolstackPrograms = []string{"xl", "xenstored", "xenconsoled", "xen-init-dom0", "libxl-save-helper"}
	kernelModules     = []string{"xenfs", "xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd", "brd", "xen-blkback", "xen-blkfront", "xen-netback", "xen-netfront"}
)

// NewDebian makes an archive that offers all that the guests are made of, with
// one kernel and the toolstack of Xen 4.17.
func NewDebian(t testing.TB) *Apt {
	t.Helper()
	a := NewApt(t)
	for name, depends := range libraries {
		files := map[string][]byte{"usr/share/doc/" + name: nil}
		if name == "libgcc-s1" {
			files["lib/x86_64-linux-gnu/libgcc_s.so.1"] = ELF(Section{Name: ".text"})
		}
		a.Offer(name, "1", depends, files)
	}
	a.OfferToolstack("4.17", "libxenmisc4.17", "libc6")
	a.OfferKernel("6.1.0-1")
	return a
}

// OfferToolstack makes a version of Xen's toolstack the current one.
func (a *Apt) OfferToolstack(version string, libraries ...string) {
	a.t.Helper()
	name := "xen-utils-" + version
	files := map[string][]byte{"usr/share/doc/" + name: []byte("not taken")}
	for _, p := range toolstackPrograms {
		p = "usr/lib/xen-" + version + "/bin/" + p
		files[p] = ELF(Section{Name: ".text", Data: []byte(p)})
	}
	a.Offer(name, "1", append(libraries, "python3", "xen-utils-common"), files)
	a.Offer("xen-system-amd64", "1", []string{"xen-hypervisor-common", name}, nil)
}

// OfferKernel makes a kernel the current one.
func (a *Apt) OfferKernel(version string) {
	a.t.Helper()
	name := "linux-image-" + version + "-amd64"
	files := map[string][]byte{"boot/vmlinuz-" + version: BzImage(string(Program("kernel " + version)))}
	for _, m := range kernelModules {
		files["lib/modules/"+version+"/kernel/"+m+".ko"] = ELF(Section{Name: ".modinfo", Data: []byte("depends=\x00")})
	}
	a.Offer(name, version, nil, files)
	a.Offer("linux-image-amd64", version, []string{"linux-base", name}, nil)
}

// BzImage is a kernel's image with a payload that is not compressed.
func BzImage(payload string) []byte {
	const sector, setup = 512, 1
	image := make([]byte, (setup+1)*sector)
	image[0x1f1] = setup
	copy(image[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(image[0x206:], 0x20f)
	binary.LittleEndian.PutUint32(image[0x24c:], uint32(len(payload)+4))
	return append(image, payload+"size"...)
}
