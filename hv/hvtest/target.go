// Package hvtest is a target for tests of what works on targets: it builds
// and boots nothing, measures by arithmetic, and fails where it is told to.
package hvtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"sync"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
)

// Target is a fake hypervisor. Its zero value works.
type Target struct {
	// Failures says which boots fail: the build's name, and the how
	// manieth boot of that build, from 1; 0 for all of them.
	Failures []Failure
	// Version is part of every image's hash: another version is another
	// source.
	Version string
	// Pace is how long a measurement takes.
	Pace time.Duration
	// Overlap is how many boots may be under way, 0 for one.
	Overlap int
	// Measured, if not nil, is called after each measurement is emitted.
	Measured func(boots, measurement int) `json:"-"`
	// Closed, if not nil, is called when a machine is closed.
	Closed func(boot int) `json:"-"`

	mu    sync.Mutex
	boots map[string]int
	all   int
}

// Failure is one boot that fails.
type Failure struct {
	Build string
	Boot  int
	Kind  hv.BootErrorKind
	After int // measurements that come before it
}

// kind has a factor by which its hooks make an operation longer.
type kind struct {
	hv.Kind
	factor float64
}

var kinds = []kind{
	{hv.Kind{Name: "native", Doc: "no framework", Dispatch: "compiled out"}, 1},
	{hv.Kind{Name: "dummy", Doc: "the dummy module", Dispatch: "table"}, 1.0005},
	{hv.Kind{Name: "flask", Doc: "FLASK", Dispatch: "table", Policy: true}, 1.08},
}

// Name is "fake".
func (*Target) Name() string { return "fake" }

// Doc describes the target.
func (*Target) Doc() string { return "figures by arithmetic, for tests" }

// Kinds are those of the model.
func (*Target) Kinds() []hv.Kind {
	var list []hv.Kind
	for _, k := range kinds {
		list = append(list, k.Kind)
	}
	return list
}

// Arches are amd64 and 386.
func (*Target) Arches() []string { return []string{"amd64", "386"} }

// Accels has none.
func (*Target) Accels() []string { return []string{""} }

// Units are those of all benchmarks.
func (*Target) Units() []string { return []string{"ns/op", "MB/s"} }

// Offers leaves out what measures itself.
func (*Target) Offers(b bench.Benchmark) bool { return b.Run == nil }

// Doctor finds one thing in order and one not.
func (*Target) Doctor(context.Context, hv.Build) []hv.Finding {
	return []hv.Finding{
		{What: "arithmetic", OK: true, Detail: "works"},
		{What: "quiet room", Detail: "somebody is talking", Mend: "ask them to stop", Advice: true},
	}
}

