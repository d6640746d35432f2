//go:build xsm

package model

import (
	"reflect"
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/hook"
)

// spy makes a table whose every hook is counted and returns what deny has for
// it, 0 for most.
func spy(t *testing.T, count map[string]int, deny map[string]abi.Errno) *xsm.Operations {
	t.Helper()
	ops := new(xsm.Operations)
	for _, h := range hook.Table {
		field := reflect.ValueOf(ops).Elem().FieldByName(h.Go)
		typ := field.Type()
		field.Set(reflect.MakeFunc(typ, func([]reflect.Value) []reflect.Value {
			count[h.Name]++
			if typ.NumOut() == 0 {
				return nil
			}
			result := reflect.New(typ.Out(0)).Elem()
			result.SetInt(int64(deny[h.Name]))
			return []reflect.Value{result}
		}))
	}
	return ops
}

// issueWith makes a row's call as dom0 with a table in force, and takes the
// table out of use.
func (c *call) issueWith(t *testing.T, ops *xsm.Operations) answer {
	t.Helper()
	w := newWorld(t)
	w.self = w.dom0
	a := c.args(w)
	if rc := xsm.Register(ops); rc != 0 {
		t.Fatalf("register: %v", rc)
	}
	defer xsm.Unregister(ops)
	rc := w.dom0.call(c.nr, &a)
	return answer{rc, statusOf(a.H)}
}

// TestHooksCrossed makes every call of the table and counts: each row crosses
// the hook it names once, and together they cross all hooks that Xen 3.2 calls.
func TestHooksCrossed(t *testing.T) {
	total := map[string]int{}
	for i := range calls {
		c := &calls[i]
		count := map[string]int{}
		deny := map[string]abi.Errno{"__do_xsm_op": -abi.ENOSYS}
		c.issueWith(t, spy(t, count, deny))
		for name, n := range count {
			total[name] += n
		}
		want := 1
		if c.name == "getdomaininfolist" {
			want = 4 // one per domain
		}
		if c.hook != "" && count[c.hook] != want {
			t.Errorf("%s: %d times hook %s, want %d", c.name, count[c.hook], c.hook, want)
		}
		// A refusal on grounds of privilege crosses no hook.
		if c.dom0 == ePerm && len(count) != 0 {
			t.Errorf("%s: refused, but after hooks %v", c.name, count)
		}
	}
	for _, h := range hook.Table {
		switch {
		case len(h.Source) == 0: // dead in Xen
			if total[h.Name] != 0 {
				t.Errorf("hook %s is called", h.Name)
			}
		case total[h.Name] == 0 && !elsewhere[h.Name]:
			t.Errorf("no call crosses hook %s", h.Name)
		}
	}
}

// elsewhere are hooks that other tests cross: they need a machine in a state
// that no single call finds.
var elsewhere = map[string]bool{
	"alloc_security_evtchn": true, // the first port of a domain
	"free_security_domain":  true, // a domain's end
	"translate_gpfn_list":   true, // a translated domain
}

// TestDomUCrossesNoControlHook makes the control operations as domU: they are
// refused before any hook.
func TestDomUCrossesNoControlHook(t *testing.T) {
	for i := range calls {
		c := &calls[i]
		if c.domU != ePerm || c.hook == "" {
			continue
		}
		w := newWorld(t)
		w.self = w.domU
		a := c.args(w)
		count := map[string]int{}
		ops := spy(t, count, nil)
		if rc := xsm.Register(ops); rc != 0 {
			t.Fatal(rc)
		}
		w.domU.call(c.nr, &a)
		xsm.Unregister(ops)
		if count[c.hook] != 0 {
			t.Errorf("%s from domU crosses hook %s", c.name, c.hook)
		}
	}
}

// TestDenied lets each hook refuse with -EACCES and compares with what Xen 3.2
// answers: most hand the error on, some have their own.
func TestDenied(t *testing.T) {
	for i := range calls {
		c := &calls[i]
		if c.hook == "" || c.denied == ok && c.hook != "getpageframeinfo" {
			continue
		}
		deny := map[string]abi.Errno{c.hook: -abi.EACCES}
		if got := c.issueWith(t, spy(t, map[string]int{}, deny)); got != c.denied {
			t.Errorf("%s denied by %s: %v, want %v", c.name, c.hook, got, c.denied)
		}
	}
}

// TestEvtchnLabels counts a port's labels: a bucket is labelled whole when its
// first port is taken, and gives one back for all when the domain ends.
func TestEvtchnLabels(t *testing.T) {
	m, dom0 := quiet(t)
	count := map[string]int{}
	ops := spy(t, count, nil)
	if rc := xsm.Register(ops); rc != 0 {
		t.Fatal(rc)
	}
	defer xsm.Unregister(ops)
	d := m.createDomain(m.hookCPU(), 9, 0, 0)
	if n := count["alloc_security_evtchn"]; n != evtchnsPerBucket {
		t.Errorf("%d labels for a domain's first bucket, want %d", n, evtchnsPerBucket)
	}
	m.newVCPU(d, 0, 0)
	m.domctlLock.Lock()
	rc := d.kill(dom0)
	m.domctlLock.Unlock()
	if rc != 0 {
		t.Fatalf("kill: %v", rc)
	}
	for name, want := range map[string]int{
		"alloc_security_domain": 1, "free_security_domain": 1, "domain_create": 1, "free_security_evtchn": 1,
	} {
		if count[name] != want {
			t.Errorf("hook %s called %d times in a domain's life, want %d", name, count[name], want)
		}
	}
}

// TestLabelRefused refuses what a domain's creation needs, one after another.
func TestLabelRefused(t *testing.T) {
	for _, name := range []string{"alloc_security_domain", "domain_create", "alloc_security_evtchn"} {
		m, _ := quiet(t)
		free := m.heap.available()
		count := map[string]int{}
		ops := spy(t, count, map[string]abi.Errno{name: -abi.ENOMEM})
		if rc := xsm.Register(ops); rc != 0 {
			t.Fatal(rc)
		}
		d := m.createDomain(m.hookCPU(), 9, 0, 0)
		xsm.Unregister(ops)
		if d != nil || m.domainByID(9) != nil {
			t.Errorf("%s refuses, but the domain is there", name)
		}
		if count["free_security_domain"] != 1 {
			t.Errorf("%s refuses: domain's label freed %d times", name, count["free_security_domain"])
		}
		if got := m.heap.available(); got != free {
			t.Errorf("%s refuses: %d frames lost", name, free-got)
		}
	}
}
