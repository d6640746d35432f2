package about

import (
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
)

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
	a := Of(run, nil)
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
	if a := Of(nil, nil); len(a.Notes) != 1 || len(a.Facts) != 0 {
		t.Errorf("without a run: %+v", a)
	}
}
