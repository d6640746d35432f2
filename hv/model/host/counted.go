package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/count"
	"xsmbench/hv/count/mark"
	"xsmbench/hv/count/window"
	"xsmbench/hv/model/symbols"
	"xsmbench/hv/process"
	"xsmbench/hv/store"
)

// icount is the accelerator that counts: the program runs in QEMU's user mode
// with the plug-in of package window.
const icount = "icount"

// windows is how many windows a sample has.
const windows = 21

// Windows is how many windows count for a sample under an accelerator.
func (*Target) Windows(accel string) int {
	if accel == icount {
		return windows
	}
	return 0
}

// Counted is the instructions of the hypervisor.
func (*Target) Counted() string { return count.UnitXen }

// emulators run programs of an architecture.
var emulators = map[string]string{"amd64": "qemu-x86_64", "386": "qemu-i386"}

// ErrNoEmulator is the cause when QEMU's user mode is not installed.
var ErrNoEmulator = errors.New("instructions are counted in QEMU's user mode, which is not installed (apt-get install qemu-user)")

// countable is a plan without what cannot be counted: benchmarks that take
// their own time, and those of the processor alone, which never enter the
// hypervisor.
func countable(p bench.Plan) bench.Plan {
	p.Benchmarks = slices.DeleteFunc(slices.Clone(p.Benchmarks), func(name string) bool {
		b, ok := bench.Find(name)
		return ok && b.Run != nil || strings.HasPrefix(name, "Lmbench/bw_mem/")
	})
	return p
}

// counting is a machine whose program runs under the plug-in.
type counting struct {
	*process.Machine
	target  *Target
	image   *hv.Image
	spec    hv.BootSpec
	emulate []string // the emulator's command
	counter *count.Counter
	dir     string // of the plug-in's files
	release func() // removes them
}

// attempts are how often a program is started that stands still. Under the
// emulator, on a busy machine, one boot in some hundred did, with all of its
// threads asleep. The guest's idle loop, which lost events, was a cause, and
// threads of an i386 program that got each other's storage (window.Threads) were
// one; that there is no other is not shown.
const attempts = 3

const windowsFile = "windows"

// bootCounting starts an image's program under the plug-in.
func (t *Target) bootCounting(ctx context.Context, img *hv.Image, spec hv.BootSpec) (hv.Machine, error) {
	fail := func(err error) (hv.Machine, error) { return nil, fmt.Errorf("boot %s: %w", img.Build.Name, err) }
	spec.Plan = countable(spec.Plan)
	if n := len(spec.Plan.Domains) * len(spec.Plan.Benchmarks); n > mark.MostBenchmarks {
		return fail(fmt.Errorf("%d benchmarks in %d domains, the marks suffice for %d in all: choose some with --bench",
			len(spec.Plan.Benchmarks), len(spec.Plan.Domains), mark.MostBenchmarks))
	}
	s, err := t.opened()
	if err != nil {
		return fail(err)
	}
	c := &counting{target: t, image: img, spec: spec}
	if c.dir, c.release, err = s.Scratch("counting"); err != nil {
		return fail(err)
	}
	c.emulate, err = c.ready(ctx, s, img, spec.Seed)
	if err == nil {
		c.Machine, err = t.launch(img, spec, c.emulate)
	}
	if err != nil {
		c.release()
		return fail(err)
	}
	return c, nil
}

// ready writes what the plug-in needs and returns the emulator's command.
func (c *counting) ready(ctx context.Context, s *store.Store, img *hv.Image, seed int64) ([]string, error) {
	emulator, err := exec.LookPath(emulators[img.Build.Arch])
	if err != nil {
		return nil, ErrNoEmulator
	}
	plugin, err := window.BuildPlugin(ctx, s, emulators[img.Build.Arch])
	if err != nil {
		return nil, err
	}
	c.target.hold(plugin)
	m, err := symbols.Read(img.Path)
	if err != nil {
		return nil, err
	}
	c.counter = count.New(m)
	code := filepath.Join(c.dir, "code")
	f, err := os.Create(code)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(m.WriteMap(f), f.Close()); err != nil {
		return nil, err
	}
	program, err := os.Open(img.Path)
	if err != nil {
		return nil, err
	}
	defer program.Close()
	table, err := mark.Find(program)
	if err != nil {
		return nil, err
	}
	args := window.Args(code, filepath.Join(c.dir, windowsFile), []window.Marks{{Domain: "model", Base: table.Base, Slots: table.Slots}})
	args = append(args, window.Threads(img.Build.Arch)...)
	// The seed decides what the kernel gives a program at random, by which
	// Go's maps are hashed.
	return []string{emulator, "-seed", strconv.FormatInt(seed, 10), "-plugin", plugin.Path(window.PluginFile) + "," + strings.Join(args, ",")}, nil
}

// Measure passes the counts on once the program has ended.
func (c *counting) Measure(ctx context.Context, emit func(bench.Measurement) error) error {
	samples, err := c.collect(ctx)
	for n := 1; n < attempts && err != nil && c.StoodStill(); n++ {
		if err := c.again(err); err != nil {
			return err
		}
		samples, err = c.collect(ctx)
	}
	if err != nil {
		return err
	}
	bySlot, err := c.windows()
	if err != nil {
		return c.Failed(hv.BadProtocol, err)
	}
	for _, s := range samples {
		if s.Error == "" {
			c.fill(&s, bySlot)
		}
		if err := emit(s); err != nil {
			return err
		}
	}
	return nil
}

// collect receives what the domains report until the program has ended.
func (c *counting) collect(ctx context.Context) ([]bench.Measurement, error) {
	var samples []bench.Measurement
	err := c.Machine.Measure(ctx, func(m bench.Measurement) error {
		samples = append(samples, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := c.Wait(); err != nil {
		return nil, c.Failed(hv.GuestFailed, err)
	}
	return samples, nil
}

// again starts the program anew. Nothing of it has been passed on yet.
func (c *counting) again(why error) error {
	if err := c.Machine.Close(); err != nil {
		return err
	}
	m, err := c.target.launch(c.image, c.spec, c.emulate)
	if err != nil {
		return err
	}
	c.Machine = m
	fmt.Fprintf(m.Console(), "the program stalled (%v) and was restarted\n", errors.Unwrap(why))
	return nil
}

// windows reads what the plug-in wrote, by slot.
func (c *counting) windows() (map[int][]window.Window, error) {
	f, err := os.Open(filepath.Join(c.dir, windowsFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := window.Read(f)
	if err != nil {
		return nil, err
	}
	bySlot := map[int][]window.Window{}
	for _, w := range list {
		if err := c.counter.Check(w); err != nil {
			return nil, err
		}
		bySlot[w.Slot] = append(bySlot[w.Slot], w)
	}
	return bySlot, nil
}

func (c *counting) fill(s *bench.Measurement, bySlot map[int][]window.Window) {
	b, _ := bench.Find(s.Benchmark) // the program would have refused another
	index := slices.Index(c.spec.Plan.Domains, s.Domain)*len(c.spec.Plan.Benchmarks) + slices.Index(c.spec.Plan.Benchmarks, s.Benchmark)
	c.counter.Fill(s, b, func(p bench.Phase) []window.Window { return bySlot[mark.Slot(index, p)] })
}

// Close stops the program and removes the plug-in's files.
func (c *counting) Close() error {
	err := c.Machine.Close()
	c.release()
	return err
}
