package linux

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"xsmbench/bench"
	_ "xsmbench/bench/kbench"
	_ "xsmbench/bench/lmbench"
	"xsmbench/hv"
	_ "xsmbench/workloads/kernbench"
)

// role makes the test's program one that measures until it is killed.
const role = "XSMBENCH_LINUX_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(role) != "" {
		measureForEver()
	}
	os.Exit(m.Run())
}

// needsHost skips a test where there is nothing to measure.
func needsHost(t *testing.T) {
	t.Helper()
	if err := New().Starts(hv.Build{}, ""); err != nil {
		t.Skip(err)
	}
	if testing.Short() {
		t.Skip("builds the agent")
	}
}

// ownStore gives the test a store of its own, with the go command's caches of the
// user. It returns the folder that all lies in.
func ownStore(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("GOCACHE", strings.TrimSpace(string(out)))
	t.Setenv("XDG_CACHE_HOME", dir)
	return dir
}

func TestRefuses(t *testing.T) {
	tg := New()
	tg.interpreter, tg.compilers = "/no/such/linker", []string{"no-such-compiler"}
	for _, c := range []struct{ name, reason string }{
		{"Lmbench/lat_syscall/op=null", ""},
		{"Lmbench/lat_proc/op=fork", ""},
		{"Lmbench/lat_select/fds=10/for=write", ""},
		{"Lmbench/lat_proc/op=fork/process=dynamic", "this machine has no /no/such/linker"},
		{"Lmbench/lat_rpc/proto=udp", ""},
		{"Lmbench/lat_sem", ""},
		{"Lmbench/tlb", ""},
		{"Lmbench/disk/op=seek", "it needs a block device, which this target does not take"},
		{"Kbench/hypercall/op=evtchn_send", "no hypervisor"},
		{"Kbench/kernbench/load=half", "in the model's guests only"},
		{"Kbench/kernbench/load=half/source=c", "this machine has no C compiler (no-such-compiler)"},
		{"Kbench/vm/op=anon_fault", ""},
	} {
		b, ok := bench.Find(c.name)
		if !ok {
			t.Fatalf("no benchmark %s", c.name)
		}
		got := tg.Refuses(b)
		if (got == "") != (c.reason == "") || !strings.Contains(got, c.reason) || tg.Offers(b) != (got == "") {
			t.Errorf("%s: offered %v, %q; want %q", c.name, tg.Offers(b), got, c.reason)
		}
	}
	for _, b := range bench.All() {
		if tg.Offers(b) && (b.NeedsPeer || b.NeedsEcho || b.Dom0Only) {
			t.Errorf("%s is offered", b.FullName())
		}
	}
}

func TestBuildErrors(t *testing.T) {
	for _, c := range []struct {
		build hv.Build
		want  string
	}{
		{hv.Build{Name: "native", Arch: "amd64"}, `build native: unknown kind of build "native": this machine has linux only`},
		{hv.Build{Name: "linux", Arch: "amd64", Source: "/src"}, "build linux: the kernel that runs is measured"},
	} {
		if _, err := New().Build(context.Background(), c.build, func(string) {}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.build, err, c.want)
		}
	}
}

// plan is one of the benchmarks, each a moment long.
func plan(names ...string) bench.Plan {
	return bench.Plan{Domains: New().MeasuredDomains(), Benchmarks: names, Options: bench.Options{EnoughUS: 100, Repetitions: 3, Quick: true}}
}

// TestMeasure measures this machine: every figure is there, nothing is left
// behind, and a second build is the same image.
func TestMeasure(t *testing.T) {
	needsHost(t)
	ownStore(t)
	tg := New()
	img, err := tg.Build(context.Background(), hv.Build{Name: "linux", Arch: "amd64"}, func(s string) { t.Log(s) })
	if err != nil {
		t.Fatal(err)
	}
	again, err := tg.Build(context.Background(), hv.Build{Name: "again", Kind: "linux", Arch: "amd64"}, func(s string) { t.Log(s) })
	if err != nil || again.Hash != img.Hash || again.Build.Name != "again" {
		t.Errorf("built again: %+v, %v", again, err)
	}
	names := []string{
		"Lmbench/lat_syscall/op=null", "Lmbench/lat_syscall/op=fstat/call=newfstatat", "Lmbench/lat_select/fds=10/for=write", "Lmbench/lat_sig/op=catch",
		"Lmbench/lat_proc/op=fork", "Lmbench/lat_pipe", "Lmbench/bw_pipe", "Lmbench/lat_fs/op=create/size=0k", "Lmbench/lat_ctx/size=16K/procs=8",
		"Lmbench/lat_fifo", "Lmbench/lat_tcp", "Lmbench/lat_udp", "Lmbench/lat_connect", "Lmbench/lat_unix_connect", "Lmbench/lat_fcntl", "Lmbench/lat_sem",
		"Lmbench/lat_usleep/method=itimer", "Lmbench/lat_rpc/proto=udp", "Lmbench/bw_mmap_rd/size=512K/op=mmap_only", "Lmbench/lat_rand/fn=drand48",
		"Lmbench/mhz",
	}
	if tg.hasLibrary() {
		names = append(names, "Lmbench/lat_proc/op=fork/process=dynamic", "Lmbench/lat_proc/op=exec/process=dynamic", "Lmbench/lat_proc/op=sh/process=dynamic")
	}
	if tg.compiler() != "" {
		names = append(names, "Kbench/kernbench/load=maximal/source=c")
	}
	got := measured(t, tg, img, plan(names...))
	if !slices.Equal(got, names) {
		t.Errorf("measured %q, want %q", got, names)
	}
	measured(t, tg, img, bench.Plan{Domains: tg.MeasuredDomains(), Benchmarks: names[:1], Options: bench.Options{EnoughUS: 100, Repetitions: 3}, Workload: "busy"})
	s, err := tg.opened()
	if err != nil {
		t.Fatal(err)
	}
	awaitNoProcess(t, s.Dir())
}