// Build makes an image's description.
func (t *Target) Build(ctx context.Context, b hv.Build, progress func(string)) (*hv.Image, error) {
	k := slices.IndexFunc(kinds, func(k kind) bool { return k.Name == b.KindOf() })
	if k < 0 {
		return nil, fmt.Errorf("build %s: unknown kind of build %q", b.Name, b.KindOf())
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	progress(fmt.Sprintf("%s layout %d: built", b.Name, b.Layout))
	img := &hv.Image{
		Build: b, Hash: sum(fmt.Sprintf("%s %s %d %s", kinds[k].Name, b.Arch, b.Layout, t.Version)), Dispatch: kinds[k].Dispatch,
		Toolchain: "none", Config: "kind=" + kinds[k].Name, Path: "/nowhere/" + b.Name, Size: 1000 + int64(k),
		Sections: map[string]int64{".text": 900 + int64(k)},
	}
	if err := secure(img); err != nil {
		return nil, fmt.Errorf("build %s: %w", b.Name, err)
	}
	return img, nil
}

// AtOnce is Overlap.
func (t *Target) AtOnce(hv.BootSpec) int { return max(1, t.Overlap) }

// Boot starts a machine.
func (t *Target) Boot(_ context.Context, img *hv.Image, spec hv.BootSpec) (hv.Machine, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.boots == nil {
		t.boots = map[string]int{}
	}
	t.boots[img.Build.Name]++
	t.all++
	m := &machine{target: t, img: img, spec: spec, nth: t.all, figures: (*machine).measurement}
	for _, f := range t.Failures {
		if f.Build == img.Build.Name && (f.Boot == 0 || f.Boot == t.boots[img.Build.Name]) {
			m.failure = &f
		}
	}
	if m.failure != nil && m.failure.Kind == hv.BootFailed {
		return nil, m.fail()
	}
	return m, nil
}

type machine struct {
	target  *Target
	img     *hv.Image
	spec    hv.BootSpec
	nth     int
	failure *Failure
	figures func(m *machine, domain string, b bench.Benchmark) bench.Measurement
}

// Measure emits a figure per domain and benchmark.
func (m *machine) Measure(ctx context.Context, emit func(bench.Measurement) error) error {
	fmt.Fprintf(m.console(), "fake machine with %s\n", m.img.Build.Name)
	n := 0
	for _, domain := range m.spec.Plan.Domains {
		for _, name := range m.spec.Plan.Benchmarks {
			b, _ := bench.Find(name)
			if b.Dom0Only && domain != "dom0" {
				continue
			}
			if m.failure != nil && n == m.failure.After {
				return m.fail()
			}
			if err := pause(ctx, m.target.Pace); err != nil {
				return err
			}
			if err := emit(m.figures(m, domain, b)); err != nil {
				return err
			}
			n++
			if m.target.Measured != nil {
				m.target.Measured(m.nth, n)
			}
		}
	}
	if m.failure != nil {
		return m.fail()
	}
	return ctx.Err()
}

func (m *machine) console() io.Writer {
	if m.spec.Console == nil {
		return io.Discard
	}
	return m.spec.Console
}

// pause waits, at least long enough to see that ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if d == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// measurement is the same for the same image, domain, benchmark and seed.
func (m *machine) measurement(domain string, b bench.Benchmark) bench.Measurement {
	value := 100 + 900*fraction(b.FullName(), domain)
	if len(b.Hooks) > 0 {
		for _, k := range kinds {
			if k.Name == m.img.Build.KindOf() {
				value *= k.factor
			}
		}
	}
	value *= 1 + 0.002*(fraction(m.img.Build.Name, domain, b.FullName(), fmt.Sprint(m.spec.Seed))-0.5)
	return bench.Measurement{
		Domain: domain, Benchmark: b.FullName(), Iterations: 1000,
		Values: []bench.Value{{Value: value, Unit: b.Unit}},
	}
}

// fraction hashes words to a number in [0, 1).
func fraction(words ...string) float64 {
	h := fnv.New64a()
	for _, w := range words {
		io.WriteString(h, w+"\x00")
	}
	sum := sha256.Sum256(h.Sum(nil))
	return float64(uint32(sum[0])<<16|uint32(sum[1])<<8|uint32(sum[2])) / (1 << 24)
}

func (m *machine) fail() error {
	console := fmt.Sprintf("fake machine with %s\npanic: as told", m.img.Build.Name)
	fmt.Fprintln(m.console(), "panic: as told")
	return &hv.BootError{Kind: m.failure.Kind, Image: m.img, Console: console, Repeat: "fake " + m.img.Build.Name, Err: errors.New("told to fail")}
}

// Close says so to Closed.
func (m *machine) Close() error {
	if m.target.Closed != nil {
		m.target.Closed(m.nth)
	}
	return nil
}

// Settings tell of processors and policies, and keep quiet about the rest.
func (*Target) Settings(_ context.Context, img *hv.Image, _ hv.BootSpec) []hv.Setting {
	policy := "none"
	for _, k := range kinds {
		if k.Name == img.Build.KindOf() && k.Policy {
			policy = "its own, " + modeOf(img.Build)
		}
	}
	return []hv.Setting{{Item: hv.SettingVCPUs, Text: "none: it calculates"}, {Item: hv.SettingPolicy, Text: policy}}
}
