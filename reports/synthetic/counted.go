package synthetic

import (
	"fmt"
	"slices"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

// Count is an invented number of instructions for one operation, and what the
// hooks that it enters add in each kind of build.
type Count struct {
	Name  string
	Xen   float64 // without hooks
	Hooks float64
	XSM   map[string]float64 // by kind of build
	Guest float64
	// Restless is what one build's boots differ by, from round to round.
	Restless map[string]float64
	Dom0     bool
	// Way are the hooks, with as many calls as there are in all; nil if it is not told.
	Way []compare.Executed
	// Disturbed is never counted: what XSM executed is all there is.
	Disturbed bool
}

// Counts are a few of every kind: with one hook and with many, without, and one
// that does not reach Xen.
func Counts() []Count {
	c := func(name string, xen, hooks, native, dummy, flask float64) Count {
		return Count{Name: name, Xen: xen, Hooks: hooks, Guest: 301,
			XSM: map[string]float64{"native": native, "dummy": dummy, "flask": flask}}
	}
	all := []Count{
		c("Lmbench/lat_syscall/op=null", 74, 0, 0, 0, 0),
		c("Lmbench/lat_ops/op=add", 0, 0, 0, 0, 0),
		c("Lmbench/lat_pagefault", 2140, 2, 3, 41, 402),
		c("Lmbench/lat_proc/op=fork", 1204310, 412, 1236, 8240, 77456),
		c("Kbench/hypercall/op=xen_version", 262, 1, 2, 20, 118),
		c("Kbench/hypercall/op=evtchn_send", 1780, 1, 2, 20, 190),
		c("Kbench/hypercall/op=mmu_update/entries=16", 14208, 17, 34, 340, 3230),
		c("Kbench/hypercall/op=domctl_pause_unpause", 3312, 2, 6, 40, 380),
	}
	for i, way := range [][]compare.Executed{
		2: {{Hook: "update_va_mapping", Calls: 2}},
		3: {{Hook: "update_va_mapping", Calls: 280}, {Hook: "memory_pin_page", Calls: 100}, {Hook: "mmu_update", Calls: 32}},
		5: {{Hook: "evtchn_send", Calls: 1}},
		6: {{Hook: "mmu_update", Calls: 16}, {Hook: "domain_memory_map", Calls: 1}},
	} {
		all[i].Way = way
	}
	all[3].Restless = map[string]float64{"flask": 12}
	all[7].Dom0 = true
	roundtrip := c("Kbench/hypercall/op=evtchn_roundtrip", 0, 2, 4, 24, 332.5)
	roundtrip.Disturbed = true
	all = append(all, roundtrip)
	return all
}

// executed tells of some counts what they execute in their hooks: to each call its share.
func executed(_ compare.Environment, benchmark, build string) ([]compare.Executed, bool) {
	at := slices.IndexFunc(Counts(), func(c Count) bool { return c.Name == benchmark })
	if at < 0 || Counts()[at].Way == nil {
		return nil, false
	}
	c := Counts()[at]
	for i := range c.Way {
		c.Way[i].Instructions = c.XSM[build] * c.Way[i].Calls / c.Hooks
	}
	return c.Way, c.XSM[build] > 0
}

// CountedRun is the run.json of a run that counts.
func CountedRun(rounds int) results.Run {
	run := Run(rounds)
	run.Spec.Accel, run.Spec.DomU, run.Spec.Layouts = "tcg", "pv", 0
	run.Spec.Options = bench.Options{Windows: 20}
	run.Spec.Benchmarks = nil
	for _, c := range Counts() {
		run.Spec.Benchmarks = append(run.Spec.Benchmarks, c.Name)
	}
	return run
}

// WriteCounted makes the directory of a run that counts.
func WriteCounted(dir string, rounds int) error {
	d, err := results.Create(dir, CountedRun(rounds))
	if err != nil {
		return err
	}
	defer d.Close()
	boot := 0
	for round := 1; round <= rounds; round++ {
		for i, b := range Builds() {
			boot++
			w, err := d.Begin(results.Boot{Boot: boot, Round: round, Order: i + 1, Image: hash(b), Seed: int64(boot)}, b)
			if err != nil {
				return err
			}
			for _, m := range count(b, round) {
				if err := w.Add(m); err != nil {
					return err
				}
			}
			if err := w.End(); err != nil {
				return err
			}
		}
	}
	return nil
}

func count(b hv.Build, round int) []bench.Measurement {
	var all []bench.Measurement
	for _, domain := range []string{"dom0", "domU"} {
		for _, c := range Counts() {
			if c.Dom0 && domain != "dom0" {
				continue
			}
			all = append(all, c.measure(b, domain, round))
		}
	}
	return all
}

func (c Count) measure(b hv.Build, domain string, round int) bench.Measurement {
	xsm, restless := c.XSM[b.KindOf()], c.Restless[b.KindOf()]
	xen := c.Xen + xsm + restless*float64(round%2)
	m := bench.Measurement{
		Domain: domain, Benchmark: c.Name, Iterations: 20,
		Values: []bench.Value{
			{Value: xen, Unit: "xen-instr/op"}, {Value: xsm, Unit: "xsm-instr/op"}, {Value: c.Hooks, Unit: "hooks/op"},
			{Value: c.Guest, Unit: "guest-instr/op"}, {Value: xen + c.Guest, Unit: "instr/op"},
		},
	}
	if c.Disturbed {
		m.Values = m.Values[1:3]
		m.Warnings = append(m.Warnings, "not exact: in each of 20 windows an interrupt came; only the instructions of XSM are reported, as a mean")
	}
	if restless > 0 {
		m.Warnings = append(m.Warnings, fmt.Sprintf("%d of 20 clean windows agree", 17))
	}
	return m
}
