package xen

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/count"
	"xsmbench/hv/count/mark"
	"xsmbench/hv/count/window"
)

// count replaces the times of samples by what the plug-in counted.
func (m *machine) count(w *watched, plan bench.Plan, samples []bench.Measurement) error {
	f, err := os.Open(filepath.Join(w.dir, windowsFile))
	if err != nil {
		return w.failed(hv.BadProtocol, err)
	}
	defer f.Close()
	windows, err := window.Read(f)
	if err != nil {
		return w.failed(hv.BadProtocol, err)
	}
	c := count.New(m.start.code)
	c.Processors = m.start.shape.processors()
	bySlot := map[string]map[int][]window.Window{}
	for _, win := range windows {
		if err := c.Check(win); err != nil {
			return w.failed(hv.BadProtocol, err)
		}
		if bySlot[win.Domain] == nil {
			bySlot[win.Domain] = map[int][]window.Window{}
		}
		bySlot[win.Domain][win.Slot] = append(bySlot[win.Domain][win.Slot], win)
	}
	for i := range samples {
		s := &samples[i]
		if s.Error != "" {
			continue
		}
		b, ok := bench.Find(s.Benchmark)
		index := slices.Index(plan.Benchmarks, s.Benchmark)
		if !ok || index < 0 {
			return w.failed(hv.BadProtocol, fmt.Errorf("a sample of %s, which the plan does not have", s.Benchmark))
		}
		c.Fill(s, b, func(p bench.Phase) []window.Window { return bySlot[s.Domain][mark.Slot(index, p)] })
		if why := notExact(s.Benchmark); why != "" && s.Error == "" {
			s.Warnings = append(s.Warnings, bench.NotExact+why)
		}
	}
	return nil
}

// stateful are benchmarks in which what Xen does depends on more than the
// operation, so that two boots of one image may differ.
var stateful = map[string]string{
	"Lmbench/lat_ctx/size=16K/procs=8":             "how often the ring's processes are switched depends on where the guest's scheduler stands",
	"Kbench/hypercall/op=sched_yield":              "what the scheduler does depends on where its time slices stand",
	"Kbench/hypercall/op=memory_increase_decrease": ofHeap,
	"Kbench/hypercall/op=memory_exchange":          ofHeap,
	"Kbench/hypercall/op=domctl_createdomain":      ofHeap,
	"Kbench/hypercall/op=domctl_create_destroy":    ofHeap,
	"Kbench/hypercall/op=domctl_max_vcpus":         ofHeap,
}

// statefulFamilies are such benchmarks by the beginnings of their names.
var statefulFamilies = map[string]string{
	"Lmbench/lat_usleep/": ofTimer,
	"Lmbench/lat_fcntl":   ofScheduler,
	"Lmbench/lat_pmake/":  ofScheduler,
	"Lmbench/bw_tcp/":     "how much a read finds depends on where the guest's scheduler stands",
}

// notExact says why a benchmark's count may differ from boot to boot, "" if it does not.
// Of lat_ctx only two processes without memory are switched the same way each time.
func notExact(benchmark string) string {
	if why := stateful[benchmark]; why != "" {
		return why
	}
	for family, why := range statefulFamilies {
		if strings.HasPrefix(benchmark, family) {
			return why
		}
	}
	if strings.HasPrefix(benchmark, "Lmbench/lat_ctx/") && !strings.HasSuffix(benchmark, "/procs=2") {
		return stateful["Lmbench/lat_ctx/size=16K/procs=8"]
	}
	return ""
}

// Reasons that several have.
const (
	ofTimer     = "the guest sleeps: what Xen does depends on when its timers come"
	ofScheduler = "which process runs when depends on where the guest's scheduler stands"
)

// ofHeap is why an operation that allocates differs.
const ofHeap = "what the allocator does depends on the state of Xen's heap, which differs between images"