// measured boots the image and returns the names of what has a figure in it.
func measured(t *testing.T, tg *Target, img *hv.Image, p bench.Plan) []string {
	t.Helper()
	m, err := tg.Boot(context.Background(), img, hv.BootSpec{Plan: p})
	if err != nil {
		t.Fatal(err)
	}
	dir := scratchOf(m.(*machine))
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the agent's folder: %v", err)
	}
	var names []string
	err = m.Measure(context.Background(), func(s bench.Measurement) error {
		for _, v := range s.Values {
			if !slices.Contains(tg.Units(), v.Unit) {
				t.Errorf("%s: %s is not among the target's units", s.Benchmark, v.Unit)
			}
		}
		figures := 1
		if strings.HasPrefix(s.Benchmark, "Kbench/kernbench/") {
			figures = 6
		}
		if s.Error != "" || s.Domain != "host" || len(s.Values) != figures || s.Values[0].Value < 0 {
			t.Errorf("measured %+v", s)
		}
		names = append(names, s.Benchmark)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the agent's folder is left: %v", err)
	}
	return names
}

// scratchOf is the folder of a machine's files.
func scratchOf(m *machine) string {
	args := m.Machine.Command()
	return args[slices.Index(args, "-tmp")+1]
}

// measureForEver boots the image and measures what takes longer than any test.
func measureForEver() {
	tg := New()
	img, err := tg.Build(context.Background(), hv.Build{Name: "linux", Arch: "amd64"}, func(string) {})
	if err == nil {
		var m hv.Machine
		p := bench.Plan{
			Domains: tg.MeasuredDomains(), Benchmarks: []string{"Lmbench/lat_unix"}, Workload: "busy",
			Options: bench.Options{EnoughUS: 20_000, Repetitions: 1001},
		}
		if m, err = tg.Boot(context.Background(), img, hv.BootSpec{Plan: p}); err == nil {
			fmt.Println("measuring")
			err = m.Measure(context.Background(), func(bench.Measurement) error { return nil })
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

// TestKilled: when this program dies, however that happens, all that it started
// ends.
func TestKilled(t *testing.T) {
	needsHost(t)
	dir := ownStore(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=measure")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "measuring\n" {
		t.Fatalf("it says %q, %v", line, err)
	}
	// The agent, the workload, the native loops with their processes.
	const atLeast = 4
	if !eventually(func() bool { return len(processesIn(dir)) >= atLeast }) {
		t.Errorf("%d processes measure, want %d", len(processesIn(dir)), atLeast)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	awaitNoProcess(t, dir)
}

func awaitNoProcess(t *testing.T, dir string) {
	t.Helper()
	if !eventually(func() bool { return len(processesIn(dir)) == 0 }) {
		t.Errorf("processes live on: %v", processesIn(dir))
	}
}

func eventually(is func() bool) bool {
	for begun := time.Now(); time.Since(begun) < 30*time.Second; {
		if is() {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// processesIn are those whose program lies below a directory.
func processesIn(dir string) []string {
	var all []string
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if exe, err := os.Readlink(link); err == nil && strings.HasPrefix(exe, dir+"/") {
			all = append(all, filepath.Base(filepath.Dir(link)))
		}
	}
	return all
}

func TestDoctor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not Linux")
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	tg := New()
	tg.interpreter = "/no/such/linker"
	for _, f := range tg.Doctor(context.Background(), hv.Build{}) {
		if want := !strings.HasPrefix(f.What, "C library"); f.OK != want || f.Detail == "" {
			t.Errorf("%s: %v, %s", f.What, f.OK, f.Detail)
		}
	}
}
