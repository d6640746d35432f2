package xen

import (
	"strings"
	"testing"

	"xsmbench/hv"
	"xsmbench/hv/xen/kbuild"
)

func TestCheckOptions(t *testing.T) {
	for _, c := range []struct {
		b    hv.Build
		want string // of the error, "" for none
	}{
		{hv.Build{Name: "flask", Options: []string{"flask=permissive"}}, ""},
		{hv.Build{Name: "flask", Options: []string{"flask=permissive"}, Policy: "p", Label: "l"}, ""},
		{hv.Build{Name: "native", Options: []string{"sched=credit", "spec-ctrl=pv=off"}}, ""},
		{hv.Build{Name: "flask", Options: []string{"flask=off"}}, "flask=off: want flask=enforcing, permissive, late, disabled"},
		{hv.Build{Name: "native", Options: []string{"flask=permissive"}}, "flask=permissive: builds of kind flask know flask, and native does not"},
		{hv.Build{Name: "flask", Options: []string{"xsm=dummy"}}, "xsm=dummy: the kind of the build chooses the security module"},
		{hv.Build{Name: "flask", Options: []string{"console=vga"}}, "console=vga: xsmbench sets console itself"},
		{hv.Build{Name: "flask", Options: []string{"com1=9600"}}, "xsmbench sets com1 itself"},
		{hv.Build{Name: "flask", Options: []string{"dom0_mem=1G"}}, "xsmbench sets dom0_mem itself"},
		{hv.Build{Name: "flask", Options: []string{"dom0_max_vcpus=2"}}, "xsmbench sets dom0_max_vcpus itself"},
		{hv.Build{Name: "flask", Options: []string{"spec-ctrl=no-eager-fpu"}}, "xsmbench sets eager-fpu itself"},
		{hv.Build{Name: "flask", Options: []string{"flask=disabled"}, Policy: "p"}, "flask=disabled loads no policy, and knows no labels"},
		{hv.Build{Name: "flask", Options: []string{"flask=late"}, Label: "l"}, "flask=late loads no policy, and knows no labels"},
		{hv.Build{Name: "none"}, "unknown kind of build"},
	} {
		err := New().CheckOptions(c.b)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.b, err, c.want)
		}
	}
}

// TestModes: the last option counts, a mode that enforces waits for xenstored where it
// must, and what the user wants does not.
func TestModes(t *testing.T) {
	for _, c := range []struct {
		options string
		late    bool // the tree's policy denies xenstored what it asks for
		want    string
		enforce bool // by dom0's agent
	}{
		{"", false, "flask=enforcing", false},
		{"", true, "flask=permissive", true},
		{"flask=enforcing", true, "flask=permissive", true},
		{"flask=permissive", false, "flask=permissive", false},
		{"flask=permissive", true, "flask=permissive", false},
		{"flask=permissive flask=disabled", true, "flask=disabled", false},
		{"flask=late sched=null", true, "flask=late sched=null", false},
	} {
		b := hv.Build{Name: "x", Kind: "flask", Options: strings.Fields(c.options)}
		s := &surroundings{enforceLate: c.late}
		_, got, _ := strings.Cut(s.commandLine(b, shape{cpus: 1}), "dom0_max_vcpus=1 ")
		if got != c.want || s.late(modeOf(b)) != c.enforce {
			t.Errorf("%q, late %v: %s, the agent enforces: %v; want %+v", c.options, c.late, got, s.late(modeOf(b)), c)
		}
	}
	line := (&surroundings{lazyFPU: true}).commandLine(hv.Build{Name: "native", Options: []string{"spec-ctrl=no"}}, shape{cpus: 1})
	if !strings.HasSuffix(line, " flask=enforcing spec-ctrl=no spec-ctrl=eager-fpu") {
		t.Errorf("with an option that this package adds to: %s", line)
	}
}

// TestKinds: each kind is configured otherwise than native, in an option of XSM, and
// one has the hook that Inject changes.
func TestKinds(t *testing.T) {
	seen := map[string]string{}
	native, err := kbuild.ParseConfig(Fragment("native"))
	if err != nil {
		t.Fatal(err)
	}
	with := 0
	for _, k := range kinds() {
		if other := seen[k.fragment]; other != "" || k.fragment == "" || Fragment(k.Name) != k.fragment {
			t.Errorf("%s has the configuration of %q", k.Name, other)
		}
		seen[k.fragment] = k.Name
		c, err := kbuild.ParseConfig(k.fragment)
		if err != nil || k.Name != "native" && len(c.Diff(native)) == 0 {
			t.Errorf("%s: %v, configured as native is", k.Name, err)
		}
		if k.injected != (injected{}) {
			with++
		}
		if (k.option == "") != (len(k.modes) == 0) {
			t.Errorf("%s: option %q, %d modes", k.Name, k.option, len(k.modes))
		}
	}
	if with != 1 {
		t.Errorf("%d kinds have a hook to change", with)
	}
	if Fragment("none") != "" {
		t.Error("an unknown kind has a configuration")
	}
}
