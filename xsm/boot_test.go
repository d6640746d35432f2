package xsm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"xsmbench/abi"
)

const flaskMagic = 0xf97cff8c

// withPolicy is a module that registers nothing and has policies.
var withPolicy = []Module{{Start: func(*Boot) abi.Errno { return 0 }, Policy: &PolicyFormat{Magic: flaskMagic}}}

// policy is a boot module that starts with magic.
func policy(magic uint32) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, magic), "rest of it"...)
}

// bootWith makes n boot modules of which those at the given places are policies.
func bootWith(n int, policies ...int) *Boot {
	b := &Boot{InitrdIdx: 1}
	for i := range n {
		b.Modules = append(b.Modules, BootModule{Name: fmt.Sprint("module ", i), Data: []byte("\x7fELF and more")})
	}
	for _, p := range policies {
		b.Modules[p].Data = policy(flaskMagic)
	}
	return b
}

func TestPolicyIsFoundFromTheLastModuleDown(t *testing.T) {
	for n := range 6 {
		checkPolicy(t, bootWith(n), 0)
		for at := range n {
			checkPolicy(t, bootWith(n, at), at)
			for other := at + 1; other < n; other++ {
				checkPolicy(t, bootWith(n, at, other), other)
			}
		}
	}
}

// checkPolicy starts the framework and wants the policy in the given module,
// 0 for none: module 0 is dom0's kernel and never looked at.
func checkPolicy(t *testing.T, b *Boot, want int) {
	t.Helper()
	initrd := 1
	switch {
	case want == 1 && len(b.Modules) == 2:
		initrd = 0
	case want == 1:
		initrd = 2
	}
	if rc := start(b, withPolicy); rc != 0 {
		t.Fatalf("start = %v", rc)
	}
	if b.PolicyIdx != want || (b.Policy != nil) != (want != 0) {
		t.Errorf("%d modules: policy of %d bytes in module %d, want module %d", len(b.Modules), len(b.Policy), b.PolicyIdx, want)
	}
	if b.InitrdIdx != initrd {
		t.Errorf("%d modules, policy in %d: initrd in module %d, want %d", len(b.Modules), want, b.InitrdIdx, initrd)
	}
}

func TestWhatIsNoPolicy(t *testing.T) {
	swapped := binary.BigEndian.AppendUint32(nil, flaskMagic)
	tests := map[string][]byte{
		"another magic":    policy(0xbcde0100),
		"one bit off":      policy(flaskMagic ^ 1),
		"other byte order": swapped,
		"three bytes":      policy(flaskMagic)[:3],
		"empty":            {},
		"nil":              nil,
	}
	for name, data := range tests {
		b := bootWith(3)
		b.Modules[2].Data = data
		checkPolicy(t, b, 0)
		if t.Failed() {
			t.Fatalf("%s is taken for a policy", name)
		}
	}
	// The magic alone makes a policy; what follows is the module's matter.
	b := bootWith(3)
	b.Modules[2].Data = policy(flaskMagic)[:4]
	checkPolicy(t, b, 2)
}

func TestNoPolicyMeansNoScan(t *testing.T) {
	b := bootWith(3)
	b.Modules[1].Data = policy(0)
	if rc := start(b, nil); rc != 0 || b.Policy != nil || b.InitrdIdx != 1 {
		t.Errorf("start = %v, policy in module %d, initrd in %d", rc, b.PolicyIdx, b.InitrdIdx)
	}
}

func TestInit(t *testing.T) {
	withDummy(t)
	var console strings.Builder
	b := bootWith(3, 1)
	b.Printk = func(format string, args ...any) { fmt.Fprintf(&console, format+"\n", args...) }
	if rc := Init(b); rc != 0 {
		t.Fatalf("Init = %v", rc)
	}
	if !Enabled {
		if console.Len() != 0 || b.InitrdIdx != 1 || b.Policy != nil {
			t.Errorf("a native build started the framework: %q", &console)
		}
		return
	}
	if !strings.Contains(console.String(), "v1.0.0") {
		t.Errorf("no version on the console: %q", &console)
	}
	if b.Policy != nil {
		t.Error("a policy was found for no module")
	}
	if ops.Load() != &dummyOperations {
		t.Error("the dummy is not in use")
	}
}

