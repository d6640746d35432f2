package bench

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

// fakeClock is a clock that work moves.
type fakeClock struct {
	now  time.Duration
	read time.Duration // what reading it takes
	tick time.Duration // its resolution, 0 for exact
}

func (c *fakeClock) Now() time.Duration {
	c.now += c.read
	if c.tick > 0 {
		return c.now.Truncate(c.tick)
	}
	return c.now
}

// work is a loop whose iterations take us microseconds, times what scale says
// of the window with that number, and that records its iterations.
type work struct {
	clock *fakeClock
	us    float64
	scale func(window int) float64
	ran   []int64
}

func (w *work) loop(n int64) error {
	f := 1.0
	if w.scale != nil {
		f = w.scale(len(w.ran))
	}
	w.ran = append(w.ran, n)
	w.clock.now += time.Duration(float64(n) * w.us * f * 1e3)
	return nil
}

// times is a sequence: the numbers, and the last one repeated to make count.
func times(count int, n ...int64) []int64 {
	for len(n) < count {
		n = append(n, n[len(n)-1])
	}
	return n
}

func TestGrowth(t *testing.T) {
	even := func(i int) float64 { return 1 + 0.5*float64(i%2) }
	tests := []struct {
		name   string
		us     float64 // per iteration
		enough float64
		reps   int
		cal    Calibration
		tick   time.Duration
		scale  func(int) float64
		ran    []int64
		kept   int
		short  bool // errTooShort
	}{
		{name: "multiplies by 8, then aims", us: 1, enough: 5000, reps: 11, ran: times(15, 1, 8, 64, 512, 5501), kept: 11},
		{name: "aims once above 150 µs", us: 20, enough: 5000, reps: 11, ran: times(13, 1, 8, 276), kept: 11},
		{name: "one iteration is long enough", us: 10000, enough: 5000, reps: 11, ran: times(11, 1), kept: 11},
		{name: "a long window is kept and shortened", us: 160, enough: 100, reps: 3, ran: []int64{1, 1, 1}, kept: 3},
		{name: "exactly 150 µs still multiplies", us: 150, enough: 5000, reps: 1, ran: []int64{1, 8, 37}, kept: 1},
		{name: "fewer repetitions", us: 1, enough: 5000, reps: 2, ran: times(6, 1, 8, 64, 512, 5501), kept: 2},
		{name: "short window", us: 0.5, enough: 1, reps: 2, ran: []int64{1, 8, 64}, kept: 2},
		{
			name: "overheads are subtracted", us: 1, enough: 5000, reps: 1, cal: Calibration{LoopNS: 500, ClockNS: 10000},
			ran: []int64{1, 8, 64, 512, 11448}, kept: 1,
		},
		{
			name: "work that speeds up", us: 1000, enough: 5000, reps: 3,
			scale: func(i int) float64 {
				if i < 2 {
					return 1
				}
				return 0.5
			},
			// 6 takes 6000, within bounds; then 3000, which is dropped.
			ran: []int64{1, 6, 6, 12, 12}, kept: 3,
		},
		{
			name: "noise in every second window", us: 10, enough: 5000, reps: 4, scale: even,
			// 8 take 120 µs, 64 take 640; 551 take 8265, kept and
			// shortened; 367 take 3670, dropped; and so on.
			ran: []int64{1, 8, 64, 551, 367, 551, 367, 551, 367, 551}, kept: 4,
		},
		{
			name: "clock of 10 ms", us: 1, enough: 5000, reps: 2, tick: 10 * time.Millisecond,
			// 1 to 4096 end before the first tick; 32768 see three, 6008
			// one: both are long enough.
			ran: []int64{1, 8, 64, 512, 4096, 32768, 6008}, kept: 2,
		},
		{
			name: "clock that stands still", us: 0, enough: 5000, reps: 11,
			ran: []int64{1, 8, 64, 512, 4096, 32768, 1 << 18, 1 << 21, 1 << 24, 1 << 27}, short: true,
		},
		{
			name: "overheads exceed the time", us: 0, enough: 5000, reps: 11, cal: Calibration{LoopNS: 1},
			ran: []int64{1, 8, 64, 512, 4096, 32768, 1 << 18}, short: true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &fakeClock{tick: tt.tick}
			w := &work{clock: c, us: tt.us, scale: tt.scale}
			tm := timer{clock: c, enough: tt.enough, repetitions: tt.reps, cal: tt.cal}
			kept, err := tm.sample(Interval{Loop: w.loop})
			if got := errors.Is(err, errTooShort); got != tt.short {
				t.Errorf("error %v, too short: want %v", err, tt.short)
			}
			if !slices.Equal(w.ran, tt.ran) {
				t.Errorf("ran %v, want %v", w.ran, tt.ran)
			}
			if len(kept) != tt.kept {
				t.Errorf("kept %d windows, want %d", len(kept), tt.kept)
			}
		})
	}
}

