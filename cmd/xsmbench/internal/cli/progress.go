package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"xsmbench/bench"
	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/results"
)

// screen shows what a run does.
type screen struct {
	observer
	w io.Writer
}

func newScreen(w io.Writer) *screen { return &screen{w: w} }

// Building prints a line of a build.
func (s *screen) Building(line string) { fmt.Fprintln(s.w, line) }

// Begins prints what is going to be measured; what follows is the observer's.
func (s *screen) Begins(path string, spec results.Spec) {
	fmt.Fprintf(s.w, "run %s: %s of %s; %d benchmarks from %s\n", path, length(spec),
		describeBuilds(spec), len(spec.Benchmarks), strings.Join(spec.Domains, ", "))
	s.observer = newObserver(s.w)
}

// Looked prints what a look showed.
func (s *screen) Looked(b results.Budget) { s.note(describeLook(b)) }

// Ends takes a bar away.
func (s *screen) Ends() { s.close() }

// length says how long a run is going to be.
func length(spec results.Spec) string {
	if b := spec.Budget; b != nil {
		return fmt.Sprintf("up to %s or %d rounds", minutes(b.Time), b.Looks[len(b.Looks)-1])
	}
	return fmt.Sprintf("%d rounds", spec.Rounds)
}

// describeBuilds names builds, and their controls apart.
func describeBuilds(spec results.Spec) string {
	text := buildNames(spec.Measured())
	if controls := spec.Controls(); len(controls) > 0 {
		text += ", controls " + buildNames(controls)
	}
	return text
}

func buildNames(builds []hv.Build) string {
	var names []string
	for _, b := range builds {
		names = append(names, b.Name)
	}
	return strings.Join(names, ", ")
}

// observer shows a run's progress until close.
type observer interface {
	experiment.Observer
	note(line string)
	close()
}

// newObserver draws a bar on a terminal and prints plain lines elsewhere.
func newObserver(w io.Writer) observer {
	if f, ok := w.(*os.File); ok && hasRoom(f) {
		return newBar(f)
	}
	return &lines{w: w, missing: map[string]bool{}}
}

// hasRoom tells a terminal with a size from one without, as a serial line's or
// a recorder's, on which no bar can be drawn.
func hasRoom(f *os.File) bool {
	width, height, err := term.GetSize(int(f.Fd()))
	return err == nil && width > 0 && height > 0
}

// lines prints a line per boot, and one per benchmark that gives no sample.
type lines struct {
	w       io.Writer
	missing map[string]bool
}

func (*lines) Booting(experiment.Slot, experiment.Progress) {}

func (l *lines) Measured(s experiment.Slot, m bench.Measurement, _ experiment.Progress) {
	key := s.Build.Name + " " + m.Domain + " " + m.Benchmark
	if len(m.Values) > 0 || l.missing[key] {
		return
	}
	l.missing[key] = true
	fmt.Fprintf(l.w, "no sample: %s, %s, %s: %s\n", s.Build.Name, m.Domain, m.Benchmark, m.Error)
}

func (l *lines) Ended(s experiment.Slot, samples int, took time.Duration, p experiment.Progress) {
	fmt.Fprintf(l.w, "%s: %d samples in %s%s\n", place(s, p), samples, seconds(took), left(p))
}

func (l *lines) Failed(s experiment.Slot, err error, p experiment.Progress) {
	fmt.Fprintf(l.w, "%s: FAILED: %s\n", place(s, p), describe(err))
}

func (l *lines) GaveUp(build string, failures int) {
	fmt.Fprintf(l.w, "%s failed %d times in a row: its other boots are left for --resume\n", build, failures)
}

func (l *lines) note(line string) { fmt.Fprintln(l.w, line) }

func (*lines) close() {}

// place names a boot.
func place(s experiment.Slot, p experiment.Progress) string {
	return fmt.Sprintf("[%d/%d] round %d, %s", p.BootsDone, p.Boots, s.Round, s.Build.Name)
}

// describe is an error with the machine's last words, indented.
func describe(err error) string {
	var boot *hv.BootError
	if !errors.As(err, &boot) {
		return err.Error()
	}
	s := fmt.Sprintf("%s: %v", boot.Kind, boot.Err)
	if boot.Console != "" {
		s += "\n  console ends:\n    " + strings.ReplaceAll(strings.TrimSpace(boot.Console), "\n", "\n    ")
	}
	if boot.Repeat != "" {
		s += "\n  to repeat it: " + boot.Repeat
	}
	return s
}

func left(p experiment.Progress) string {
	if p.BootsDone == p.Boots {
		return ""
	}
	return ", " + minutes(p.Left) + " left"
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// minutes is a duration as people say it.
func minutes(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %02d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %02d min", s/3600, s/60%60)
}

// bar is a line at the bottom of a terminal; what lines prints scrolls above.
type bar struct {
	lines
	progress *mpb.Progress
	bar      *mpb.Bar
	state    atomic.Pointer[string]
	left     atomic.Pointer[string]
}

func newBar(w *os.File) *bar {
	b := &bar{progress: mpb.New(mpb.WithOutput(w), mpb.WithWidth(30), mpb.WithRefreshRate(250*time.Millisecond))}
	b.lines = lines{w: b.progress, missing: map[string]bool{}}
	empty := ""
	b.state.Store(&empty)
	b.left.Store(&empty)
	show := func(p *atomic.Pointer[string]) decor.Decorator {
		return decor.Any(func(decor.Statistics) string { return *p.Load() })
	}
	b.bar = b.progress.AddBar(0, mpb.PrependDecorators(show(&b.state)),
		mpb.AppendDecorators(decor.Percentage(), show(&b.left)), mpb.BarRemoveOnComplete())
	return b
}

func (b *bar) update(state string, p experiment.Progress) {
	state += " "
	b.state.Store(&state)
	rest := ""
	if p.Left > 0 {
		rest = "  " + minutes(p.Left) + " left"
	}
	b.left.Store(&rest)
	b.bar.SetTotal(int64(p.Samples), false)
	b.bar.SetCurrent(int64(min(p.SamplesDone, p.Samples-1))) // complete only by close
}

func (b *bar) Booting(s experiment.Slot, p experiment.Progress) {
	b.update(fmt.Sprintf("round %d, %s", s.Round, s.Build.Name), p)
}

func (b *bar) Measured(s experiment.Slot, m bench.Measurement, p experiment.Progress) {
	b.lines.Measured(s, m, p)
	b.update(fmt.Sprintf("round %d, %s, %s", s.Round, s.Build.Name, m.Domain), p)
}

func (b *bar) Ended(s experiment.Slot, _ int, _ time.Duration, p experiment.Progress) {
	b.Booting(s, p)
}

func (b *bar) close() {
	b.bar.Abort(true)
	b.progress.Wait()
}
