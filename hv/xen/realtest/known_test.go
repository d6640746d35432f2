//go:build realxen

package realtest

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"xsmbench/hv/store"
	"xsmbench/hv/store/content"
	"xsmbench/hv/xen/debian"
	"xsmbench/hv/xen/source"
	"xsmbench/internal/require"
)

// change is a commit of the small history: edits of Xen's source.
type change struct {
	tag, subject string
	edits        []replacement
}

type replacement struct{ file, old, new string }

const (
	domctl   = "xen/common/domctl.c"
	kexec    = "xen/common/kexec.c"
	events   = "xen/common/event_channel.c"
	dummyXSM = "xen/include/xsm/dummy.h"
)

// changes are what developers do: each shows in one operation, or in none.
var changes = []change{
	{"lock", "domctl: take no lock to read a domain's state", []replacement{
		{domctl, "    if ( !domctl_lock_acquire() )\n", "    if ( op->cmd != XEN_DOMCTL_getdomaininfo && !domctl_lock_acquire() )\n"},
		{domctl, "    domctl_lock_release();\n\n domctl_out_unlock_domonly:", "    if ( op->cmd != XEN_DOMCTL_getdomaininfo )\n        domctl_lock_release();\n\n domctl_out_unlock_domonly:"},
	}},
	{"comment", "kexec: say something", []replacement{{kexec, "", "/* The end. */\n"}}},
	{"broken", "event channel: forget a semicolon", []replacement{{events, "    read_lock(&d->event_lock);\n\n    if ( consumer_is_xen(chn) )\n    {\n        rc = -EACCES;", "    read_lock(&d->event_lock)\n\n    if ( consumer_is_xen(chn) )\n    {\n        rc = -EACCES;"}}},
	{"check", "xsm: let the dummy look at an event channel's vCPU", []replacement{
		{events, "    read_lock(&d->event_lock)\n\n", "    read_lock(&d->event_lock);\n\n"},
		{dummyXSM, "xsm_evtchn_status(\n    XSM_DEFAULT_ARG struct domain *d, struct evtchn *chn)\n{\n    XSM_ASSERT_ACTION(XSM_TARGET);\n",
			"xsm_evtchn_status(\n    XSM_DEFAULT_ARG struct domain *d, struct evtchn *chn)\n{\n    XSM_ASSERT_ACTION(XSM_TARGET);\n    if ( chn->notify_vcpu_id >= d->max_vcpus )\n        return -EINVAL;\n"},
	}},
	{"type", "kernel: the version is an int, made a long for the caller", []replacement{{"xen/common/kernel.c",
		"return (xen_major_version() << 16) | xen_minor_version();", "return (int)((xen_major_version() << 16) | xen_minor_version());"}}},
	{"load", "x86: load the page tables twice", []replacement{{"xen/arch/x86/mm.c",
		"                        maddr_to_mfn(curr->arch.cr3 & ~X86_CR3_NOFLUSH))) )\n        write_ptbase(curr);\n",
		"                        maddr_to_mfn(curr->arch.cr3 & ~X86_CR3_NOFLUSH))) )\n    {\n        write_ptbase(curr);\n        write_ptbase(curr);\n    }\n"}}},
	{"unused", "kexec: look at the note of a crash", []replacement{{kexec,
		"    range->start = __pa((unsigned long)vmcoreinfo_data);\n",
		"    if ( !vmcoreinfo_data[0] )\n        return -ENOENT;\n\n    range->start = __pa((unsigned long)vmcoreinfo_data);\n"}}},
}

