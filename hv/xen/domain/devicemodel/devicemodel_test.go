package devicemodel

import (
	"bufio"
	"encoding/binary"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// started is what libxl 4.17 starts QEMU with, in part.
const started = "-xen-domid 3 -no-shutdown -chardev socket,id=libxl-cmd,path=/var/run/xen/qmp-libxl-3,server=on,wait=off " +
	"-mon chardev=libxl-cmd,mode=control -chardev socket,id=libxenstat-cmd,path=/var/run/xen/qmp-libxenstat-3,server=on,wait=off " +
	"-mon chardev=libxenstat-cmd,mode=control -nodefaults -no-user-config -name domU -vnc none -display none -machine xenfv -m 96"

func TestParse(t *testing.T) {
	tests := []struct {
		args string
		want Model
		err  string
	}{
		{started, Model{3, "/var/run/xen/qmp-libxl-3"}, ""},
		{strings.Replace(started, "-xen-domid 3", "", 1), Model{}, "no -xen-domid"},
		{strings.Replace(started, "-xen-domid 3", "-xen-domid x", 1), Model{}, `-xen-domid "x"`},
		{strings.Replace(started, "id=libxl-cmd,", "", 1), Model{}, "no -chardev with id=libxl-cmd"},
		{strings.Replace(started, "path=/var/run/xen/qmp-libxl-3,", "fd=5,", 1), Model{}, "no -chardev with id=libxl-cmd and a path"},
		{"", Model{}, "no -xen-domid"},
		{"-xen-domid", Model{}, "no -xen-domid"},
	}
	for _, tt := range tests {
		got, err := Parse(strings.Fields(tt.args))
		switch {
		case tt.err == "" && (err != nil || got != tt.want):
			t.Errorf("%s: %+v, %v", tt.args, got, err)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%s: error %v, want %q", tt.args, err, tt.err)
		}
	}
	if got := (Model{Domain: 3}).StatePath(); got != "/local/domain/0/device-model/3/state" {
		t.Error(got)
	}
}

// converse sends lines to a new server, one connection for each list, and returns what it
// answers, the greeting first.
func converse(t *testing.T, connections ...[]string) (answers []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "socket")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- Serve(l) }()
	for _, lines := range connections {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(conn)
		for i := -1; i < len(lines); i++ {
			if i >= 0 {
				if _, err := conn.Write([]byte(lines[i])); err != nil {
					t.Fatal(err)
				}
			}
			answer, err := r.ReadString('\n')
			if err != nil || !strings.HasSuffix(answer, "\r\n") {
				t.Fatalf("%q, %v: an answer ends with CR and LF", answer, err)
			}
			answers = append(answers, strings.TrimSuffix(answer, "\r\n"))
		}
		conn.Close()
	}
	l.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return answers
}

// TestMonitor has a conversation as libxl has it, in two connections.
func TestMonitor(t *testing.T) {
	const greeting = `{"QMP":{"capabilities":[],"version":{"package":"xsmbench","qemu":{"major":7,"micro":0,"minor":2}}}}`
	first := []string{
		`{"execute":"query-status","id":1}`,
		`{"execute":"qmp_capabilities","id":2}` + "\r\n",
		`{"execute":"query-chardev","id":3,"arguments":{}}` + "\n",
		`{"execute":"query-vnc","id":4}`,
		`{"execute":"device_add","id":{"of":5}}`,
		`{"execute":"qmp_capabilities"}`,
		`{"execute":"stop"}`, `{"execute":"query-status"}`,
	}
	second := []string{`{"execute":"qmp_capabilities","id":1}`, `{"execute":"query-status"}`, `{"execute":"cont"}`, `{"execute":"query-status"}`, "nonsense\n"}
	want := []string{
		greeting,
		`{"error":{"class":"CommandNotFound","desc":"qmp_capabilities is the first command, and no other"},"id":1}`,
		`{"return":{},"id":2}`,
		`{"return":[],"id":3}`,
		`{"return":{"enabled":false},"id":4}`,
		`{"error":{"class":"CommandNotFound","desc":"The command device_add has not been found"},"id":{"of":5}}`,
		`{"error":{"class":"CommandNotFound","desc":"qmp_capabilities is the first command, and no other"}}`,
		`{"return":{}}`, `{"return":{"running":false,"status":"paused"}}`,
		greeting,
		`{"return":{},"id":1}`, `{"return":{"running":false,"status":"paused"}}`,
		`{"return":{}}`, `{"return":{"running":true,"status":"running"}}`,
		`{"error":{"class":"GenericError","desc":"not a command: invalid character 'o' in literal null (expecting 'u')"}}`,
	}
	got := converse(t, first, second)
	for i, w := range want {
		if i >= len(got) || got[i] != w {
			t.Errorf("answer %d is not\n%s\n%q", i, w, got)
			return
		}
	}
}

