package experiment

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/hvtest"
	"xsmbench/results"
)

func init() {
	hv.Register(&hvtest.Target{})
	hv.Register(&hvtest.Counting{})
}

// asking is a question about the kinds of builds that all targets have.
func asking(target string, change func(*Question)) Question {
	q := Question{Inputs: Inputs{Target: target, Builds: named("native", "dummy", "flask")}}
	if change != nil {
		change(&q)
	}
	return q
}

// named are builds, each a NAME or NAME=KIND.
func named(words ...string) []hv.Build {
	var list []hv.Build
	for _, w := range words {
		name, kind, _ := strings.Cut(w, "=")
		list = append(list, hv.Build{Name: name, Kind: kind})
	}
	return list
}

// TestDefaults: what a target says stands in for what was not asked for.
func TestDefaults(t *testing.T) {
	type asked struct {
		Rounds, Layouts, Idle int
		DomU                  string
		Options               bench.Options
	}
	for name, c := range map[string]struct {
		target string
		change func(*Question)
		want   asked
	}{
		"times":         {"fake", nil, asked{10, 10, 0, "", bench.Options{EnoughUS: 1000}}},
		"times, quick":  {"fake", func(q *Question) { q.Quick = true }, asked{3, 3, 0, "", bench.Options{EnoughUS: 100, Quick: true}}},
		"times, asked":  {"fake", func(q *Question) { q.Rounds, q.Layouts = new(4), 2 }, asked{4, 2, 0, "", bench.Options{EnoughUS: 1000}}},
		"clock decides": {"fake", func(q *Question) { q.EnoughUS = new(int64(0)) }, asked{10, 10, 0, "", bench.Options{}}},
		"budget": {"fake", func(q *Question) { q.Budget = &Budget{time.Minute, 30} },
			asked{4, 30, 0, "", bench.Options{EnoughUS: 1000}}},
		"counts":        {"counting", nil, asked{2, 0, 0, "pv", bench.Options{EnoughUS: 1000, Windows: 20}}},
		"counts, quick": {"counting", func(q *Question) { q.Quick = true }, asked{2, 0, 0, "pv", bench.Options{EnoughUS: 100, Windows: 20, Quick: true}}},
		"counts, asked": {"counting", func(q *Question) { q.Rounds, q.Layouts = new(6), 1 }, asked{6, 1, 0, "pv", bench.Options{EnoughUS: 1000, Windows: 20}}},
		"repetitions": {"counting", func(q *Question) { q.Repetitions = 7 },
			asked{2, 0, 0, "pv", bench.Options{EnoughUS: 1000, Repetitions: 7, Windows: 7}}},
		"no windows":      {"counting", func(q *Question) { q.Accel = "kvm" }, asked{2, 0, 0, "pv", bench.Options{EnoughUS: 1000}}},
		"domUs":           {"counting", func(q *Question) { q.DomUs, q.Idle = []string{"pvh"}, 3 }, asked{2, 0, 3, "pvh", bench.Options{EnoughUS: 1000, Windows: 20}}},
		"witness":         {"counting", func(q *Question) { q.Witness = true }, asked{2, 0, 0, "pv", bench.Options{EnoughUS: 1000, Windows: 20, Witness: true}}},
		"counting budget": {"counting", func(q *Question) { q.Budget = &Budget{time.Minute, 30} }, asked{2, 0, 0, "pv", bench.Options{EnoughUS: 1000, Windows: 20}}},
	} {
		_, spec, err := asking(c.target, c.change).Spec()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if spec.OtherDomU != (spec.DomU == "pvh") {
			t.Errorf("%s: other domU %t", name, spec.OtherDomU)
		}
		if spec.Workload != "idle" || cmp.Diff(spec.Domains, []string{"dom0", "domU"}) != "" {
			t.Errorf("%s: workload %q, domains %v", name, spec.Workload, spec.Domains)
		}
		got := asked{spec.Rounds, spec.Layouts, spec.Idle, spec.DomU, spec.Options}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestMachines: kinds of domUs are in the target's order, each measures all, and one
// processor is what there is anyway.
func TestMachines(t *testing.T) {
	_, plain, err := asking("counting", nil).Spec()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change  func(*Question)
		kinds   []string
		samples []string // of kinds
		times   int
		accel   string
	}{
		{func(q *Question) { q.DomUs, q.CPUs = []string{"pv"}, 1 }, []string{"pv"}, []string{""}, 1, ""},
		{func(q *Question) { q.DomUs = []string{"pvh", "pv"} }, []string{"pv", "pvh"}, []string{"", "pvh"}, 2, ""},
		{func(q *Question) { q.DomUs = []string{"pvh"} }, []string{"pvh"}, []string{"pvh"}, 1, ""},
		{func(q *Question) { q.Accel, q.CPUs = "tcg", 2 }, []string{"pv"}, []string{""}, 1, "tcg cpus=2"},
		{func(q *Question) { q.CPUs = 2 }, []string{"pv"}, []string{""}, 1, "cpus=2"},
	} {
		_, spec, err := asking("counting", c.change).Spec()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.kinds, spec.DomUKinds()); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(c.samples, spec.SampleDomUs()); d != "" {
			t.Error(d)
		}
		if got, want := Expected(spec), c.times*Expected(plain); got != want || len(spec.Places()) != c.times*len(plain.Places()) {
			t.Errorf("%v: %d samples, want %d", c.kinds, got, want)
		}
		if spec.SampleAccel() != c.accel {
			t.Errorf("samples say %q, want %q", spec.SampleAccel(), c.accel)
		}
	}
}