// makeHistory makes a repository of Xen's source, as the distribution has it, and
// of the changes. It returns the source's version.
func makeHistory(t *testing.T) (dir, version string) {
	t.Helper()
	require.Program(t, "git", "git")
	s, err := store.Default()
	if err != nil {
		t.Fatal(err)
	}
	original, err := source.Package(t.Context(), s, debian.Machine{}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer original.Release()
	dir = t.TempDir()
	if _, err := content.CopyTree(original.Dir, dir, original.Files); err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) {
		t.Helper()
		config := []string{"-C", dir, "-c", "user.name=A. Author", "-c", "user.email=a@example.org", "-c", "commit.gpgSign=false", "-c", "core.autocrlf=false"}
		if out, err := exec.Command("git", append(config, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q")
	git("add", "-f", ".")
	git("commit", "-q", "-m", "begin")
	git("tag", "base")
	for _, c := range changes {
		for _, e := range c.edits {
			if e.old == "" {
				path := filepath.Join(dir, e.file)
				write(t, path, read(t, path)+e.new)
				continue
			}
			edit(t, dir, e.file, e.old, e.new)
		}
		git("commit", "-q", "-a", "-m", c.subject)
		git("tag", c.tag)
	}
	return dir, original.Version
}

// answers is what series says, as JSON.
type answers struct {
	Revisions []struct{ Name, State, Of, Commit, Reason string }
	Steps     []struct {
		Name    string
		Changes []stepChange
	}
}

type stepChange struct {
	Benchmark, Build, Unit string
	Before, After          float64
	Exact                  bool
	Or                     []string
	Functions              []struct {
		Function, Hook string
		Instructions   float64
	}
}

// seriesOf runs xsmbench series over the history.
func seriesOf(t *testing.T, repo, home string) answers {
	t.Helper()
	cmd := exec.Command(program, "series", "--target", "xen", "--source", repo, "--revs", "base..unused", "--builds", "dummy", "--domains", "dom0",
		"--bench", `hypercall/op=(domctl_getdomaininfo|domctl_pause_unpause|evtchn_status|xen_version)$|lat_ctx/size=0K`, "--store", filepath.Join(home, "runs.db"), "-o", filepath.Join(home, "series"), "--format", "json")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("series: %v\n%s%s", err, out.String(), said.String())
	}
	t.Log(said.String())
	var a answers
	if err := json.Unmarshal(out.Bytes(), &a); err != nil {
		t.Fatalf("series: %v\n%s", err, out.String())
	}
	return a
}

// TestKnownCommits makes a history in which it is known what each commit does, and
// has series and bisect find it out.
func TestKnownCommits(t *testing.T) {
	t.Parallel()
	repo, _ := makeHistory(t)
	home := t.TempDir()
	a := seriesOf(t, repo, home)
	t.Run("states", a.states)
	t.Run("steps", a.steps)
	t.Run("bisect", func(t *testing.T) { bisectLock(t, repo, home, a) })
}

// states: all is measured but for the comment, which changes no image, and what
// does not compile.
func (a answers) states(t *testing.T) {
	var got []string
	for _, r := range a.Revisions {
		got = append(got, r.Name+" "+r.State)
		if r.State == "not built" && !strings.Contains(r.Reason, "common/event_channel.c:") {
			t.Errorf("%s: %s", r.Name, r.Reason)
		}
	}
	want := "base measured, lock measured, comment same image, broken not built, check measured, type measured, load measured, unused measured"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("revisions: %s\nwant: %s", s, want)
	}
}

func (a answers) steps(t *testing.T) {
	text, _ := json.MarshalIndent(a.Steps, "", " ")
	t.Logf("%s", text)
	var names []string
	for _, s := range a.Steps {
		names = append(names, s.Name)
		for _, c := range s.Changes {
			c.adds(t, s.Name)
		}
	}
	if got := strings.Join(names, " "); got != "lock check type load" {
		t.Errorf("steps %s, want lock check type load: what nothing executes, and comments, change nothing", got)
	}
	lock := a.of(t, "lock", "Kbench/hypercall/op=domctl_getdomaininfo")
	// The lock's release is inlined.
	if lock.part("domctl_lock_acquire") >= 0 || lock.part("_spin_trylock") >= 0 || lock.part("_spin_unlock") >= 0 || lock.After >= lock.Before {
		t.Errorf("the lock: %+v", lock)
	}
	// Pausing and unpausing are two calls, each with a comparison more.
	if c := a.of(t, "lock", "Kbench/hypercall/op=domctl_pause_unpause"); c.part("do_domctl") != c.After-c.Before || int(c.After-c.Before)%2 != 0 {
		t.Errorf("two calls that take the lock: %+v", c)
	}
	if c := a.of(t, "check", "Kbench/hypercall/op=evtchn_status"); c.After <= c.Before || c.After > c.Before+10 {
		t.Errorf("the check: %+v", c)
	}
	// By gcc 12.2's assembly one instruction less: the sign extension moves as well.
	if c := a.of(t, "type", "Kbench/hypercall/op=xen_version"); c.part("do_xen_version") != c.After-c.Before || c.Before == c.After || math.Abs(c.After-c.Before) > 3 {
		t.Errorf("the type: %+v", c)
	}
	if c := a.of(t, "load", "Lmbench/lat_ctx/size=0K/procs=2"); c.After <= c.Before {
		t.Errorf("the load: %+v", c)
	}
}

// of finds a step's change, which is to be exact.
func (a answers) of(t *testing.T, step, benchmark string) stepChange {
	t.Helper()
	for _, s := range a.Steps {
		if i := slices.IndexFunc(s.Changes, func(c stepChange) bool { return c.Benchmark == benchmark }); s.Name == step && i >= 0 {
			return s.Changes[i]
		}
	}
	t.Errorf("step %s does not change %s", step, benchmark)
	return stepChange{}
}

func (c stepChange) part(function string) float64 {
	sum := 0.
	for _, f := range c.Functions {
		if f.Function == function {
			sum += f.Instructions
		}
	}
	return sum
}

// adds: the functions explain the whole change.
func (c stepChange) adds(t *testing.T, step string) {
	sum := 0.
	for _, f := range c.Functions {
		sum += f.Instructions
	}
	if !c.Exact || sum != c.After-c.Before {
		t.Errorf("%s, %s: exact %v, %g to %g, of which functions explain %g", step, c.Benchmark, c.Exact, c.Before, c.After, sum)
	}
}

// bisectLock looks for the commit that took the lock away.
func bisectLock(t *testing.T, repo, home string, a answers) {
	dir := filepath.Join(home, "bisect")
	out, err := exec.Command(program, "bisect", "--target", "xen", "--source", repo, "--bench", "domctl_getdomaininfo", "--good", "base", "--bad", "unused", "--build", "dummy", "-o", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("bisect: %v\n%s", err, out)
	}
	t.Logf("%s", out)
	i := slices.IndexFunc(changes, func(c change) bool { return c.tag == "lock" })
	commit := a.Revisions[i+1].Commit
	for _, want := range []string{"first bad commit: " + commit, commit + " is the first bad commit", "domctl_lock_acquire"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("bisect does not say %q", want)
		}
	}
	log, err := os.ReadFile(filepath.Join(dir, "bisect.log"))
	if err != nil || !regexp.MustCompile(`(?m)^# first bad commit: \[`+commit+`\]`).Match(log) {
		t.Errorf("log: %v\n%s", err, log)
	}
}
