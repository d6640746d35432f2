package symbols

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xsmbench/hv/count/code"
	"xsmbench/xsm/hook"
)

func TestNames(t *testing.T) {
	for symbol, want := range map[string]string{
		"xsmbench/hv/model.(*VCPU).Hypercall":        "model.(*VCPU).Hypercall",
		"runtime.mallocgc":                           "runtime.mallocgc",
		"sync/atomic.(*Pointer[a/b.C]).Load":         "atomic.(*Pointer[a/b.C]).Load",
		"xsmbench/hv/count/mark.Begin.abi0":          "mark.Begin",
		"xsmbench/xsm/flask.(*Module).evtchnSend-fm": "flask.(*Module).evtchnSend-fm",
	} {
		if got, _ := shortName(symbol); got != want {
			t.Errorf("%s: %s, want %s", symbol, got, want)
		}
	}
}

func TestHookOf(t *testing.T) {
	for name, want := range map[string]string{
		"xsmbench/xsm.EvtchnSend": "evtchn_send", "xsm.MMUNormalUpdate": "mmu_normal_update",
		"xsmbench/xsm.dummyEvtchnSend": "", "xsmbench/xsm/flask.EvtchnSend": "", "main.EvtchnSend": "", "xsm.Init": "",
	} {
		if got, ok := hookOf(name); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v; want %q", name, got, ok, want)
		}
	}
}

func TestHandlerOf(t *testing.T) {
	for function, want := range map[string]string{
		"model.doMMUUpdate": "do_mmu_update", "model.doMMUExtOp": "do_mmuext_op", "model.doFPUTaskSwitch": "do_fpu_taskswitch",
		"model.doUpdateVAMappingOther": "do_update_va_mapping_otherdomain", "model.doXSMOp": "do_xsm_op", "model.doIret": "do_iret",
		"model.(*Machine).switchFrom": "do_softirq", "model.doDomctl.deferwrap1": "", "model.domainOf": "", "flask.doXSMOp": "", "model.do": "",
		"model.(*VCPU).pageFault": "", // from where its stack is known to suffice
	} {
		got, ok := handlerOf(function)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("%s: %q, want %q", function, got, want)
		}
	}
}

// build compiles the model.
func build(t *testing.T, arch, tags string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "xsmmodel")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags="+tags, "-o", path, "xsmbench/cmd/xsmmodel")
	cmd.Env = append(os.Environ(), "GOARCH="+arch)
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, msg)
	}
	return path
}

// TestRead maps the model as it is: every hook that has a caller has a site
// with a call in the builds with the framework, and none in native.
func TestRead(t *testing.T) {
	var want, checked []string
	for _, h := range hook.Table {
		if len(h.Source) > 0 && h.Name != "complete_init" { // which nothing calls
			want = append(want, h.Name)
		}
		if h.Check != "" {
			checked = append(checked, h.Name)
		}
	}
	slices.Sort(checked)
	slices.Sort(want)
	for _, tt := range []struct {
		arch, tags string
		hooks      []string // that are called
		checks     []string // in place
	}{
		{"amd64", "", nil, nil}, {"amd64", "xsm", want, want}, {"amd64", "xsm,flask", want, want}, {"386", "xsm,flask", want, want},
		{"amd64", "xsminline", nil, checked}, {"386", "xsminline", nil, checked},
		{"amd64", "xsm,xsmdirect", want, want}, {"amd64", "xsm,flask,xsmdirect", want, want}, {"386", "xsm,flask,xsmdirect", want, want},
	} {
		t.Run(tt.arch+" "+tt.tags, func(t *testing.T) {
			m, err := Read(build(t, tt.arch, tt.tags))
			if err != nil {
				t.Fatal(err)
			}
			got := slices.Sorted(slices.Values(m.Hooks))
			for _, h := range tt.hooks {
				if !slices.Contains(got, h) {
					t.Errorf("no call of %s was found", h)
				}
			}
			if len(tt.hooks) == 0 && len(got) > 0 {
				t.Errorf("hooks of native: %v", got)
			}
			if sites := sitesIn(m); !slices.Equal(sites, tt.checks) {
				t.Errorf("sites of %v, want %v", sites, tt.checks)
			}
			if !m.Shared || m.Area.Lo == 0 || m.Area.Hi <= m.Area.Lo {
				t.Errorf("area %x-%x, shared %v", m.Area.Lo, m.Area.Hi, m.Shared)
			}
			checkEvents(t, m)
		})
	}
}

// sitesIn are the hooks that have code of their own in functions, which is
// entered.
func sitesIn(m *code.Map) []string {
	var all []string
	for _, cell := range m.Entries {
		if h := m.Cells[cell].Hook; h != "" && !slices.Contains(all, h) {
			all = append(all, h)
		}
	}
	slices.Sort(all)
	return all
}

func checkEvents(t *testing.T, m *code.Map) {
	t.Helper()
	kinds := map[code.EventKind]int{}
	for _, e := range m.Events {
		if e.At < m.Area.Lo || e.At >= m.Area.Hi {
			t.Errorf("event %c at %x, outside of the program", e.Kind, e.At)
		}
		kinds[e.Kind]++
	}
	if kinds[code.Enter] != len(entered) || kinds[code.Leave] < len(entered) || kinds[code.Out] < len(callbacks) {
		t.Errorf("events %v", kinds)
	}
	for _, name := range []string{"do_mmu_update", "do_event_channel_op", "do_page_fault", "do_xsm_op", "do_sysctl", "do_softirq"} {
		if !slices.Contains(m.Handlers, name) {
			t.Errorf("no handler %s", name)
		}
	}
	probes := 0
	for _, c := range m.Cells {
		if c.Probe {
			probes++
		}
	}
	if probes != len(disturbing) {
		t.Errorf("%d probes, want %s", probes, strings.Join(disturbing, ", "))
	}
}
