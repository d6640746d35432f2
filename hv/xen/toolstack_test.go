package xen

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/hypercall"
	"xsmbench/hv/xen/faketools"
	"xsmbench/hv/xen/qemu"
	"xsmbench/hv/xen/source"
)

// stackTree is a tree of a version, whose tools do not build.
func stackTree(t *testing.T, version, accessVectors, dom0 string) *source.Tree {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"xen/Makefile":                        "export XEN_VERSION       = 4\nexport XEN_SUBVERSION    = " + strings.TrimPrefix(version, "4.") + "\n",
		"configure":                           "#!/bin/sh\necho 'configure: error: a bad day' >&2\nexit 1\n",
		"xen/arch/x86/spec_ctrl.c":            "parse(\"eager-fpu\");\n",
		"xen/xsm/flask/policy/access_vectors": accessVectors,
		"tools/flask/policy/modules/dom0.te":  dom0,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &source.Tree{Dir: dir, Version: version}
}

func ifaceOf(domctl, sysctl uint32) *hypercall.Interface {
	return &hypercall.Interface{Constants: map[string]uint32{"XEN_DOMCTL_INTERFACE_VERSION": domctl, "XEN_SYSCTL_INTERFACE_VERSION": sysctl}}
}

// The distribution's tools go with its release's interfaces only.
func TestReleased(t *testing.T) {
	for _, tt := range []struct {
		version        string
		domctl, sysctl uint32
		want           bool
	}{{"4.17", 0x15, 0x15, true}, {"4.17", 0x14, 0x15, false}, {"4.20", 0x17, 0x15, true}, {"4.23", 0x18, 0x16, false}} {
		if got := released(tt.version, ifaceOf(tt.domctl, tt.sysctl)); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// A tree whose tools do not build has none, and is not tried again.
func TestNoToolstack(t *testing.T) {
	a := faketools.NewDebian(t)
	a.Add("gcc", "cat >/dev/null\n")
	a.Add("iasl", "")
	a.Add("autoconf", "")
	target := New()
	s := packageStore(t)
	target.opened = func() (*store.Store, error) { return s, nil }
	if _, err := target.offered.get(t.Context(), guestsFrom(hv.Packages{}).String(), offers("4.17")); err != nil {
		t.Fatal(err)
	}
	tree := stackTree(t, "4.22", "", "")
	for range 2 {
		var said []string
		tools, err := target.toolstackFor(t.Context(), tree, ifaceOf(0x18, 0x16), hv.Packages{}, func(line string) { said = append(said, line) })
		if err != nil || !strings.Contains(tools.missing, "configure the toolstack of Xen: configure: error: a bad day (whole log: ") {
			t.Fatalf("toolstack %+v, %v", tools, err)
		}
		tree.Version = "again"
		if again := strings.Contains(strings.Join(said, "\n"), "building the toolstack of again"); again {
			t.Errorf("tried again: %q", said)
		}
	}
}

// The user may want the tree's tools where the distribution's would do, or these
// and no others.
func TestToolstackChosen(t *testing.T) {
	t.Parallel()
	target := New()
	s := packageStore(t)
	target.opened = func() (*store.Store, error) { return s, nil }
	if _, err := target.offered.get(t.Context(), guestsFrom(hv.Packages{}).String(), offers("4.17")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		toolstack, version string
		own                bool
		err                string
	}{
		{"", "4.17", false, ""},
		{"", "4.18", true, ""},
		{hv.ToolstackTree, "4.17", true, ""},
		{hv.ToolstackDistribution, "4.17", false, ""},
		{hv.ToolstackDistribution, "4.18", true, "the distribution's toolstack is not for this source, of version 4.18 (--toolstack tree builds one that is)"},
	} {
		own, err := target.ownTools(t.Context(), hv.Packages{Toolstack: tt.toolstack}, tt.version, ifaceOf(0x15, 0x15), silent)
		if own != tt.own || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%+v: own %v, %v", tt, own, err)
		}
	}
}

func offers(version string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return version, nil }
}

// Where xenstored may not ask what it asks for, FLASK enforces after its start.
func TestEnforceLate(t *testing.T) {
	const asks = "class domain2\n{\n# XEN_DOMCTL_get_domain_state\n    get_domain_state\n}\n"
	for _, tt := range []struct {
		vectors, dom0 string
		late          bool
	}{
		{"# altp2m_get_domain_state\n", "", false},
		{asks, "allow dom0_t dom0_t:domain2 {\n\tget_domain_state\n};\n", true},
		{asks, "allow dom0_t domxen_t:domain2 get_domain_state;\n", false},
		{asks, "allow dom0_t domxen_t:domain2 { a\nget_domain_state };\n", false},
	} {
		late := enforcesLate(stackTree(t, "4.22", tt.vectors, tt.dom0))
		line := (&surroundings{enforceLate: late}).commandLine(hv.Build{Name: "flask"}, shape{cpus: 1})
		if late != tt.late || strings.Contains(line, "flask=permissive") != late || strings.Contains(line, "flask=enforcing") == late {
			t.Errorf("%q, %q: late %v, %s", tt.vectors, tt.dom0, late, line)
		}
	}
}

// Dom0 alone measures, and says so; a plan of domU alone cannot be carried out.
func TestWithoutDomU(t *testing.T) {
	t.Parallel()
	s := started(t, "native", qemu.TCG, scenario{})
	s.around.tools = &toolstack{missing: "it does not build"}
	sp := spec()
	var err error
	if sp.Plan.Domains, err = s.domains(sp.Plan.Domains); err != nil || len(sp.Plan.Domains) != 1 {
		t.Fatalf("domains %v, %v", sp.Plan.Domains, err)
	}
	got, err := whole(t.Context(), patientTarget(), s, sp)
	if err != nil || len(got) != len(benchmarks) {
		t.Fatalf("%d samples, %v", len(got), err)
	}
	for _, m := range got {
		if !warns(m, "dom0 runs without a domU: it does not build") {
			t.Errorf("%s: warnings %q", m.Benchmark, m.Warnings)
		}
	}
	if _, err := s.domains([]string{"domU"}); err == nil || err.Error() != "there is no domU: it does not build" {
		t.Errorf("error %v", err)
	}
}

func warns(m bench.Measurement, text string) bool {
	for _, w := range m.Warnings {
		if w == text {
			return true
		}
	}
	return false
}

func TestSettingsOfTree(t *testing.T) {
	target, img := New(), &hv.Image{Build: hv.Build{Name: "flask", Arch: "amd64"}, Hash: "h"}
	target.around.put(img, &surroundings{tools: &toolstack{version: "4.22", key: "0123456789abcdef"}, iface: &hypercall.Interface{}, enforceLate: true})
	if _, err := target.kernels.get(t.Context(), guestsFrom(hv.Packages{}).String(), func(context.Context) (*kernel, error) {
		return &kernel{packages: []string{"linux-image-6.1_1_amd64.deb"}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, s := range target.Settings(t.Context(), img, hv.BootSpec{}) {
		all.WriteString(s.Text + "\n")
	}
	for _, want := range []string{"dom0's toolstack is built from the tree (4.22, 0123456789ab)", "; the kernel is stripped, ", "the FPU is switched eagerly, as this Xen always does", "flask=permissive on Xen's command line"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("settings lack %q:\n%s", want, all.String())
		}
	}
}
