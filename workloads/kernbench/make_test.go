package kernbench

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/bench/benchtest"
	"xsmbench/workloads/kernbench/csource"
)

// shop is a builder whose processes end in the order in which they were started, and
// that notes how many run at a time.
type shop struct {
	bench.Builder
	running     []int
	next, most  int
	order       []string
	unstartable string         // the last argument of what cannot be started
	status      map[string]int // of processes, by their last argument
	names       map[int]string
	stranger    bool // a child of somebody else ends first
	lost        bool // nobody ends
}

func (s *shop) Spawn(_ string, argv ...string) (int, error) {
	name := argv[len(argv)-1]
	if name == s.unstartable {
		return 0, abi.ENOENT
	}
	if s.names == nil {
		s.names = map[int]string{}
	}
	s.next++
	s.names[s.next] = name
	s.running = append(s.running, s.next)
	s.most = max(s.most, len(s.running))
	s.order = append(s.order, name)
	return s.next, nil
}

func (s *shop) Reap() (pid, status int, err error) {
	switch {
	case s.lost:
		return 0, 0, abi.ECHILD
	case s.stranger:
		s.stranger = false
		return 4711, 1, nil
	}
	pid = s.running[0]
	s.running = s.running[1:]
	return pid, s.status[s.names[pid]], nil
}

func jobsOf(n int) (list []job) {
	for i := range n {
		name := fmt.Sprintf("f%d.c", i)
		list = append(list, job{name, []string{"cc", name}})
	}
	return list
}

// TestMaker: so many jobs at a time, in their order, the last one alone.
func TestMaker(t *testing.T) {
	for _, c := range []struct{ jobs, most int }{{1, 1}, {2, 2}, {4, 4}, {7, 7}, {64, 7}, {0, 7}} {
		s := &shop{stranger: true}
		m := &maker{builder: s, jobs: c.jobs, running: map[int]job{}}
		if err := m.run(jobsOf(7), job{"image", []string{"ld", "image"}}); err != nil {
			t.Errorf("-j%d: %v", c.jobs, err)
		}
		want := []string{"f0.c", "f1.c", "f2.c", "f3.c", "f4.c", "f5.c", "f6.c", "image"}
		if m.started != 8 || s.most != c.most || !slices.Equal(s.order, want) || len(s.running) != 0 {
			t.Errorf("-j%d: %d processes, %d at a time, want %d; %v; %d are left", c.jobs, m.started, s.most, c.most, s.order, len(s.running))
		}
	}
}

// TestMakerFails: a failure ends it, names the file, and leaves no process.
func TestMakerFails(t *testing.T) {
	for _, c := range []struct {
		name string
		shop shop
		want string
	}{
		{"a compiler", shop{status: map[string]int{"f2.c": 1}}, "make f2.c: cc ended with status 1"},
		{"the link", shop{status: map[string]int{"image": 139}}, "make image: ld ended with status 139"},
		{"a start", shop{unstartable: "f4.c"}, "make f4.c: ENOENT"},
		{"a wait", shop{lost: true}, "wait for a compiler: ECHILD"},
	} {
		for _, jobs := range []int{1, 3, 0} {
			s := c.shop
			m := &maker{builder: &s, jobs: jobs, running: map[int]job{}}
			err := m.run(jobsOf(7), job{"image", []string{"ld", "image"}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, -j%d: error %v, want %q", c.name, jobs, err, c.want)
			}
			if c.name != "the link" && slices.Contains(s.order, "image") {
				t.Errorf("%s, -j%d: what is there is linked all the same", c.name, jobs)
			}
			if len(s.running) != 0 && !c.shop.lost {
				t.Errorf("%s, -j%d: %d processes are left", c.name, jobs, len(s.running))
			}
		}
	}
}

func TestCompilerOptions(t *testing.T) {
	for _, c := range []struct{ path, compile, link string }{
		{"/usr/bin/tcc", "/usr/bin/tcc -c -nostdinc -Iinclude -o a.o a.c", "/usr/bin/tcc -g -nostdlib -static -o image a.o b.o"},
		{
			"/usr/bin/gcc", "/usr/bin/gcc -c -O1 -nostdinc -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -mno-sse -Iinclude -o a.o a.c",
			"/usr/bin/gcc -nostdlib -static -o image a.o b.o",
		},
	} {
		cc := compilerAt(c.path)
		if got := strings.Join(cc.compileArgs("include", "a.c", "a.o"), " "); got != c.compile {
			t.Errorf("compile: %s, want %s", got, c.compile)
		}
		if got := strings.Join(cc.linkArgs("image", []string{"a.o", "b.o"}), " "); got != c.link {
			t.Errorf("link: %s, want %s", got, c.link)
		}
	}
}

// TestNoCompiler: without one there is no figure, but a reason.
func TestNoCompiler(t *testing.T) {
	b, ok := bench.Find("Kbench/kernbench/load=half" + Compiled)
	if !ok {
		t.Fatal("the benchmark is not registered")
	}
	d := benchtest.New(0)
	for _, o := range []bench.Options{{}, {Windows: 3}} {
		if m, err := bench.Measure(d, b, o, bench.Calibration{}); !errors.Is(err, errNoCompiler) || len(m.Values) != 0 {
			t.Errorf("%+v: %v, error %v", o, m.Values, err)
		}
	}
	if bench.Has(d.OS(), bench.Compiling) {
		t.Error("a domain without a compiler is said to have one")
	}
}

func TestLacking(t *testing.T) {
	if _, err := lacking([]byte("#!/bin/sh\n"), csource.New(csource.Quick).Functions); err == nil {
		t.Error("a script is taken for an image")
	}
}
