package headers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/hypercall"
	"xsmbench/hv/xen/source"
	"xsmbench/internal/require"
)

// public are headers of a small Xen: a structure has moved, another has lost a
// field, and a third is gone.
var public = map[string]string{
	"xen.h": "typedef unsigned char xen_domain_handle_t[16];\n",
	"domctl.h": `#include "xen.h"
#define XEN_DOMCTL_INTERFACE_VERSION 0x00000018
#define XEN_DOMCTL_getdomaininfo 5
struct xen_domctl_getdomaininfo { uint16_t domain; uint32_t flags; uint64_t added, tot_pages; xen_domain_handle_t handle; };
struct xen_domctl { uint32_t cmd, interface_version; uint16_t domain, pad[3]; union { struct xen_domctl_getdomaininfo i; uint8_t pad[128]; } u; };
`,
	"sysctl.h":       "#define XEN_SYSCTL_INTERFACE_VERSION 0x16\nstruct xen_sysctl_sched_id { uint32_t other; };\n",
	"xsm/flask_op.h": "",
}

// tree is a tree with public headers.
func tree(t *testing.T, files map[string]string) *source.Tree {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, "xen/include/public", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &source.Tree{Dir: dir, Version: "a test's"}
}

func read(t *testing.T, tr *source.Tree) (*hypercall.Interface, error) {
	t.Helper()
	require.Program(t, "gcc", "gcc libc6-dev")
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return Read(t.Context(), s, tr)
}

func TestRead(t *testing.T) {
	got, err := read(t, tree(t, public))
	if err != nil {
		t.Fatal(err)
	}
	want := &hypercall.Interface{
		Constants: map[string]uint32{"XEN_DOMCTL_INTERFACE_VERSION": 0x18, "XEN_SYSCTL_INTERFACE_VERSION": 0x16, "XEN_DOMCTL_getdomaininfo": 5},
		Structs: map[string]hypercall.Structure{
			"xen_domctl": {Size: 144, Fields: map[string]hypercall.Field{"cmd": {At: 0, Size: 4}, "interface_version": {At: 4, Size: 4}, "domain": {At: 8, Size: 2}, "u": {At: 16, Size: 128}}},
			"xen_domctl_getdomaininfo": {Size: 40, Fields: map[string]hypercall.Field{
				"domain": {At: 0, Size: 2}, "flags": {At: 4, Size: 4}, "tot_pages": {At: 16, Size: 8}, "handle": {At: 24, Size: 16}}},
			"xen_sysctl_sched_id": {Size: 4, Fields: map[string]hypercall.Field{}},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestReadErrors(t *testing.T) {
	broken := map[string]string{"xen.h": "#error \"not for you\"\n", "domctl.h": "", "sysctl.h": "", "xsm/flask_op.h": ""}
	nothing := map[string]string{"xen.h": "", "domctl.h": "", "sysctl.h": "", "xsm/flask_op.h": ""}
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"broken", broken, `gcc: exit status 1: `},
		{"no headers", nil, "public/xen.h: No such file"},
		{"nothing wanted", nothing, "they have nothing of what is looked for"},
	} {
		if _, err := read(t, tree(t, tt.files)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}

func FuzzRefused(f *testing.F) {
	f.Add("question:3:1: error: 'X' undeclared here\nquestion:3:1: error: again\nquestion:1: warning: none", 5)
	f.Fuzz(func(t *testing.T, said string, questions int) {
		for i, n := range refused(said, questions) {
			if n < 0 || n >= questions || i > 0 && refused(said, questions)[i-1] >= n {
				t.Errorf("%q of %d: %v", said, questions, refused(said, questions))
			}
		}
	})
}