// TestRefused: a question that cannot be asked says which part of it is wrong.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		target string
		change func(*Question)
		want   string
	}{
		{"fkae", nil, `unknown target "fkae" (known: counting, fake)`},
		{"fake", func(q *Question) { q.Arches = []string{"arm64"} }, "Arch arm64: target fake does not have it (known: amd64, 386)"},
		{"fake", func(q *Question) { q.Arches = []string{"386", "386"} }, "Arch 386,386: 386 twice"},
		{"fake", func(q *Question) { q.Builds = []hv.Build{{Name: "d", Kind: "dummy", Dispatch: "direct"}} }, "Builds d: hooks of dummy are reached in one way only (table): leave out :direct"},
		{"fake", func(q *Question) { q.Builds = nil }, "Builds: no build"},
		{"fake", func(q *Question) { q.Builds = named("a=flask", "a=flask") }, `Builds a,a: "a" is used twice`},
		{"fake", func(q *Question) { q.Builds = named("mine=falsk") }, `unknown build "falsk" of target fake (known: native, dummy, flask)`},
		{"fake", func(q *Question) { q.Source = "nowhere" }, "Source: stat "},
		{"fake", func(q *Question) { q.Policy = "nowhere" }, "Policy: stat "},
		{"fake", func(q *Question) { q.Kconfig = []string{"question.go"} }, "Kconfig question.go: none of the builds native, dummy, flask takes Kconfig settings"},
		{"fake", func(q *Question) { q.Packages.Guests = "trixie" }, "Packages.Guests trixie: target fake takes no packages of a distribution"},
		{"fake", func(q *Question) { q.Packages.Toolstack = "tree" }, "Packages.Toolstack tree: target fake takes no packages of a distribution"},
		{"fake", func(q *Question) { q.Policy, q.Builds = "question.go", named("native") }, "Policy question.go: none of the builds native loads a policy"},
		{"fake", func(q *Question) { q.Builds[2].Policy = "nowhere" }, "Policy: stat "},
		{"fake", func(q *Question) { q.Builds[0].Policy = "question.go" }, "Policy question.go: the build native loads no policy"},
		{"fake", func(q *Question) { q.Builds[1].Label = "u:r:t" }, "Label u:r:t: the build dummy knows no labels"},
		{"fake", func(q *Question) { q.Options = []string{"mode=permissive"} }, "Options: build native: it knows no option mode"},
		{"fake", func(q *Question) { q.Builds[2].Options = []string{"mode"} }, `Options: option "mode": want NAME=VALUE`},
		{"fake", func(q *Question) { q.Builds[2].Options = []string{"com1=9600"} }, "Options: build flask: it knows no option com1"},
		{"fake", func(q *Question) { q.Base = "flaks" }, "Base flaks: not among the builds native, dummy, flask"},
		{"fake", func(q *Question) { q.Domains = []string{} }, "Domains: no domain"},
		{"fake", func(q *Question) { q.Domains = []string{"dom0", "dom0"} }, "Domains: dom0 twice"},
		{"fake", func(q *Question) { q.Domains = []string{"dom1"} }, `unknown domain "dom1" (known: dom0, domU)`},
		{"fake", func(q *Question) { q.Workload = "lazy" }, `unknown workload "lazy" (known: idle, busy, memory, events, block, network, neighbour-busy, neighbour-memory, neighbour-events, neighbour-block, neighbour-network, neighbour-same)`},
		{"fake", func(q *Question) { q.Accel = "kvm" }, "Accel kvm: target fake does not have it"},
		{"fake", func(q *Question) { q.Rounds = new(0) }, "Rounds 0: must be from 1 to 10000"},
		{"fake", func(q *Question) { q.EnoughUS = new(int64(-5)) }, "EnoughUS -5: must be from 0 to"},
		{"fake", func(q *Question) { q.Repetitions = 1002 }, "Repetitions 1002: must be from 0 to 1001"},
		{"fake", func(q *Question) { q.Timeout = -time.Second }, "Timeout -1s: must be from 0 to 240h"},
		{"fake", func(q *Question) { q.Benchmarks, q.Domains = "^Rounds/control$", []string{"domU"} }, "Benchmarks ^Rounds/control$: target fake runs none of them in domU"},
		{"fake", func(q *Question) { q.Witness = true }, "Witness: target fake marks no windows"},
		{"counting", func(q *Question) { q.Accel, q.Witness = "kvm", true }, "Witness: target counting marks no windows but with Accel tcg"},
		{"counting", func(q *Question) { q.Layouts = 2 }, "Layouts 2: target counting does not relink"},
		{"counting", func(q *Question) { q.DomUs = []string{"hvm"} }, "DomU hvm: target counting does not have it (known: pv, pvh)"},
		{"counting", func(q *Question) { q.DomUs = []string{"pv", "pvh", "pv"} }, "DomU pv,pv,pvh: pv twice"},
		{"counting", func(q *Question) { q.DomUs = []string{} }, "DomU: no kind (known: pv, pvh)"},
		{"counting", func(q *Question) { q.CPUs = 3 }, "CPUs 3: must be from 1 to 2"},
		{"counting", func(q *Question) { q.CPUs = -1 }, "CPUs -1: must be from 1 to 2"},
		{"counting", func(q *Question) { q.Workload = "neighbour-same" }, "Workload neighbour-same: on one processor the two domains never execute at once; give the machine 2: {CPUs} 2"},
		{"fake", func(q *Question) { q.CPUs = 2 }, "CPUs 2: target fake cannot choose the processors of its machines"},
		{"counting", func(q *Question) { q.Idle = 4 }, "Idle 4: must be from 0 to 3"},
		{"fake", func(q *Question) { q.DomUs = []string{"pvh"} }, "DomU pvh: target fake has only one kind of domU, and only one domU; others: Target counting"},
		{"fake", func(q *Question) { q.Idle = 1 }, "Idle 1: target fake has only one kind"},
		{"fake", func(q *Question) { q.Budget = &Budget{0, 30} }, "Budget.Time 0s: must be above 0"},
		{"fake", func(q *Question) { q.Budget = &Budget{time.Minute, 3} }, "Budget.MostRounds 3: must be from 4 to 10000"},
		{"fake", func(q *Question) { q.Budget, q.Rounds = &Budget{time.Minute, 9}, new(3) }, "Budget.Time, Rounds: name one of them (Budget.MostRounds bounds the rounds that a budget takes)"},
		{"fake", func(q *Question) { q.Budget, q.Builds = &Budget{time.Minute, 9}, named("flask") }, "Budget.Time: there is only one build, flask, so no verdict to wait for; use Rounds"},
	} {
		if _, _, err := asking(c.target, c.change).Spec(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// TestControls: which controls a run has beside its builds.
func TestControls(t *testing.T) {
	for _, c := range []struct {
		name   string
		target string
		change func(*Question)
		want   string // what is added, with what it is a control of
	}{
		{"default", "fake", nil, "native2=native native-relinked=native"},
		{"without", "fake", func(q *Question) { q.Controls = WithoutControls }, ""},
		{"too few rounds to take turns", "fake", func(q *Question) { q.Rounds = new(5) }, "native2=native"},
		{"one layout", "fake", func(q *Question) { q.Rounds, q.Layouts = new(6), 1 }, "native2=native native-relinked=native"},
		{"budget", "fake", func(q *Question) { q.Budget = &Budget{time.Minute, 100} }, "native2=native native-relinked=native"},
		{"another base", "fake", func(q *Question) { q.Base = "dummy" }, "dummy2=dummy dummy-relinked=dummy"},
		{"two trees", "fake", func(q *Question) {
			q.Builds = []hv.Build{{Name: "a", Kind: "flask", Source: "/a"}, {Name: "b", Kind: "flask"}}
		}, "a2=a a-relinked=a"},
		{"asked for by name", "fake", func(q *Question) { q.Builds = named("native", "mine=native", "flask") }, "native-relinked=native"},
		{"a version, which one digit more would make another", "counting", func(q *Question) { q.Builds = named("flask-4.20=flask", "dummy") }, "flask-4.20-again=flask-4.20"},
		{"a name that is taken", "fake", func(q *Question) { q.Builds = named("native", "native2=dummy") }, "native2-2=native native-relinked=native"},
		{"one build, compared with nothing", "fake", func(q *Question) { q.Builds = named("native") }, ""},
		{"one build, asked for", "fake", func(q *Question) { q.Builds, q.Controls = named("native"), WithControls }, "native2=native native-relinked=native"},
		{"counts do not change by a relink", "counting", func(q *Question) { q.Rounds = new(10) }, "native2=native"},
		{"nothing is relinked", "counting", func(q *Question) { q.Rounds, q.Accel = new(10), "kvm" }, "native2=native"},
	} {
		_, spec, err := asking(c.target, c.change).Spec()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, b := range spec.Controls() {
			got = append(got, b.Name+"="+b.ControlOf)
			base := spec.Builds[index(spec.Builds, b.ControlOf)]
			if b.KindOf() != base.KindOf() || b.Source != base.Source || b.Relinked != strings.HasSuffix(b.Name, "-relinked") {
				t.Errorf("%s: control %+v of %+v", c.name, b, base)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: controls %q, want %q", c.name, got, c.want)
		}
	}
}

// TestInputs: what holds for all builds, and what a build has of its own.
func TestInputs(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("user", 0o777); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"a.config", "b,c.config", "own.pol"} {
		if err := os.WriteFile(file, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	in := Inputs{
		Target: "counting", Source: "user", Rev: "R0", Policy: "own.pol", Kconfig: []string{"a.config", "b,c.config"},
		Builds: []hv.Build{{Name: "native"}, {Name: "v1", Kind: "flask", Rev: "R1", Options: []string{"mode=permissive"}}, {Name: "v2", Kind: "flask", Rev: "R2"}, {Name: "other", Kind: "flask", Source: "/other"}},
	}
	user, pol := dir+"/user", dir+"/own.pol"
	fragments := []string{dir + "/a.config", dir + "/b,c.config"}
	want := []hv.Build{
		{Name: "native", Arch: "amd64", Source: user, Rev: "R0", Kconfig: fragments},
		{Name: "v1", Arch: "amd64", Kind: "flask", Source: user, Rev: "R1", Kconfig: fragments, Policy: pol, Options: []string{"mode=permissive"}},
		{Name: "v2", Arch: "amd64", Kind: "flask", Source: user, Rev: "R2", Kconfig: fragments, Policy: pol},
		{Name: "other", Arch: "amd64", Kind: "flask", Source: "/other", Kconfig: fragments, Policy: pol},
	}
	_, got, err := in.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// optionless is a target whose hypervisors have no command line.
type optionless struct{ hv.Target }

func TestNoCommandLine(t *testing.T) {
	fake, _ := hv.Lookup("fake")
	err := checkOptions(optionless{fake}, hv.Build{Name: "flask", Options: []string{"mode=permissive"}})
	if want := "Options mode=permissive: target fake has no command line of a hypervisor"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestCommonOptions: a build's own option counts, not that of all.
func TestCommonOptions(t *testing.T) {
	in := Inputs{Target: "fake", Options: []string{"mode=disabled"}, Builds: []hv.Build{{Name: "flask"}, {Name: "lax", Kind: "flask", Options: []string{"mode=permissive"}}}}
	_, got, err := in.Resolve()
	want := []hv.Build{{Name: "flask", Arch: "amd64", Options: []string{"mode=disabled"}}, {Name: "lax", Kind: "flask", Arch: "amd64", Options: []string{"mode=permissive"}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestArches: each architecture has all builds, and controls of its own.
func TestArches(t *testing.T) {
	rounds := 1
	q := Question{Inputs: Inputs{Target: "counting", Arches: []string{"386", "amd64"}, Builds: named("native", "flask")}, Rounds: &rounds}
	_, spec, err := q.Spec()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range Schedule(spec) {
		got = append(got, s.Name())
	}
	slices.Sort(got)
	want := []string{"flask 386", "flask amd64", "native 386", "native amd64", "native2 386", "native2 amd64"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDispatch: the first of a kind's dispatches is what there is without one.
func TestDispatch(t *testing.T) {
	k := hv.Kind{Name: "dummy", Dispatch: "table", Dispatches: []hv.Dispatch{{Name: "table", How: "table"}, {Name: "direct", How: "direct call"}}}
	for asked, want := range map[string]string{"": "", "table": "", "direct": "direct"} {
		if got, err := dispatchOf(k, hv.Build{Name: "d", Dispatch: asked}); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", asked, got, err, want)
		}
	}
	_, err := dispatchOf(hv.Kind{Name: "silo", Dispatch: "table", OneWay: "it has no functions"}, hv.Build{Name: "s", Dispatch: "direct"})
	if want := "Builds s: hooks of silo are reached in one way only (table), since it has no functions: leave out :direct"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	_, err = dispatchOf(k, hv.Build{Name: "d", Dispatch: "sideways"})
	if want := "Builds d: there is no dummy:sideways: use dummy:table or dummy:direct"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestImagesOfInputs(t *testing.T) {
	in := Inputs{Target: "fake", Builds: named("native", "flask")}
	images, err := in.Images(t.Context(), 2, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, img := range images {
		got = append(got, img.Build.Name)
	}
	if strings.Join(got, " ") != "native native flask flask" || images[0].Build.Layout == images[1].Build.Layout {
		t.Errorf("images %+v", images)
	}
	var field *FieldError
	if _, err := in.Images(t.Context(), 0, func(string) {}); !errors.As(err, &field) || field.Fields[0] != FieldLayouts {
		t.Errorf("error %v", err)
	}
}

// TestExtend: a run can be given more, not less, and not another kind of end.
func TestExtend(t *testing.T) {
	fixed := results.Spec{Rounds: 4}
	budget := results.Spec{Rounds: 4, Budget: &results.Budget{Time: time.Minute}}
	for _, c := range []struct {
		spec   results.Spec
		c      Continuation
		rounds int
		time   time.Duration
		err    string
	}{
		{fixed, Continuation{}, 4, 0, ""},
		{fixed, Continuation{Rounds: new(6)}, 6, 0, ""},
		{budget, Continuation{Time: new(time.Hour)}, 4, time.Hour, ""},
		{fixed, Continuation{Rounds: new(3)}, 4, 0, "Rounds 3: the run has 4, and rounds can only be added"},
		{fixed, Continuation{Time: new(time.Hour)}, 4, 0, "Budget.Time: the run has a fixed number of rounds; add some with Rounds"},
		{budget, Continuation{Time: new(time.Second)}, 4, time.Minute, "Budget.Time 1s: the run has 1m0s, and time can only be added"},
		{budget, Continuation{Rounds: new(9)}, 4, time.Minute, "Rounds: the run chooses its rounds by a budget; add time with Budget.Time"},
		{fixed, Continuation{Timeout: -1}, 4, 0, "Timeout -1ns: must be from 0"},
	} {
		s := c.spec
		err := c.c.extend(&s)
		if c.err != "" && (err == nil || !strings.HasPrefix(err.Error(), c.err)) || c.err == "" && err != nil {
			t.Errorf("%+v: error %v, want %q", c.c, err, c.err)
		}
		if s.Rounds != c.rounds || s.Budget != nil && s.Budget.Time != c.time {
			t.Errorf("%+v: %+v", c.c, s)
		}
	}
	if budget.Budget.Time != time.Minute {
		t.Error("the spec's own budget changed")
	}
}
