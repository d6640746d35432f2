// Package progress says what a run does while it measures, as lines or as a bar
// on a terminal, and how one with a budget ended.
package progress

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize/english"
	"golang.org/x/term"

	"xsmbench/bench"
	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/results"
)

// Screen shows what a run does. It is an experiment.Attendant.
type Screen struct {
	observer // nil but from Begins to Ends
	w        io.Writer
	building sync.Mutex // lines of builds and of early boots come when they like
}

// New is a screen for one run at a time.
func New(w io.Writer) *Screen { return &Screen{w: w} }

// Building prints a line of a build, above the bar if there is one.
func (s *Screen) Building(line string) {
	s.building.Lock()
	defer s.building.Unlock()
	if s.observer != nil {
		s.note(line)
		return
	}
	fmt.Fprintln(s.w, line)
}

// Begins prints what is going to be measured; what follows is the observer's.
func (s *Screen) Begins(path string, spec results.Spec) {
	s.building.Lock()
	defer s.building.Unlock()
	fmt.Fprintf(s.w, "run %s: %s of %s; %s from %s\n", path, length(spec),
		builds(spec), english.Plural(len(spec.Benchmarks), "benchmark", ""), domains(spec))
	if n := len(spec.Refused); n > 0 {
		fmt.Fprintf(s.w, "left out: %s that target %s does not run (xsmbench list benchmarks --target %[2]s says why)\n", english.Plural(n, "benchmark", ""), spec.Target)
	}
	s.observer = newObserver(s.w)
}

// Looked prints what a look showed.
func (s *Screen) Looked(b results.Budget) { s.note(describeLook(b)) }

// Ends takes a bar away.
func (s *Screen) Ends() {
	s.building.Lock()
	defer s.building.Unlock()
	s.close()
	s.observer = nil
}

// domains names them, and of which kinds the domUs are, if there are several.
func domains(spec results.Spec) string {
	text := strings.Join(spec.Domains, ", ")
	if len(spec.MoreDomUs) > 0 {
		text += " (domUs: " + strings.Join(spec.DomUKinds(), ", ") + ")"
	}
	return text
}

// length says how long a run is going to be.
func length(spec results.Spec) string {
	if b := spec.Budget; b != nil {
		return fmt.Sprintf("up to %s or %d rounds", minutes(b.Time), b.Looks[len(b.Looks)-1])
	}
	return rounds(spec.Rounds)
}

// rounds counts them in words.
func rounds(n int) string { return english.Plural(n, "round", "") }

// builds names builds, and their controls apart.
func builds(spec results.Spec) string {
	text := names(spec.Measured())
	if controls := spec.Controls(); len(controls) > 0 {
		text += ", controls " + names(controls)
	}
	return text
}

func names(builds []hv.Build) string {
	var list []string
	for _, b := range builds {
		if !slices.Contains(list, b.Name) {
			list = append(list, b.Name)
		}
	}
	return strings.Join(list, ", ")
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
	key := s.Name() + " " + m.Domain + " " + m.Benchmark
	if len(m.Values) > 0 || l.missing[key] {
		return
	}
	l.missing[key] = true
	fmt.Fprintf(l.w, "no sample: %s, %s, %s: %s\n", s.Name(), m.Domain, m.Benchmark, m.Error)
}

func (l *lines) Ended(s experiment.Slot, samples int, took time.Duration, p experiment.Progress) {
	fmt.Fprintf(l.w, "%s: %s in %s%s\n", place(s, p), english.Plural(samples, "sample", ""), seconds(took), left(p))
}

func (l *lines) Failed(s experiment.Slot, err error, p experiment.Progress) {
	fmt.Fprintf(l.w, "%s: FAILED: %s\n", place(s, p), describe(err))
}

func (l *lines) GaveUp(build string, failures int) {
	fmt.Fprintf(l.w, "%s failed %d times in a row: its remaining boots are left for --resume\n", build, failures)
}

func (l *lines) note(line string) { fmt.Fprintln(l.w, line) }

func (*lines) close() {}

// place names a boot.
func place(s experiment.Slot, p experiment.Progress) string {
	return fmt.Sprintf("[%d/%d] round %d, %s", p.BootsDone, p.Boots, s.Round, s.Name())
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
