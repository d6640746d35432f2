package progress

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"xsmbench/bench"
	"xsmbench/experiment"
)

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
	b.update(fmt.Sprintf("round %d, %s", s.Round, s.Name()), p)
}

func (b *bar) Measured(s experiment.Slot, m bench.Measurement, p experiment.Progress) {
	b.lines.Measured(s, m, p)
	b.update(fmt.Sprintf("round %d, %s, %s", s.Round, s.Name(), m.Domain), p)
}

func (b *bar) Ended(s experiment.Slot, _ int, _ time.Duration, p experiment.Progress) {
	b.Booting(s, p)
}

func (b *bar) close() {
	b.bar.Abort(true)
	b.progress.Wait()
}