// asked is a page with a request in a state.
func asked(state, kind, flags uint32, addr uint64, size, data uint32) access {
	page := make([]byte, 4096)
	le := binary.LittleEndian
	le.PutUint64(page[offAddr:], addr)
	le.PutUint64(page[offData:], uint64(data))
	le.PutUint32(page[offCount:], 1)
	le.PutUint32(page[offSize:], size)
	le.PutUint32(page[offPort:], 7)
	le.PutUint32(page[offState:], state<<stateShift|flags|kind<<typeShift)
	return access{page}
}

func (a access) data() uint64 { return binary.LittleEndian.Uint64(a.page[offData:]) }

// TestRequests: what Linux asks of the platform when it looks for a PCI bus and for the
// protocol of unplugging.
func TestRequests(t *testing.T) {
	const config = platformAt << 32
	p := newPlatform()
	for _, tt := range []struct {
		name        string
		kind, flags uint32
		addr        uint64
		size, data  uint32
		want        uint64
		err         string
	}{
		{"set address", typePort, 0, addressPort, 4, 0x80001000, 0x80001000, ""},
		{"one byte of it", typePort, 0, addressPort + 3, 1, 1, 1, ""},
		{"read address", typePort, isRead, addressPort, 4, 0, 0x80001000, ""},
		{"bridge", typeConfig, isRead, 0, 4, 0, 0x12378086, ""},
		{"bridge's class", typeConfig, isRead, 0x0a, 2, 0, 0x0600, ""},
		{"platform", typeConfig, isRead, config, 4, 0, 0x00015853, ""},
		{"set BAR 1", typeConfig, 0, config | offBAR1, 4, allOnes, allOnes, ""},
		{"size of BAR 1", typeConfig, isRead, config | offBAR1, 4, 0, 0xff000008, ""},
		{"set it back", typeConfig, 0, config | offBAR1, 4, platformMemory, platformMemory, ""},
		{"BAR 1", typeConfig, isRead, config | offBAR1, 4, 0, platformMemory | barPrefetch, ""},
		{"the identity stays", typeConfig, 0, config, 4, 0, 0, ""},
		{"as it was", typeConfig, isRead, config, 4, 0, 0x00015853, ""},
		{"nothing behind the end", typeConfig, isRead, config | 0xfe, 4, 0, allOnes, ""},
		{"no such function", typeConfig, isRead, 0xff << 32, 4, 0, allOnes, ""},
		{"magic", typePort, isRead, magicPort, 2, 0, magic, ""},
		{"version", typePort, isRead, versionPort, 1, 0, protocol, ""},
		{"unplug", typePort, 0, magicPort, 2, 7, 7, ""},
		{"another port", typePort, isRead, 0x60, 1, 0, allOnes, ""},
		{"invalidate", typeInvalidate, 0, 0, 4, 0, 0, ""},
		{"memory", 1, isRead, platformMemory, 4, 0, allOnes, "a request of type 1"},
		{"a string", typePort, isRead | isPointer, magicPort, 2, 0, 0, "string instructions"},
	} {
		a := asked(stateReady, tt.kind, tt.flags, tt.addr, tt.size, tt.data)
		served, err := a.serve(p)
		if !served || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, %v", tt.name, served, err)
		}
		if got := a.data(); got != tt.want {
			t.Errorf("%s: %#x, want %#x", tt.name, got, tt.want)
		}
		if word := *a.word(); word != stateAnswered<<stateShift|tt.flags|tt.kind<<typeShift || a.port() != 7 {
			t.Errorf("%s: state %#x, port %d", tt.name, word, a.port())
		}
	}
	for _, state := range []uint32{0, 2, stateAnswered} {
		a := asked(state, typePort, isRead, magicPort, 2, 0)
		if served, err := a.serve(p); served || err != nil || a.data() != 0 {
			t.Errorf("in state %d: %v, %v", state, served, err)
		}
	}
}