// Initcalls run in order, see the policy, find the dummy in use even if
// another machine ran before, and do not stop the machine by failing.
func TestInitcalls(t *testing.T) {
	withDummy(t)
	var console strings.Builder
	var order []string
	first, second := &Operations{}, &Operations{}
	module := func(name string, o *Operations, policy *PolicyFormat) Module {
		return Module{Name: name, Policy: policy, Start: func(b *Boot) abi.Errno {
			order = append(order, fmt.Sprintf("%s sees %d bytes", name, len(b.Policy)))
			return Register(o)
		}}
	}
	list := []Module{module("first", first, nil), module("second", second, &PolicyFormat{Magic: flaskMagic})}
	for range 2 {
		order = nil
		console.Reset()
		b := bootWith(2, 1)
		b.Printk = func(format string, args ...any) { fmt.Fprintf(&console, format+"\n", args...) }
		if rc := start(b, list); rc != 0 {
			t.Fatalf("start = %v", rc)
		}
		if got := strings.Join(order, ", "); got != "first sees 14 bytes, second sees 14 bytes" {
			t.Errorf("initcalls: %s", got)
		}
		if ops.Load() != first {
			t.Error("the first module is not in use")
		}
		if !strings.Contains(console.String(), "initcall of second: -EAGAIN") {
			t.Errorf("console does not tell that the second failed: %q", &console)
		}
	}
}

func TestAddModuleAddsToTheEnd(t *testing.T) {
	saved := modules
	defer func() { modules = saved }()
	AddModule(Module{Name: "last"})
	if n := len(Modules()); n != len(saved)+1 || Modules()[n-1].Name != "last" {
		t.Error("AddModule does not add to the end")
	}
}

func TestAbout(t *testing.T) {
	m := Module{Name: "m", Doc: "d", AVC: true, Policy: &PolicyFormat{Magic: 1, BuiltIn: []byte{1, 0, 0, 0}, Mode: Enforcing}}
	want := About{Name: "m", Doc: "d", AVC: true, Mode: Enforcing, Policy: &AboutPolicy{Magic: 1, BuiltIn: true}}
	if got := m.About("m=off"); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := (Module{Name: "m"}).About(""); !reflect.DeepEqual(got, About{Name: "m"}) {
		t.Errorf("without a policy: %+v", got)
	}
	m.Params = []Param{{Name: "m", Values: []string{"on", "off"}}}
	m.Mode = func(b *Boot) string {
		if b.StringParam("m", "on") == "off" {
			return Disabled
		}
		return Permissive
	}
	for cmdLine, mode := range map[string]string{"": Permissive, "m=on": Permissive, "m=off": Disabled} {
		if got := m.About(cmdLine); got.Mode != mode || got.AVC != (mode != Disabled) || !reflect.DeepEqual(got.Params, m.Params) {
			t.Errorf("%q: %+v, want mode %s", cmdLine, got, mode)
		}
	}
}

func TestCheckOption(t *testing.T) {
	about := About{Name: "m", Params: []Param{{Name: "m", Values: []string{"on", "off"}}, {Name: "size"}}}
	for option, want := range map[string]string{
		"m=on":    "",
		"size=17": "",
		"m=maybe": "m=maybe: want m=on or m=off",
		"other=1": "other=1: the module m reads no other, but m, size",
	} {
		err := about.CheckOption(option)
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && got != want {
			t.Errorf("%s: %s, want %s", option, got, want)
		}
	}
	if err := (About{Name: "m"}).CheckOption("m=on"); err == nil || err.Error() != "m=on: the module m reads nothing from the command line" {
		t.Errorf("a module without parameters: %v", err)
	}
}

