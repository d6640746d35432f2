package kernbench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/montanaflynn/stats"

	"xsmbench/bench"
)

// Figures are the six that kernbench reports of a run: those of time(1).
type Figures struct {
	Elapsed, User, System float64 // s
	PercentCPU            float64 // (User+System)/Elapsed, in percent
	ContextSwitches       float64 // involuntary
	Sleeps                float64 // voluntary switches
}

// Units of the figures in results, in Figures' order. The first is ns/op, the
// time that a run takes, so that it compares as other benchmarks do.
var figureUnits = [...]string{"ns/op", "user-s", "system-s", "percent-cpu", "ctx-switches", "sleeps"}

// newFigures makes the figures of a run from its elapsed time and from what
// its processes used.
func newFigures(elapsed time.Duration, u bench.Usage) Figures {
	f := Figures{
		Elapsed:         elapsed.Seconds(),
		User:            u.User.Seconds(),
		System:          u.System.Seconds(),
		ContextSwitches: float64(u.Involuntary),
		Sleeps:          float64(u.Voluntary),
	}
	if elapsed > 0 {
		f.PercentCPU = 100 * (f.User + f.System) / f.Elapsed
	}
	return f
}

func (f Figures) list() [6]float64 {
	return [...]float64{f.Elapsed, f.User, f.System, f.PercentCPU, f.ContextSwitches, f.Sleeps}
}

func figuresOf(l [6]float64) Figures { return Figures{l[0], l[1], l[2], l[3], l[4], l[5]} }

// Values are the figures as a benchmark reports them.
func (f Figures) Values() []bench.Value {
	var values []bench.Value
	for i, v := range f.list() {
		if i == 0 {
			v *= 1e9
		}
		values = append(values, bench.Value{Value: v, Unit: figureUnits[i]})
	}
	return values
}

// deviationSuffix makes the units of standard deviations.
const deviationSuffix = "-sd"

// deviations are the figures' standard deviations, beside the figures. That of the
// elapsed time is in seconds, as the other times are.
func (f Figures) deviations() []bench.Value {
	values := f.Values()
	values[0] = bench.Value{Value: f.Elapsed, Unit: "elapsed-s"}
	for i := range values {
		values[i].Unit += deviationSuffix
	}
	return values
}

// compiledUnits are those of a sample beside the first: the other figures, and all
// deviations.
func compiledUnits() []string {
	units := slices.Clone(figureUnits[1:])
	for _, d := range (Figures{}).deviations() {
		units = append(units, d.Unit)
	}
	return units
}

// FiguresOf finds the figures in a sample of kernbench/load=…; it is false if
// one is missing.
func FiguresOf(values []bench.Value) (Figures, bool) {
	var l [6]float64
	found := 0
	for i, unit := range figureUnits {
		for _, v := range values {
			if v.Unit == unit {
				l[i] = v.Value
				found++
				break
			}
		}
	}
	l[0] /= 1e9
	return figuresOf(l), found == len(figureUnits)
}

// Mean is the mean of runs' figures, and SD their sample standard deviations,
// 0 for fewer than two runs.
func Mean(runs []Figures) (mean, sd Figures) {
	if len(runs) == 0 {
		return Figures{}, Figures{}
	}
	var m, s [6]float64
	for i := range m {
		column := make(stats.Float64Data, len(runs))
		for j, r := range runs {
			column[j] = r.list()[i]
		}
		m[i], _ = column.Mean()
		if len(runs) > 1 {
			s[i], _ = stats.StandardDeviationSample(column)
		}
	}
	return figuresOf(m), figuresOf(s)
}

// Log is what kernbench writes to kernbench.log: when, on what, and a block
// for each load.
type Log struct {
	Date   string // as date(1) writes it
	Kernel string // as uname -r writes it
	Loads  []Load
}

// Load is the runs of one load.
type Load struct {
	Name string // "Half load -j 2"
	Runs []Figures
}

// figureNames are the log's labels, in Figures' order.
var figureNames = [...]string{"Elapsed Time", "User Time", "System Time", "Percent CPU", "Context Switches", "Sleeps"}

// WriteTo writes the log. Every load's figures are its own; kernbench 0.42
// resets only the elapsed time between loads.
func (l Log) WriteTo(w io.Writer) (int64, error) {
	b := fmt.Appendf(nil, "%s\n%s\n", l.Date, l.Kernel)
	for _, load := range l.Loads {
		b = fmt.Appendf(b, "Average %s Run (std deviation):\n", load.Name)
		mean, sd := Mean(load.Runs)
		for i, name := range figureNames {
			b = fmt.Appendf(b, "%s %s (%s)\n", name, figure(mean.list()[i]), figure(sd.list()[i]))
		}
		b = append(b, '\n')
	}
	n, err := w.Write(b)
	if err != nil {
		return int64(n), fmt.Errorf("write kernbench log: %w", err)
	}
	return int64(n), nil
}

// figure is a number as awk prints it: whole ones in full, others with up to
// six significant digits.
func figure(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.6g", v)
}
