package trend

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"

	"xsmbench/hv"
	"xsmbench/reports/stats"
	"xsmbench/results/history"
)

// change finds the changes of the series that are wanted. What is left to chance
// shares Alpha, wanted or not.
func (t *Trends) change(wanted func(*Series) bool) {
	tested := 0
	for _, s := range t.Series {
		if !s.Exact && len(s.Points) >= stats.LeastValues {
			tested++
		}
	}
	t.eachSeries(func(_ int, s *Series) {
		switch {
		case !wanted(s):
		case s.Exact:
			s.Changes = s.exactChanges()
		case tested > 0:
			s.search(t.Alpha / float64(tested))
		}
	})
}

// exactChanges are all differences between neighbouring exact runs.
func (s *Series) exactChanges() []Change {
	var found []Change
	last := -1
	for i, p := range s.Points {
		if !p.Exact {
			continue
		}
		if last >= 0 && s.Points[last].Value != p.Value {
			found = append(found, Change{Before: last, After: i, From: s.Points[last].Value, To: p.Value, Exact: true, SameImage: s.sameImage(last, i)})
		}
		last = i
	}
	return found
}

// search looks for changes of the mean.
func (s *Series) search(alpha float64) {
	x := s.levels(s.all())
	o := stats.Shifts{Alpha: alpha, Least: s.Limit, Variance: s.bootVariance(), Seed: s.seed()}
	if math.IsNaN(o.Least) {
		o.Least = 0
	}
	ends := []int{0}
	found, small := o.Find(x)
	s.Hidden = small
	for _, f := range found {
		ends = append(ends, f.At)
	}
	ends = append(ends, len(x))
	for i, f := range found {
		s.Changes = append(s.Changes, Change{
			Before: f.At - 1, After: f.At, P: f.P, SameImage: s.sameImage(f.At-1, f.At),
			From: s.level(ends[i], f.At), To: s.level(f.At, ends[i+2]),
		})
	}
}

// level is the mean of points, geometric if all values are above 0.
func (s *Series) level(from, to int) float64 {
	var values, logs []float64
	for _, p := range s.Points[from:to] {
		values = append(values, p.Value)
		logs = append(logs, math.Log(p.Value))
	}
	switch least := slices.Min(values); {
	case least == slices.Max(values):
		return least // and not what its logarithm rounds to
	case least <= 0:
		return stats.Mean(values)
	}
	return math.Exp(stats.Mean(logs))
}

// Level is a stretch of runs between two changes, with their mean.
type Level struct {
	From, To int // points, To excluded
	Value    float64
}

// Levels are the stretches between the changes. Of an exact series a run that
// is not exact belongs to the stretch that it lies in.
func (s *Series) Levels() []Level {
	var all []Level
	from := 0
	for _, c := range s.Changes {
		all = append(all, Level{from, c.After, c.From})
		from = c.After
	}
	last := s.level(from, len(s.Points))
	if n := len(s.Changes); n > 0 {
		last = s.Changes[n-1].To
	}
	return append(all, Level{from, len(s.Points), last})
}

func (s *Series) sameImage(a, b int) bool {
	x, y := s.Points[a].Images, s.Points[b].Images
	return x != 0 && x == y
}

// seed is a hash of the data: the same series gives the same changes.
func (s *Series) seed() uint64 {
	h := sha256.New()
	fmt.Fprintf(h, "%s %v %s %s %s%s\n", s.Host, s.Environment, s.Benchmark, s.Build, s.Unit, s.Over)
	var line []byte
	for _, p := range s.Points {
		line = strconv.AppendUint(line[:0], math.Float64bits(p.Value), 16)
		line = strconv.AppendInt(append(line, ' '), int64(p.Boots), 10)
		h.Write(append(line, '\n'))
	}
	return binary.LittleEndian.Uint64(h.Sum(nil))
}

// Differences says what else is known to differ between the runs around a
// change, in words: "kernel 6.1 → 6.2".
func (t *Trends) Differences(s *Series, c Change) []string {
	a, b := t.Runs[s.Points[c.Before].Run], t.Runs[s.Points[c.After].Run]
	var all []string
	say := func(what, old, new string) {
		if old != new {
			all = append(all, fmt.Sprintf("%s %s → %s", what, orNone(old), orNone(new)))
		}
	}
	for _, x := range a.Run.Images {
		for _, y := range b.Run.Images {
			if (x.Build.Name == s.Build || x.Build.Name == s.Over) && y.Build.Name == x.Build.Name && x.Build.Arch == y.Build.Arch && x.Build.Layout == y.Build.Layout {
				say("revision", revision(x), revision(y))
				say("compiler", x.Toolchain, y.Toolchain)
			}
		}
	}
	say("kernel", a.Run.Host.Kernel, b.Run.Host.Kernel)
	say("emulator", setting(a, hv.SettingEmulator), setting(b, hv.SettingEmulator))
	say("guests", setting(a, hv.SettingGuests), setting(b, hv.SettingGuests))
	say("governor", a.Run.Host.Governor, b.Run.Host.Governor)
	if fmt.Sprint(a.Run.Host.Mitigations) != fmt.Sprint(b.Run.Host.Mitigations) {
		all = append(all, "mitigations changed")
	}
	say("xsmbench", a.Run.Tool, b.Run.Tool)
	slices.Sort(all)
	return slices.Compact(all)
}

// revision names an image's source; images of before it was written down have
// what the user typed.
func revision(img hv.Image) string { return cmp.Or(img.Revision, img.Build.Rev) }

// setting is what a run says of an item, for all builds; "" if it does not.
func setting(r history.Run, item string) string {
	for _, s := range r.Run.Settings {
		if s.Item == item && s.Build == "" {
			return s.Text
		}
	}
	return ""
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
