package hypercall

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/abi"
)

// TestVersions makes the control hypercalls of Xens whose structures lie
// differently: versions, and where the answers are read.
func TestVersions(t *testing.T) {
	for _, tt := range []struct {
		version        string
		domctl, sysctl uint32
		shared, total  int // where Xen writes the shared frame, and the total of pages
	}{{"4.15", 0x13, 0x13, 16 + 48, 8 + 32}, {"4.17", 0x15, 0x15, 16 + 48, 8 + 40}, {"4.22", 0x18, 0x16, 16 + 48, 8 + 40}} {
		x := newFake(func(r *request, m memory) int64 {
			want := tt.domctl
			if r.op == uint64(abi.SysctlOp) {
				want = tt.sysctl
			}
			if got := m.get32(4); got != want {
				t.Errorf("%s: hypercall %d with version %#x, want %#x", tt.version, r.op, got, want)
			}
			m.put64(tt.shared, 77)
			if r.op == uint64(abi.SysctlOp) {
				m.put64(tt.total, 88)
			}
			return 0
		})
		x.iface = interfaceOf(tt.version)
		d, err := x.domain(0)
		if err != nil {
			t.Fatal(err)
		}
		info, phys := &abi.Domctl{Cmd: abi.DomctlGetDomainInfo}, &abi.Sysctl{Cmd: abi.SysctlPhysInfo}
		if err := errors.Join(d.once(abi.DomctlOp, &abi.Args{H: info}), d.once(abi.SysctlOp, &abi.Args{H: phys})); err != nil {
			t.Fatal(err)
		}
		if info.Info.SharedInfoMFN != 77 || phys.Phys.TotalPages != 88 {
			t.Errorf("%s: shared frame %d, %d pages", tt.version, info.Info.SharedInfoMFN, phys.Phys.TotalPages)
		}
	}
}

// What is not as it is known is refused by name, and Xen is not asked.
func TestUnknownInterface(t *testing.T) {
	getInfo := func(d *Domain) error {
		return d.once(abi.DomctlOp, &abi.Args{H: &abi.Domctl{Cmd: abi.DomctlGetDomainInfo}})
	}
	physInfo := func(d *Domain) error { return d.once(abi.SysctlOp, &abi.Args{H: &abi.Sysctl{Cmd: abi.SysctlPhysInfo}}) }
	counters := func(d *Domain) error { _, err := d.PerfCounters(); return err }
	mode := func(d *Domain) error { _, err := d.Mode(); return err }
	change := func(i *Interface, name, field string, f Field) {
		s := i.Structs[name]
		s.Fields = maps.Clone(s.Fields)
		s.Fields[field] = f
		i.Structs[name] = s
	}
	for _, tt := range []struct {
		name  string
		spoil func(*Interface)
		do    func(*Domain) error
		want  string
	}{
		{"constant gone", func(i *Interface) { delete(i.Constants, "XEN_SYSCTL_physinfo") }, physInfo, "prepare sysctl: this Xen's public headers have no XEN_SYSCTL_physinfo"},
		{"constant changed", func(i *Interface) { i.Constants["XEN_DOMCTL_getdomaininfo"] = 6 }, getInfo, "prepare domctl: this Xen's XEN_DOMCTL_getdomaininfo is 6, not the 5 that is known"},
		{"structure gone", func(i *Interface) { delete(i.Structs, "xen_domctl") }, getInfo, "no struct xen_domctl"},
		{"field gone", func(i *Interface) { delete(i.Structs["xen_domctl_getdomaininfo"].Fields, "ssidref") }, getInfo, "struct xen_domctl_getdomaininfo has no field ssidref"},
		{"field wider", func(i *Interface) { change(i, "xen_domctl_getdomaininfo", "flags", Field{8, 8}) }, getInfo, "struct xen_domctl_getdomaininfo has flags, 8 bytes, at 8, which is not known"},
		{"field outside", func(i *Interface) { change(i, "xen_sysctl_physinfo", "cpu_khz", Field{400, 4}) }, physInfo, "struct xen_sysctl_physinfo of 112 bytes has cpu_khz at 400"},
		{"field moved", func(i *Interface) { change(i, "xen_sysctl_perfc_op", "desc", Field{24, 8}) }, counters, "find performance counters: this Xen's struct xen_sysctl_perfc_op has desc, 8 bytes, at 24"},
		{"FLASK's", func(i *Interface) { delete(i.Constants, "FLASK_GETENFORCE") }, mode, "ask FLASK for its mode: this Xen's public headers have no FLASK_GETENFORCE"},
		{"enforce", func(i *Interface) { delete(i.Constants, "FLASK_SETENFORCE") }, (*Domain).Enforce, "have FLASK enforce: this Xen's public headers have no FLASK_SETENFORCE"},
		{"nothing known", nil, getInfo, "what this Xen's public headers say is not known"},
	} {
		x := newFake(func(r *request, _ memory) int64 { t.Errorf("%s: hypercall %d", tt.name, r.op); return 0 })
		if x.iface = nil; tt.spoil != nil {
			x.iface = interfaceOf("4.17")
			tt.spoil(x.iface)
		}
		d, err := x.domain(0)
		if err != nil {
			t.Fatal(err)
		}
		err = tt.do(d)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
		// A question to FLASK that cannot be asked does not say that there is none.
		if unsupported := errors.Is(err, errors.ErrUnsupported); unsupported == (tt.name == "FLASK's") {
			t.Errorf("%s: unsupported %v", tt.name, unsupported)
		}
	}
}

func TestEnforce(t *testing.T) {
	for _, result := range []int64{0, -int64(abi.EACCES)} {
		asked := 0
		x := newFake(func(r *request, m memory) int64 {
			asked++
			if r.op != uint64(abi.XSMOp) || m.get32(0) != 3 || m.get32(4) != 1 || m.get32(8) != 1 {
				t.Errorf("hypercall %d: % x", r.op, m.b)
			}
			return result
		})
		d, err := x.domain(0)
		if err != nil {
			t.Fatal(err)
		}
		if err = d.Enforce(); (err == nil) != (result == 0) || asked != 1 {
			t.Errorf("result %d: %v, asked %d times", result, err, asked)
		}
	}
}

func FuzzParseInterface(f *testing.F) {
	text, err := os.ReadFile("testdata/interface-4.22.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"structs":{"xen_domctl":{"size":-1}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		i, err := ParseInterface(text)
		if err != nil {
			return
		}
		again, err := ParseInterface(i.Encode())
		if err != nil || !bytes.Equal(again.Encode(), i.Encode()) {
			t.Errorf("%v: %s", err, cmp.Diff(i, again))
		}
		_ = i.check("xen_domctl", domctlVersion, domainInfo, physInfo)
	})
}
