package synthetic

import (
	"fmt"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
)

// BuildsOfChange are two builds of one kind, from two revisions.
func BuildsOfChange() []hv.Build {
	return []hv.Build{
		{Name: "before", Kind: "flask", Arch: "amd64", Rev: "v1"},
		{Name: "after", Kind: "flask", Arch: "amd64", Rev: "v2", Options: []string{"sched=credit2"}},
	}
}

// hashOfChange is the image's, since both builds are of one kind.
func hashOfChange(b hv.Build) string { return hash(hv.Build{Name: b.Name}) }

// sourceOfChange is what v2 has otherwise: a hook is crossed no more, a function has
// another check, and two functions that no benchmark executes are changed.
var sourceOfChange = hv.SourceChange{
	Changed: 3, Added: 42, Removed: 5, Files: []hv.FileChange{
		{Path: "xen/common/domctl.c", Added: 2, Removed: 3, Functions: []string{"do_domctl"}},
		{Path: "xen/common/grant_table.c", Added: 6, Removed: 2, Functions: []string{"gnttab_copy_lock_domain", "swap_grant_ref"}},
		{Path: "xen/common/quota.c", State: hv.FileNew, Added: 34},
	},
}

// policyOfChange is what v2's policy says otherwise.
var policyOfChange = hv.PolicyChange{Parts: []hv.PolicyPart{
	{What: "version", Before: "24", After: "30"},
	{What: "rules", Added: 4, Removed: 1, New: []string{"allow domU_t dom0_t:event { send }", "allow domU_t quota_t:resource { use }", "allow quota_t domU_t:domain { pause unpause }", "allow quota_t xen_t:xen { physinfo }"}, Gone: []string{"allow domU_t xen_t:version { xen_changeset }"}},
}}

// ChangeRun is the run.json of the run.
func ChangeRun() results.Run {
	run := Run(2)
	run.Command = []string{"xsmbench", "run", "--builds", "before=flask@v1,after=flask@v2"}
	run.Spec.Accel, run.Spec.Layouts, run.Spec.Options = "tcg", 0, bench.Options{Windows: 20}
	run.Spec.Builds, run.Spec.Dom0Only, run.Spec.Benchmarks, run.Images = BuildsOfChange(), nil, nil, nil
	for _, b := range BuildsOfChange() {
		config := "source=" + b.Rev + ` CC_VERSION="gcc 1" XSM=y XSM_FLASK=y`
		if b.Rev == "v2" {
			config += " QUOTA=y"
		}
		run.Images = append(run.Images, hv.Image{Build: b, Hash: hashOfChange(b), Dispatch: "table", Toolchain: "gcc 1", Config: config, Size: 1 << 20})
	}
	for _, m := range changed(BuildsOfChange()[0], "dom0") {
		run.Spec.Benchmarks = append(run.Spec.Benchmarks, m.Benchmark)
	}
	run.Sources = []results.SourceChange{{Base: "before", Build: "after", Arch: "amd64", SourceChange: sourceOfChange}}
	run.Policies = []results.PolicyChange{{Base: "before", Build: "after", Arch: "amd64", PolicyChange: policyOfChange}}
	return run
}

// bodiesOfChange are the functions of a build.
func bodiesOfChange(b hv.Build) []hv.Body {
	var all []hv.Body
	for _, name := range []string{"do_domctl", "do_event_channel_op", "evtchn_send", "flask_domctl", "flask_evtchn_send", "gnttab_copy", "swap_grant_ref"} {
		code := strings.Repeat("00", 6)
		if b.Rev == "v2" && slices.Contains([]string{"do_domctl", "evtchn_send", "gnttab_copy", "swap_grant_ref"}, name) {
			code = strings.Repeat("01", 6)
		}
		all = append(all, hv.Body{Name: name, Size: 100, Code: code, Shifted: code})
	}
	if b.Rev == "v2" {
		all = append(all, hv.Body{Name: "quota", Size: 40, Code: "02", Shifted: "02"})
	}
	return all
}

// changed is what a build counts in a domain.
func changed(b hv.Build, domain string) []bench.Measurement {
	after := b.Rev == "v2"
	send := []bench.Path{
		{Handler: "do_event_channel_op", Function: "do_event_channel_op", Part: bench.PartEntry, Calls: 1, Instructions: 300},
		{Handler: "do_event_channel_op", Function: "evtchn_send", Calls: 1, Instructions: pick(after, 500, 512)},
		{Handler: "do_event_channel_op", Hook: "evtchn_send", Function: "evtchn_send", Part: bench.PartSite, Calls: 1, Instructions: 4},
		{Handler: "do_event_channel_op", Hook: "evtchn_send", Function: "flask_evtchn_send", Part: bench.PartBody, Calls: 1, Instructions: 150},
	}
	domctl := []bench.Path{{Handler: "do_domctl", Function: "do_domctl", Part: bench.PartEntry, Calls: 1, Instructions: pick(after, 3000, 2998)}}
	if !after {
		domctl = append(domctl,
			bench.Path{Handler: "do_domctl", Hook: "domctl", Function: "do_domctl", Part: bench.PartSite, Calls: 1, Instructions: 6},
			bench.Path{Handler: "do_domctl", Hook: "domctl", Function: "flask_domctl", Part: bench.PartBody, Calls: 1, Instructions: 20})
	}
	null := []bench.Path{{Function: "lstar_enter", Calls: 1, Instructions: 74}}
	return []bench.Measurement{
		counted(domain, "Lmbench/lat_syscall/op=null", null),
		counted(domain, "Kbench/hypercall/op=evtchn_send", send),
		counted(domain, "Kbench/hypercall/op=domctl_getdomaininfo", domctl),
	}
}

func pick(second bool, a, b int64) int64 {
	if second {
		return b
	}
	return a
}

// counted is the sample that a profile gives.
func counted(domain, benchmark string, paths []bench.Path) bench.Measurement {
	p := &bench.Profile{Windows: 1, Ops: 1, Paths: paths}
	total := int64(0)
	for _, x := range paths {
		total += x.Instructions
		p.Executed = append(p.Executed, x.Function)
	}
	xsm, hooks := p.Attributed()
	return bench.Measurement{Domain: domain, Benchmark: benchmark, Iterations: 20, Profile: p, Values: []bench.Value{
		{Value: float64(total), Unit: "xen-instr/op"}, {Value: xsm, Unit: "xsm-instr/op"}, {Value: hooks, Unit: "hooks/op"},
	}}
}

// WriteChange makes the directory of a run that measures a change.
func WriteChange(dir string) error {
	run := ChangeRun()
	d, err := results.Create(dir, run)
	if err != nil {
		return err
	}
	defer d.Close()
	for i, img := range run.Images {
		if err := d.RecordFunctions(&img, bodiesOfChange(BuildsOfChange()[i])); err != nil {
			return err
		}
	}
	for boot := range 4 {
		b := BuildsOfChange()[boot%2]
		w, err := d.Begin(results.Boot{Boot: boot + 1, Round: boot/2 + 1, Order: boot%2 + 1, Image: hashOfChange(b), Seed: int64(boot)}, b)
		if err != nil {
			return err
		}
		for _, domain := range run.Spec.Domains {
			for _, m := range changed(b, domain) {
				if err := w.Add(m); err != nil {
					return fmt.Errorf("%s: %w", m.Benchmark, err)
				}
			}
		}
		if err := w.End(); err != nil {
			return err
		}
	}
	return nil
}
