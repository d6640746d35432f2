package about

import (
	"slices"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

// measured is a sample with a value in each unit.
func measured(units ...string) *compare.Set {
	var s results.Sample
	for _, u := range units {
		s.Values = append(s.Values, bench.Value{Value: 1, Unit: u})
	}
	return compare.SetOf([]results.Sample{s})
}

func TestOf(t *testing.T) {
	run := &results.Run{
		Tool: "1", Command: []string{"xsmbench", "run"},
		Spec: results.Spec{Target: "xen", Accel: "tcg", Workload: "idle", Rounds: 3, Layouts: 2, DomU: "pvh", Idle: 2,
			Options: bench.Options{Windows: 20}},
		Host: results.Host{OS: "linux", Arch: "amd64", CPU: "Some CPU", CPUs: 2, MemoryMB: 8000, Virtual: "kvm",
			Mitigations: map[string]string{"meltdown": "Not affected", "retbleed": "Vulnerable"}},
		Images: []hv.Image{
			{Build: hv.Build{Name: "native", Arch: "amd64"}, Hash: "0123456789abcdef", Dispatch: "compiled out"},
			{Build: hv.Build{Name: "dummy", Arch: "amd64"}, Hash: "1", Dispatch: "table"},
			{Build: hv.Build{Name: "dummy", Arch: "amd64", Layout: 1}, Hash: "2", Dispatch: "table"},
		},
	}
	units := []string{"ns/op", "xen-instr/op"}
	a := Of(run, measured(units...), nil)
	var text strings.Builder
	for _, f := range a.Facts {
		text.WriteString(f.Label + ": " + f.Text + "\n")
	}
	for _, b := range a.Builds {
		text.WriteString(b.Name + ": " + b.Describe() + "\n")
	}
	want := `target: xen, tcg, workload idle
domU: pvh, 2 idle beside it
machine: Some CPU, 2 CPUs, 8.0 GB, virtual: kvm
system: linux, amd64
mitigations: retbleed: Vulnerable
rounds: 3 rounds over 2 layouts of each build
command: xsmbench run
tool: xsmbench 1
native: hooks: compiled out, amd64, image 0123456789ab
dummy: hooks: table, amd64, 2 images
`
	if text.String() != want {
		t.Errorf("got\n%swant\n%s", text.String(), want)
	}
	notes := strings.Join(a.Notes, "\n")
	for _, part := range []string{`target "xen under tcg"`, "in 20 marked windows", "that of the emulator", "itself a virtual one"} {
		if !strings.Contains(notes, part) {
			t.Errorf("notes lack %q:\n%s", part, notes)
		}
	}
	if a := Of(nil, nil, nil); len(a.Notes) != 1 || len(a.Facts) != 0 {
		t.Errorf("without a run: %+v", a)
	}
}

// A run that only counts says what it counts, and nothing of time.
func TestNotesOfCounts(t *testing.T) {
	run := &results.Run{Spec: results.Spec{Target: "xen", Options: bench.Options{Windows: 21}}, Host: results.Host{Virtual: "kvm"}}
	units := []string{"xen-instr/op", "hooks/op"}
	notes := strings.Join(Of(run, measured(units...), nil).Notes, "\n")
	for part, want := range map[string]bool{
		"instructions that Xen executed": true, "in 21 marked windows": true, "no time was measured": true,
		"wall time": false, "ns/op": false, "neighbours": false,
	} {
		if strings.Contains(notes, part) != want {
			t.Errorf("%q: want %t in\n%s", part, want, notes)
		}
	}
	run.Spec.Accel = "kvm"
	if notes := strings.Join(Of(run, measured("ns/op"), nil).Notes, "\n"); !strings.Contains(notes, "wall time") || strings.Contains(notes, "instructions that") {
		t.Errorf("notes of times:\n%s", notes)
	}
}

// TestJobNotes: what is counted as a whole is not said to be counted as the rest.
func TestJobNotes(t *testing.T) {
	const job = "AboutTest/job"
	bench.Register(bench.Benchmark{
		Suite: "AboutTest", Name: "job", Unit: "ns/op", Full: true, Doc: "a macro benchmark", Source: "this test",
		Run: func(bench.Domain, bench.Options) ([]bench.Value, error) { return nil, nil },
		Job: &bench.Job{Windows: 2, Intervals: func(bench.Domain, bench.Options) (bench.Interval, error) { return bench.Interval{}, nil }},
	})
	const long = "AboutTest/long"
	bench.Register(bench.Benchmark{
		Suite: "AboutTest", Name: "long", Unit: "ns/op", Full: true, Doc: "an operation that outlasts a tick", Source: "this test", Whole: true,
		Setup: func(bench.Domain) (bench.Loop, func(), error) { return nil, nil, nil },
	})
	want := []string{
		job + " is counted as a whole, in 2 windows of each boot, with the interrupts that come in them",
		long + " is counted as a whole, with the interrupts that come in its windows",
	}
	run := &results.Run{Spec: results.Spec{Target: "xen", Benchmarks: []string{"AboutTest/unknown", job, long}, Options: bench.Options{Windows: 21}}}
	if all := notes(run, []string{"xen-instr/op"}); !slices.Equal(all[1:3], want) {
		t.Errorf("%q", all)
	}
	if all := notes(run, []string{"ns/op"}); slices.Contains(all, want[0]) {
		t.Errorf("timed: %q", all)
	}
}

func TestShortConfigurations(t *testing.T) {
	build := func(name, arch, config string) hv.Image {
		return hv.Image{Build: hv.Build{Name: name, Arch: arch}, Config: config}
	}
	run := &results.Run{Images: []hv.Image{
		build("native", "amd64", `source=4.17 64BIT=y CMDLINE="a=\"b\" c" NR_CPUS=256 PV=y`),
		build("again", "amd64", `source=4.17 64BIT=y CMDLINE="a=\"b\" c" NR_CPUS=256 PV=y`),
		build("dummy", "amd64", `source=4.17 64BIT=y CMDLINE="a=\"b\" c" NR_CPUS=64 XSM=y XSM_DUMMY_DEFAULT=y`),
		build("mine", "amd64", `source=4.18 64BIT=y CMDLINE="a=\"b\" c" NR_CPUS=256 PV=y`),
		build("flask", "arm64", `source=4.17 64BIT=y XSM=y XSM_FLASK=y`),
		build("model", "386", "xsm,xsm_flask GOAMD64=v1"),
		build("none", "386", ""),
	}}
	want := []string{
		"source=4.17, 4 options set, XSM not set",
		"that of native",
		"that of native but NR_CPUS=64 XSM=y XSM_DUMMY_DEFAULT=y -PV",
		"source=4.18, else that of native",
		"source=4.17, 3 options set, XSM=y XSM_FLASK=y",
		"xsm,xsm_flask GOAMD64=v1",
		"",
	}
	for i, b := range Of(run, nil, nil).Builds {
		if b.Short != want[i] || b.Config != run.Images[i].Config {
			t.Errorf("%s: %q, want %q", b.Name, b.Short, want[i])
		}
	}
}

func TestProblemLines(t *testing.T) {
	a := About{Problems: []results.Problem{{File: "a", Line: 3, Text: "x"}, {File: "a", Line: 9, Text: "x"}, {File: "b", Line: 3, Text: "x"}, {File: "b", Text: "y"}}}
	if got, want := strings.Join(a.ProblemLines(), "; "), "a:3,9: x; b:3: x; b: y"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestChecklist(t *testing.T) {
	run := &results.Run{
		Tool: "1", Command: []string{"xsmbench", "run", "--bench", "op=a|b", "it's", ""},
		Spec: results.Spec{Target: "xen", Workload: "idle", Rounds: 2, Domains: []string{"dom0", "domU"}, DomU: "pv"},
		Host: results.Host{CPU: "Some CPU", CPUs: 2, Mitigations: map[string]string{"retbleed": "Vulnerable"}},
		Images: []hv.Image{
			{Build: hv.Build{Name: "native", Arch: "amd64"}, Hash: "0a", Toolchain: "gcc 12", Dispatch: "inlined", Size: 1000,
				Config: "source=4.17 A=y", Sections: map[string]int64{".text": 700, ".bss": 1}},
			{Build: hv.Build{Name: "flask", Arch: "amd64"}, Hash: "0b", Toolchain: "gcc 12", Dispatch: "patched direct call", Size: 1200,
				Config: "source=4.17 A=y XSM=y", Sections: map[string]int64{".text": 900, ".bss": 1}},
		},
		Settings: []hv.Setting{{Item: hv.SettingVCPUs, Text: "1 in each"}, {Item: hv.SettingPolicy, Build: "flask", Text: "enforcing"}},
	}
	samples := []results.Sample{
		{Boot: results.Boot{Boot: 1, Round: 1}, File: "runs/x/results/a.txt"}, {Boot: results.Boot{Boot: 2, Round: 1}, File: "runs/x/results/b.txt"},
	}
	var text strings.Builder
	for _, i := range Of(run, compare.SetOf(samples), nil).Checklist {
		for _, l := range i.Lines {
			text.WriteString(strings.TrimSpace(i.Label+": "+l.Build+": "+l.Text+" | "+l.More) + "\n")
		}
		if i.Recorded() == (i.Lines[0].Text == NotRecorded) {
			t.Errorf("%s: recorded: %t", i.Label, i.Recorded())
		}
	}
	want := `source revision: : 4.17 |
configuration: native: source=4.17, 1 options set, XSM not set | source=4.17 A=y
configuration: flask: that of native but XSM=y | source=4.17 A=y XSM=y
compiler: : gcc 12 |
hooks are reached by: native: inlined |
hooks are reached by: flask: patched direct call |
image sizes: native: 1000 bytes | .bss 1, .text 700
image sizes: flask: 1200 (+200) bytes | .bss 1 (+0), .text 900 (+200)
image hashes: native: 0a |
image hashes: flask: 0b |
CPU: : Some CPU, 2 CPUs |
system: : not recorded |
mitigations: : retbleed: Vulnerable |
target: : xen, workload idle |
accelerator: : the target's own (none was named) |
domains: : dom0, domU; domU: pv |
vCPUs and pinning: : 1 in each |
policy and mode: flask: enforcing |
hypervisor's command line: : not recorded |
AVC state: : not recorded |
rounds: : 2 rounds |
margins and floors: : not recorded |
raw data: : runs/x/results: 2 files in Go's benchmark format, 2 samples, of 2 boots |
command to repeat: : xsmbench run --bench 'op=a|b' 'it'"'"'s' '' |
tool: : xsmbench 1 |
`
	if text.String() != want {
		t.Errorf("got\n%swant\n%s", text.String(), want)
	}
	if a := Of(nil, nil, nil); a.Checklist != nil {
		t.Error("a checklist of an unknown run")
	}
}