func TestReadPolicy(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ path, text, want string }{
		{"good", "\x01\x02\x03\x04 and more", ""},
		{"bare", "\x01\x02\x03\x04", ""},
		{"other", "\x04\x03\x02\x01", "it does not begin with the magic number 0x4030201"},
		{"short", "\x01\x02", "it does not begin with the magic number 0x4030201"},
		{"empty", "", "it does not begin with the magic number 0x4030201"},
	} {
		path := filepath.Join(dir, c.path)
		if err := os.WriteFile(path, []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := ReadPolicy(path, 0x04030201)
		switch {
		case c.want == "" && (err != nil || string(got) != c.text):
			t.Errorf("%s: %q, %v", c.path, got, err)
		case c.want != "" && (err == nil || err.Error() != c.want):
			t.Errorf("%s: error %v, want %s", c.path, err, c.want)
		}
	}
	if _, err := ReadPolicy("/dev/zero", 0); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a file without an end: %v", err)
	}
	if _, err := ReadPolicy(filepath.Join(dir, "none"), 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestIntParam(t *testing.T) {
	tests := []struct {
		cmdline   string
		want      int
		complaint bool
	}{
		{"", 7, false},
		{"console=vga dom0_mem=64M", 7, false},
		{"flask_enforcing=1", 1, false},
		{"console=vga  flask_enforcing=0\t", 0, false},
		{"flask_enforcing=0x10", 16, false},
		{"flask_enforcing=010", 8, false},
		{"flask_enforcing=-1", -1, false},
		{"flask_enforcing=0 flask_enforcing=1", 1, false},
		{"flask_enforcing", 7, false},
		{"flask_enforcing=", 7, false},
		{"not_flask_enforcing=1 flask_enforcing_not=1", 7, false},
		{"flask_enforcing=yes", 7, true},
		{"flask_enforcing=1 flask_enforcing=1x", 1, true},
		{"flask_enforcing=99999999999", 7, true},
	}
	for _, tt := range tests {
		complaints := 0
		b := &Boot{CmdLine: tt.cmdline, Printk: func(string, ...any) { complaints++ }}
		if got := b.IntParam("flask_enforcing", 7); got != tt.want {
			t.Errorf("%q: flask_enforcing is %d, want %d", tt.cmdline, got, tt.want)
		}
		if (complaints > 0) != tt.complaint {
			t.Errorf("%q: %d complaints", tt.cmdline, complaints)
		}
	}
}

// FuzzStart boots with any command line and modules: the policy is the last module that
// is one, dom0's kernel never; what the hypervisor takes for the initrd is not the policy; and
// a parameter is what the command line says, or what it is without one.
func FuzzStart(f *testing.F) {
	magic := policy(flaskMagic)
	f.Add("flask_enforcing=1", []byte("kernel"), magic, []byte("initrd"), uint8(3))
	f.Add("flask_enforcing=0x", magic, []byte{0x8c, 0xff, 0x7c}, magic, uint8(3))
	f.Add("x flask_enforcing=0 flask_enforcing", magic, magic, magic, uint8(2))
	f.Add("flask_enforcing=\x00", magic, magic[:3], magic, uint8(1))
	f.Fuzz(func(t *testing.T, cmdline string, kernel, one, two []byte, n uint8) {
		data := [][]byte{kernel, one, two}[:n%4]
		b := &Boot{CmdLine: cmdline, InitrdIdx: 1}
		want := 0
		for i, d := range data {
			b.Modules = append(b.Modules, BootModule{Data: slices.Clone(d)})
			if i > 0 && len(d) >= 4 && string(d[:4]) == string(magic[:4]) {
				want = i
			}
		}
		if rc := start(b, withPolicy); rc != 0 {
			t.Fatal(rc)
		}
		if b.PolicyIdx != want || (b.Policy != nil) != (want != 0) || want != 0 && string(b.Policy) != string(data[want]) {
			t.Errorf("policy of %d bytes in module %d, want module %d", len(b.Policy), b.PolicyIdx, want)
		}
		initrd := 1
		if want == 1 {
			if initrd = 0; len(data) == 3 {
				initrd = 2
			}
		}
		if b.InitrdIdx != initrd {
			t.Errorf("policy in module %d of %d, initrd in %d, want %d", want, len(data), b.InitrdIdx, initrd)
		}
		for i, d := range data {
			if string(b.Modules[i].Data) != string(d) {
				t.Errorf("module %d has changed", i)
			}
		}
		const name = "flask_enforcing"
		given := slices.ContainsFunc(strings.Fields(cmdline), func(option string) bool { return strings.HasPrefix(option, name+"=") })
		if v := b.IntParam(name, 7); v != 7 && !given || v < math.MinInt32 || v > math.MaxInt32 {
			t.Errorf("%s is %d", name, v)
		}
		if v := b.StringParam(name, "none"); v == "" || v != "none" && !given || strings.ContainsAny(v, " \t\n") {
			t.Errorf("%s is %q", name, v)
		}
	})
}