// TestGivesUp looks at clocks that would keep the rules busy for ever.
func TestGivesUp(t *testing.T) {
	tests := []struct {
		name  string
		clock func(window int, n int64) time.Duration
	}{
		{"always 200 µs", func(int, int64) time.Duration { return 200 * time.Microsecond }},
		{"swings", func(i int, n int64) time.Duration {
			if i%2 == 0 {
				return time.Duration(n) * time.Microsecond / 2
			}
			return time.Duration(n) * time.Microsecond / 4
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &fakeClock{}
			i := 0
			tm := timer{clock: c, enough: 1e9, repetitions: 2000}
			_, err := tm.sample(Interval{Loop: func(n int64) error {
				c.now += tt.clock(i, n)
				i++
				return nil
			}})
			if err == nil || i > mostWindows {
				t.Errorf("error %v after %d windows", err, i)
			}
		})
	}
}

func TestZeroWindowsAreDropped(t *testing.T) {
	c := &fakeClock{}
	tm := timer{clock: c, enough: -1, repetitions: 3}
	kept, err := tm.sample(Interval{Loop: func(int64) error { return nil }})
	if err != nil || len(kept) != 0 {
		t.Errorf("kept %v, error %v", kept, err)
	}
}

func TestMedian(t *testing.T) {
	tests := []struct {
		name    string
		windows []window
		want    window
	}{
		{"none", nil, window{1, 0}},
		{"one", []window{{10, 50}}, window{10, 50}},
		{"odd", []window{{10, 50}, {10, 10}, {10, 20}}, window{10, 20}},
		{"even takes means of iterations and times", []window{{10, 40}, {21, 42}, {5, 50}, {100, 100}}, window{15, 41}},
		{"by time per iteration, not by time", []window{{100, 100}, {1, 50}, {10, 20}}, window{10, 20}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := median(tt.windows); got != tt.want {
				t.Errorf("median is %v, want %v", got, tt.want)
			}
		})
	}
	if got := fastest([]window{{10, 50}, {10, 10}, {10, 20}}); got != (window{10, 10}) {
		t.Errorf("fastest is %v", got)
	}
}

func TestLongWindowsOfIntervals(t *testing.T) {
	c := &fakeClock{}
	var before, ran, after []int64
	op := Interval{
		Most:   4,
		Before: func(n int64) error { before = append(before, n); c.now += time.Second; return nil },
		Loop: func(n int64) error {
			ran = append(ran, n)
			c.now += time.Duration(n) * time.Microsecond
			return nil
		},
		After: func(n int64) error { after = append(after, n); c.now += time.Second; return nil },
	}
	tm := timer{clock: c, cal: Calibration{ClockNS: 100}}
	w, err := tm.window(op, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []int64{4, 4, 2}
	if !slices.Equal(before, want) || !slices.Equal(ran, want) || !slices.Equal(after, want) {
		t.Errorf("before %v, ran %v, after %v, want %v", before, ran, after, want)
	}
	if w.n != 10 || math.Abs(w.us-9.7) > 1e-9 {
		t.Errorf("window %v, want 10 iterations in 10 µs less 3 readings of the clock", w)
	}
}

func TestTimingDoesNotAllocate(t *testing.T) {
	c := &fakeClock{}
	tm := timer{clock: c, enough: 100}
	op := Interval{Loop: func(n int64) error { c.now += time.Duration(n); return nil }}
	if n := testing.AllocsPerRun(100, func() { tm.window(op, 10) }); n != 0 {
		t.Errorf("a window allocates %v times", n)
	}
}

// fakeWork is a calibrator whose units and loops take fixed times; noise is
// added to each run of units.
func fakeWork(c *fakeClock, noise func(run int) time.Duration) calibrator {
	run := 0
	spend := func(ns int64) func(int64) {
		return func(n int64) { c.now += time.Duration(n * ns) }
	}
	return calibrator{
		clock: c, one: spend(3), two: spend(5),
		units: func(n int64) {
			run++
			c.now += time.Duration(n * 10)
			if noise != nil {
				c.now += noise(run)
			}
		},
	}
}

func TestEnough(t *testing.T) {
	every := func(d time.Duration) func(int) time.Duration {
		return func(run int) time.Duration { return d * time.Duration((run-1)/sizeRuns%2) }
	}
	tests := []struct {
		name  string
		tick  time.Duration
		noise func(int) time.Duration
		want  int64
	}{
		{"exact clock", 0, nil, 5000},
		{"microseconds", time.Microsecond, nil, 5000},
		{"the least of ten runs has no noise", 0, func(run int) time.Duration { return time.Duration(run%10) * time.Millisecond }, 5000},
		{"20 µs of noise", 0, every(20 * time.Microsecond), 10000},
		{"100 µs of noise", 0, every(100 * time.Microsecond), 50000},
		{"200 µs of noise", 0, every(200 * time.Microsecond), 100000},
		{"a clock of 10 ms", 10 * time.Millisecond, nil, longestWindow},
		{"a clock that stands still", time.Hour, nil, longestWindow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &fakeClock{tick: tt.tick}
			if got := fakeWork(c, tt.noise).enough(); got != tt.want {
				t.Errorf("enough is %d µs, want %d", got, tt.want)
			}
		})
	}
}

