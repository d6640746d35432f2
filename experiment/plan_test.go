package experiment

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv"
	"xsmbench/hv/hvtest"
	"xsmbench/results"
)

// counted is a spec of a target that counts: boots may be anywhere.
func counted(builds ...string) results.Spec {
	s := spec()
	s.Target, s.Rounds, s.Layouts, s.Builds = "counting", 2, 0, nil
	s.Options.Windows = 20
	for _, n := range builds {
		s.Builds = append(s.Builds, hv.Build{Name: n, Kind: "flask", Rev: n, Arch: "amd64"})
	}
	return s
}

func planOf(t *testing.T, s results.Spec, costs *CostTable) *Plan {
	t.Helper()
	p, err := NewPlan(&hvtest.Counting{}, s, costs)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// priced are costs of the target counting.
func priced(c hv.Costs) *CostTable {
	return &CostTable{Schema: costSchema, Target: "counting", Rows: []Cost{{Kind: "flask", Arch: "amd64", Costs: c}}}
}

// TestSplit: what each of some shards does, and how long it takes.
func TestSplit(t *testing.T) {
	s := time.Second
	buildsMatter := hv.Costs{Build: 100 * s, Boot: 10 * s}
	bootsMatter := hv.Costs{Build: 10 * s, Boot: 100 * s}
	twin := counted("a", "b")
	twin.Builds = append(twin.Builds, hv.Build{Name: "a2", Kind: "flask", Rev: "a", Arch: "amd64", ControlOf: "a"})
	timed := counted("a", "b")
	timed.Options.Windows, timed.Rounds = 0, 4
	relinked := timed
	relinked.Layouts = 4
	for _, c := range []struct {
		name  string
		spec  results.Spec
		costs hv.Costs
		n     int
		want  string // of each shard: seconds, and the builds of its boots
	}{
		{"one", counted("a", "b"), buildsMatter, 1, "240: abba"},
		{"a build each", counted("a", "b"), buildsMatter, 2, "120: aa 120: bb"},
		{"builds are not made twice to even out", counted("a", "b"), buildsMatter, 3, "120: aa 120: bb 0:"},
		{"until that is shorter", counted("a", "b"), buildsMatter, 4, "110: a 110: b 110: b 110: a"},
		{"no more than there is", counted("a", "b"), buildsMatter, 5, "110: a 110: b 110: b 110: a 0:"},
		{"boots that matter are spread", counted("a"), bootsMatter, 2, "110: a 110: a"},
		{"three builds on two machines", counted("a", "b", "c"), buildsMatter, 2, "230: aca 230: bbc"},
		{"a control is no build of its own", twin, buildsMatter, 2, "140: a a2 a2 a 120: bb"},
		{"rounds stay whole", timed, bootsMatter, 2, "420: abba 420: abba"},
		{"a round each at most", timed, bootsMatter, 6, "220: ab 220: ba 220: ab 220: ba 0: 0:"},
		{"what is linked anew", relinked, hv.Costs{Build: 10 * s, Relink: s, Boot: 100 * s}, 2, "424: abba 422: abba"},
	} {
		p := planOf(t, c.spec, priced(c.costs))
		var got []string
		for _, d := range p.Split(c.n) {
			names := ""
			for _, place := range d.Places {
				if name := p.Boots[place-1].Build.Name; len(name) > 1 || strings.Contains(names, "2") {
					names += " " + name
				} else {
					names += name
				}
			}
			got = append(got, strings.TrimSpace(fmt.Sprintf("%d: %s", d.Takes/s, names)))
		}
		if text := strings.Join(got, " "); squeezed(text) != squeezed(c.want) {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
	}
}

func squeezed(text string) string { return strings.Join(strings.Fields(text), "") }

// TestSplitAnything divides plans of all shapes: each boot is in one shard, rounds of
// times stay whole, no shard takes longer than it says, more machines take no longer,
// and all machines agree.
func TestSplitAnything(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	worst := 0.0
	for range 40 {
		s := counted()
		for b := range 1 + random.IntN(6) {
			build := hv.Build{Name: fmt.Sprintf("b%d", b), Kind: "flask", Rev: fmt.Sprint(random.IntN(4)), Arch: "amd64", Source: "/here"}
			if b > 0 && random.IntN(4) == 0 {
				build.ControlOf = "b0"
			}
			s.Builds = append(s.Builds, build)
		}
		s.Rounds = 1 + random.IntN(6)
		if random.IntN(3) == 0 {
			s.Options.Windows, s.Layouts = 0, random.IntN(5)
		}
		costs := priced(hv.Costs{Build: time.Duration(random.IntN(1e6)) * time.Microsecond, Relink: time.Duration(random.IntN(1e5)) * time.Microsecond,
			Ready: time.Duration(random.IntN(1e5)) * time.Microsecond, Boot: time.Duration(random.IntN(2e5)) * time.Microsecond})
		p := planOf(t, s, costs)
		there := s
		there.Builds = slices.Clone(s.Builds)
		for i := range there.Builds {
			there.Builds[i].Source = "/there"
		}
		other := planOf(t, there, costs)
		if p.Key != other.Key {
			t.Fatalf("keys %s and %s of one plan", p.Key, other.Key)
		}
		last := time.Duration(0)
		for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 12, len(p.Boots) + 12} {
			split := p.Split(n)
			checkSplit(t, p, split)
			if d := cmp.Diff(split, other.Split(n)); d != "" {
				t.Fatalf("two machines differ: %s", d)
			}
			if n > 1 && split[0].Takes > last {
				worst = max(worst, float64(split[0].Takes)/float64(last))
			}
			last = split[0].Takes
		}
		if most := p.Most(); p.Takes(most) > last || most > 1 && p.Takes(most-1) <= p.Takes(len(p.units)) {
			t.Errorf("%d machines are enough? %v, %v, %v", most, p.Takes(most-1), p.Takes(most), last)
		}
	}
	if worst > 1 {
		t.Errorf("one machine more takes %.3f times as long", worst)
	}
}

func checkSplit(t *testing.T, p *Plan, split []Division) {
	t.Helper()
	seen := map[int]int{}
	round := map[int]int{}
	for i, d := range split {
		if d.Index != i+1 || i > 0 && d.Takes > split[i-1].Takes || !slices.IsSorted(d.Places) {
			t.Fatalf("shard %d: %+v after %+v", i+1, d, split[max(0, i-1)])
		}
		if took := p.Time(d.Places); took != d.Takes {
			t.Fatalf("shard %d takes %v, and says %v", d.Index, took, d.Takes)
		}
		for _, place := range d.Places {
			seen[place]++
			r := p.Boots[place-1].Round
			if of, ok := round[r]; p.Timed && ok && of != d.Index {
				t.Fatalf("round %d is in shards %d and %d", r, of, d.Index)
			}
			round[r] = d.Index
		}
	}
	for place := range p.Boots {
		if seen[place+1] != 1 {
			t.Fatalf("boot %d is in %d shards", place+1, seen[place+1])
		}
	}
}

// TestPlanKey: what makes another plan, and what does not.
func TestPlanKey(t *testing.T) {
	base := counted("a", "b")
	for _, c := range []struct {
		name   string
		change func(*results.Spec)
		other  bool
	}{
		{"nothing", func(*results.Spec) {}, false},
		{"where a tree is", func(s *results.Spec) { s.Builds[0].Source = "/elsewhere" }, true},
		{"a build from scratch", func(s *results.Spec) { s.Builds[0].Clean = true }, false},
		{"rounds", func(s *results.Spec) { s.Rounds++ }, true},
		{"a build", func(s *results.Spec) { s.Builds[1].Rev = "c" }, true},
		{"a benchmark", func(s *results.Spec) { s.Benchmarks = s.Benchmarks[1:] }, true},
		{"margins", func(s *results.Spec) { s.Criteria = &results.Criteria{Margin: 0.02} }, true},
	} {
		s := base
		s.Builds = slices.Clone(base.Builds)
		c.change(&s)
		was, err := PlanKey(base)
		if err != nil {
			t.Fatal(err)
		}
		is, err := PlanKey(s)
		if err != nil || (is != was) != c.other {
			t.Errorf("%s: another plan: %v, want %v (%v)", c.name, is != was, c.other, err)
		}
	}
}

// TestCosts: a table survives being a file, and what is none is refused.
func TestCosts(t *testing.T) {
	table := documented(&hvtest.Counting{}, counted("a"))
	var b bytes.Buffer
	if err := table.Write(&b); err != nil {
		t.Fatal(err)
	}
	read, err := ReadCosts(&b)
	if d := cmp.Diff(table, read); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	for _, text := range []string{"", "{}", `{"schema": 2, "rows": [{}]}`, `{"schema": 1, "rows": []}`, `{"schema": 1, "rows": [{"boot_ns": -1}]}`,
		`{"schema": 1, "rows": [{"boot_ns": 9000000000000000000}]}`, `{"schema": 1, "rows": [{"boot": 1}]}`} {
		if _, err := ReadCosts(strings.NewReader(text)); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
	if _, err := NewPlan(&hvtest.Counting{}, counted("a"), &CostTable{Target: "xen"}); err == nil {
		t.Error("costs of another target: no error")
	}
}

// TestLearn: a run that took twice as long as documented doubles the costs.
func TestLearn(t *testing.T) {
	target, s := &hvtest.Counting{}, counted("a")
	dir := t.TempDir()
	d, err := results.Create(dir, results.Run{Spec: s})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	c := documented(target, s).Rows[0].Costs
	build := results.Took{What: results.Building, Build: "a", Kind: "flask", Arch: "amd64", Time: c.Build, Turn: 2 * c.Build}
	cached := build
	cached.Cached, cached.Turn = true, 1
	boot := results.Took{What: results.Booting, Build: "a", Kind: "flask", Arch: "amd64", Samples: 5, Turn: 3 * (c.Boot + 5*c.Sample)}
	unknown := boot
	unknown.Build, unknown.Turn = "gone", time.Hour
	if err := d.RecordTime(build, cached, boot, unknown, boot); err != nil {
		t.Fatal(err)
	}
	var e Experience
	if err := e.Learn(target, s, dir, false); err != nil {
		t.Fatal(err)
	}
	want := Cost{Kind: "flask", Arch: "amd64", Runs: 1, Costs: hv.Costs{Build: 2 * c.Build, Relink: 2 * c.Relink, Boot: 3 * c.Boot, Sample: 3 * c.Sample}}
	if d := cmp.Diff(want, e.Costs(target, s).Rows[0]); d != "" {
		t.Error(d)
	}
	// Builds in the tree of others say nothing of builds from nothing.
	if d := cmp.Diff(want, e.LaterCosts(target, s).Rows[0]); d != "" {
		t.Errorf("of later builds nothing is known: %s", d)
	}
	var later Experience
	if err := later.Learn(target, s, dir, true); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, later.LaterCosts(target, s).Rows[0]); d != "" {
		t.Error(d)
	}
	if got := later.Costs(target, s).Rows[0]; got.Build != c.Build || got.Boot != want.Boot {
		t.Errorf("from later builds: %+v", got)
	}
	other := s
	other.Accel = "kvm"
	if err := e.Learn(target, other, dir, false); err != nil || len(e.Runs) != 1 {
		t.Errorf("learned from a run of another accelerator: %v, %v", e.Runs, err)
	}
}
