package bench_test

import (
	"errors"
	"testing"

	"xsmbench/bench"
	"xsmbench/bench/benchtest"
)

// lacking is an OS that says what it has not.
type lacking struct{ bench.OS }

func (lacking) WhyNot(f bench.Facility) string {
	if f == bench.BlockIO {
		return "nobody made one"
	}
	return ""
}

func TestMissing(t *testing.T) {
	os := benchtest.New(0).OS()
	for _, c := range []struct {
		os   bench.OS
		f    bench.Facility
		want string
	}{
		{os, bench.BlockIO, "the operating system lacks a virtual block device"},
		{lacking{os}, bench.BlockIO, "the operating system lacks a virtual block device: nobody made one"},
		{lacking{os}, bench.Domains, "the operating system lacks a toolstack that makes domains"},
	} {
		if got := bench.Missing(c.os, c.f); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
		if bench.Has(c.os, c.f) {
			t.Errorf("%s is there", c.f)
		}
	}
}

// TestTimeJob: a window to warm up, and five whose median counts, each with what goes
// before and after it; an error of any of them is the benchmark's.
func TestTimeJob(t *testing.T) {
	var befores, loops, afters, ends int
	fails := 0
	b := bench.Benchmark{Unit: "ns/op", Ops: 2, Job: &bench.Job{Windows: 2, Intervals: func(d bench.Domain, _ bench.Options) (bench.Interval, error) {
		return bench.Interval{
			Most:   1,
			Before: func(int64) error { befores++; return nil },
			Loop: func(int64) error {
				if loops++; loops == fails {
					return errors.New("broken")
				}
				d.OS().Getpid()
				return nil
			},
			After:   func(int64) error { afters++; return nil },
			Cleanup: func() { ends++ },
		}, nil
	}}}
	values, err := bench.TimeJob(b)(benchtest.New(0), bench.Options{})
	if err != nil || len(values) != 1 || values[0].Unit != "ns/op" || values[0].Value < 0 {
		t.Errorf("%v, %v", values, err)
	}
	if befores != 6 || loops != 6 || afters != 6 || ends != 1 {
		t.Errorf("%d before, %d loops, %d after, %d ends", befores, loops, afters, ends)
	}
	fails = loops + 3
	if _, err := bench.TimeJob(b)(benchtest.New(0), bench.Options{}); err == nil || ends != 2 {
		t.Errorf("%v, %d ends", err, ends)
	}
	b.Job.Intervals = func(bench.Domain, bench.Options) (bench.Interval, error) {
		return bench.Interval{}, bench.Lack("nothing here")
	}
	var lack *bench.LackError
	if _, err := bench.TimeJob(b)(benchtest.New(0), bench.Options{}); !errors.As(err, &lack) {
		t.Error(err)
	}
}