func TestCalibrate(t *testing.T) {
	c := &fakeClock{read: 30}
	got := fakeWork(c, nil).calibrate(Options{})
	if got.EnoughUS != 5000 || math.Abs(got.ClockNS-30) > 0.1 || math.Abs(got.LoopNS-1) > 0.1 {
		t.Errorf("calibration is %+v, want 5000 µs, 30 ns, 1 ns", got)
	}
	if got := fakeWork(c, nil).calibrate(Options{EnoughUS: 70}); got.EnoughUS != 70 {
		t.Errorf("calibration is %+v, EnoughUS was given as 70", got)
	}
	slow := fakeWork(&fakeClock{read: 30}, nil)
	if got := slow.calibrate(Options{EnoughUS: 100000}); got.ClockNS != 0 {
		t.Errorf("clock overhead %v ns in windows where it is noise", got.ClockNS)
	}
	inverse := fakeWork(&fakeClock{}, nil)
	inverse.one, inverse.two = inverse.two, func(n int64) { inverse.clock.(*fakeClock).now += time.Duration(n * 20) }
	if got := inverse.loopOverhead(5000); got != 0 {
		t.Errorf("loop overhead is %v, want 0 where the measurement is negative", got)
	}
}

// TestDisturbedLoop disturbs the first two of three tries.
func TestDisturbedLoop(t *testing.T) {
	c := &fakeClock{}
	w := fakeWork(c, nil)
	tries := 0
	w.one = func(n int64) {
		ns := 3.0
		if n == 1 {
			tries++
		}
		if tries < 3 {
			ns = 4
		}
		c.now += time.Duration(float64(n) * ns)
	}
	if got := w.loopOverhead(5000); math.Abs(got-1) > 0.1 || tries != 3 {
		t.Errorf("loop overhead is %v after %d tries, want 1 after 3", got, tries)
	}
}

func TestRealChase(t *testing.T) {
	w := newPointerChase()
	start := w.at
	w.tens(32) // 320 loads in a ring of 64: five times round
	if w.at != start {
		t.Error("tens does not make ten loads")
	}
	w.ones(64)
	w.twos(32)
	if w.at != start {
		t.Error("ones or twos does not make one or two loads")
	}
}

func TestCheck(t *testing.T) {
	setup := func(Domain) (Loop, func(), error) { return nil, nil, nil }
	good := Benchmark{Suite: "Test", Name: "x/op=y", Doc: "d", Source: "s", Unit: "ns/op", Setup: setup}
	if err := check(good); err != nil {
		t.Errorf("good benchmark: %v", err)
	}
	job := func(Domain, Options) (Interval, error) { return Interval{}, nil }
	run := func(Domain, Options) ([]Value, error) { return nil, nil }
	tests := []struct {
		name   string
		change func(*Benchmark)
	}{
		{"small suite", func(b *Benchmark) { b.Suite = "test" }},
		{"no name", func(b *Benchmark) { b.Name = "" }},
		{"space", func(b *Benchmark) { b.Name = "a b" }},
		{"empty element", func(b *Benchmark) { b.Name = "a//b" }},
		{"slash at the end", func(b *Benchmark) { b.Name = "a/" }},
		{"number of processors", func(b *Benchmark) { b.Name = "a/b-8" }},
		{"line break", func(b *Benchmark) { b.Name = "a\n" }},
		{"unit", func(b *Benchmark) { b.Unit = "s" }},
		{"no bytes", func(b *Benchmark) { b.Unit = "MB/s" }},
		{"no doc", func(b *Benchmark) { b.Doc = "" }},
		{"nothing to run", func(b *Benchmark) { b.Setup = nil }},
		{"two to run", func(b *Benchmark) { b.Run = func(Domain, Options) ([]Value, error) { return nil, nil } }},
		{"credit alone", func(b *Benchmark) { b.Credit = setup }},
		{"ops", func(b *Benchmark) { b.Ops = -1 }},
		{"a job that is not a macro benchmark's", func(b *Benchmark) { b.Job = &Job{Windows: 1, Intervals: job} }},
		{"a job of no windows", func(b *Benchmark) { b.Setup, b.Run, b.Job = nil, run, &Job{Intervals: job} }},
		{"a job that is nothing", func(b *Benchmark) { b.Setup, b.Run, b.Job = nil, run, &Job{Windows: 1} }},
	}
	for _, tt := range tests {
		b := good
		tt.change(&b)
		if check(b) == nil {
			t.Errorf("%s: no error", tt.name)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: Register does not panic", tt.name)
				}
			}()
			Register(b)
		}()
	}
}
