package hook_test

import (
	"go/token"
	"strings"
	"testing"

	"xsmbench/xsm/hook"
)

// The structure of Xen 3.2 has 49 common members, then 24 of x86.
func TestTableIsTheStructureOfXen32(t *testing.T) {
	const common, x86 = 49, 24
	if len(hook.Table) != common+x86 {
		t.Fatalf("table has %d hooks, want %d", len(hook.Table), common+x86)
	}
	for i, h := range hook.Table {
		if h.X86 != (i >= common) {
			t.Errorf("hook %d, %s: X86 = %v", i, h.Name, h.X86)
		}
	}
}

func TestHooksAreWellFormed(t *testing.T) {
	types := map[string]bool{
		"*Domain": true, "*Evtchn": true, "*Page": true,
		"*abi.DomainInfo": true, "*abi.XSMOpArgs": true, "abi.MFN": true, "abi.DomID": true,
		"int": true, "uint8": true, "uint32": true, "uint64": true,
	}
	names, goNames := map[string]bool{}, map[string]bool{}
	for _, h := range hook.Table {
		if names[h.Name] || goNames[h.Go] {
			t.Errorf("%s: declared twice", h.Name)
		}
		names[h.Name], goNames[h.Go] = true, true
		if !token.IsIdentifier(h.Name) || !token.IsIdentifier(h.Go) || !token.IsExported(h.Go) {
			t.Errorf("%s: bad names, %q in Go", h.Name, h.Go)
		}
		if (h.Result == "") != (h.Dummy == "") {
			t.Errorf("%s: result %q, but the dummy returns %q", h.Name, h.Result, h.Dummy)
		}
		if len(h.Hypercalls) == 0 {
			t.Errorf("%s: no hypercall", h.Name)
		}
		if (len(h.Source) == 0) != (h.Name == "complete_init") {
			t.Errorf("%s: callers %v", h.Name, h.Source)
		}
		if (len(h.Source) == 0) != (h.Privilege == "") {
			t.Errorf("%s: callers %v, privilege %q", h.Name, h.Source, h.Privilege)
		}
		for _, s := range h.Source {
			if file, function, ok := strings.Cut(s, ".c:"); !ok || file == "" || function == "" {
				t.Errorf("%s: source %q is not file:function:line", h.Name, s)
			}
		}
		for _, p := range h.Params {
			if !types[p.Type] || !token.IsIdentifier(p.Name) || p.Name == "cur" {
				t.Errorf("%s: bad parameter %v", h.Name, p)
			}
		}
	}
}

func TestLookup(t *testing.T) {
	h, ok := hook.Lookup("evtchn_send")
	if !ok || h.Go != "EvtchnSend" {
		t.Errorf("Lookup(evtchn_send) = %v, %v", h.Go, ok)
	}
	if h, ok := hook.Lookup("evtchn_sent"); ok {
		t.Errorf("Lookup(evtchn_sent) = %v", h.Go)
	}
}
