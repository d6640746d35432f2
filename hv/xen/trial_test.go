package xen

import (
	"slices"
	"strings"
	"testing"

	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/debian"
	"xsmbench/hv/xen/faketools"
)

// qemuLoading is a QEMU that loads any plug-in, as long as nothing stands in the
// file "refusal".
const qemuLoading = `
case $1 in --version) echo "QEMU emulator version 10.0.13"; exit ;; esac
if [ -e "$control/refusal" ]; then cat "$control/refusal" >&2; exit 1; fi
out=${2##*,out=}
echo end >"${out%%,*}"
`

// doctored is the finding of that name on a machine that has all packages, with
// what a test has changed there.
func doctored(t *testing.T, what string, packages hv.Packages, change func(a *faketools.Apt)) hv.Finding {
	t.Helper()
	a := faketools.NewDebian(t)
	a.OfferSource("xen", "4.17.5", map[string][]byte{"xen-4.17.5/xen/Makefile": nil})
	a.Add("qemu-system-x86_64", qemuLoading)
	a.Add("gcc", faketools.GCC)
	if change != nil {
		change(a)
	}
	s := packageStore(t)
	target := New()
	target.opened = func() (*store.Store, error) { return s, nil }
	found := target.Doctor(t.Context(), hv.Build{Packages: packages})
	i := slices.IndexFunc(found, func(f hv.Finding) bool { return f.What == what })
	if i < 0 {
		t.Fatalf("no finding %q: %v", what, found)
	}
	return found[i]
}

// What doctor calls well was tried, and what fails says why and what to do.
func TestDoctorTries(t *testing.T) {
	const plugin, source, guests, tools = "counting plug-in", "Xen's source package", "guests' packages", "other trees' tools"
	for _, tt := range []struct {
		name, what string
		packages   hv.Packages
		change     func(a *faketools.Apt)
		ok, advice bool
		detail     string
	}{
		{"it loads", plugin, hv.Packages{}, nil, true, false, "QEMU emulator version 10.0.13 loads it"},
		{"it does not load", plugin, hv.Packages{}, func(a *faketools.Apt) { a.Write("refusal", "qemu: undefined symbol: qemu_plugin_x\n") },
			false, false, "qemu-system-x86_64 does not load the plug-in: qemu: undefined symbol: qemu_plugin_x"},
		{"no QEMU", plugin, hv.Packages{}, func(a *faketools.Apt) { a.Remove("qemu-system-x86_64") }, false, true, "not tried, for lack of qemu-system-x86_64"},
		{"no compiler", plugin, hv.Packages{}, func(a *faketools.Apt) { a.Remove("gcc") }, false, true, "not tried, for lack of gcc"},
		{"source", source, hv.Packages{}, nil, true, false, "xen_4.17.5.tar"},
		{"no source", source, hv.Packages{}, func(a *faketools.Apt) { a.Write("index", "") }, false, false, "look up source package xen: apt-get: exit status 100: E: Unable to locate package xen"},
		{"no network", source, hv.Packages{}, func(a *faketools.Apt) { a.Write("complaint", "E: no network\n") }, false, false, "fetch the package index: apt-get: exit status 100: E: no network"},
		{"guests", guests, hv.Packages{}, nil, true, false, "linux-image-6.1.0-1-amd64_6.1.0-1_amd64, xen-utils-4.17_1_amd64, of 10 packages ("},
		{"no toolstack", guests, hv.Packages{}, func(a *faketools.Apt) { a.Offer(toolstackPackage, "2", []string{"xen-utils-4.20"}, nil) }, false, false, "look up package xen-utils-4.20: apt-cache: exit status 100: E: No packages found"},
		{"tools of the tree, if one wants them", tools, hv.Packages{}, nil, false, true, "cannot be built without acpica-tools, autoconf; trees of another version"},
		{"tools of the tree", tools, hv.Packages{}, func(a *faketools.Apt) { a.OfferToolstack("4.20") }, false, false,
			"cannot be built without acpica-tools, autoconf; Xen 4.17 needs them, since the distribution's toolstack is of 4.20"},
		{"no apt", guests, hv.Packages{}, func(a *faketools.Apt) { a.Remove("apt-get") }, false, true, "not tried, for lack of apt-get"},
		{"no release", guests, hv.Packages{Guests: "13"}, nil, false, false, `"13" is not the code name of a Debian release, such as bookworm or trixie`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := doctored(t, tt.what, tt.packages, tt.change)
			if f.OK != tt.ok || f.Advice != tt.advice || !strings.HasPrefix(f.Detail, tt.detail) {
				t.Errorf("found %+v, want %v, advice %v, %q", f, tt.ok, tt.advice, tt.detail)
			}
			if wrong := !f.OK && !f.Advice; wrong && f.Mend == "" {
				t.Errorf("found %+v: what to do is %q", f, f.Mend)
			}
		})
	}
}

// A tree of one's own needs no source package.
func TestDoctorOfTree(t *testing.T) {
	faketools.NewDebian(t)
	s := packageStore(t)
	target := New()
	target.opened = func() (*store.Store, error) { return s, nil }
	for _, f := range target.Doctor(t.Context(), hv.Build{Source: "/src/xen"}) {
		if f.What == "Xen's source package" {
			t.Errorf("looked for %+v", f)
		}
	}
}

// Guests and source may be of different releases.
func TestReleases(t *testing.T) {
	p := hv.Packages{Guests: "trixie", Source: "bookworm", Archive: "http://mirror.example/debian"}
	if got, want := guestsFrom(p), (debian.Machine{Release: "trixie", Archive: p.Archive}); got.String() != want.String() {
		t.Errorf("guests from %v, want %v", got, want)
	}
	if got, want := sourceFrom(p), (debian.Machine{Release: "bookworm", Archive: p.Archive}); got.String() != want.String() {
		t.Errorf("source from %v, want %v", got, want)
	}
}
