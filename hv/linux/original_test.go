//go:build linux

package linux

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/internal/require"
)

// originals is the variable that names the folder of lmbench's own programs, which
// the user has built.
const originals = "XSMBENCH_LMBENCH"

// pair is a program of lmbench's and the benchmark that is its port.
type pair struct {
	port    string
	args    string  // of the original; FILE is a file of 1 MiB
	figure  figure  // where the original's output has it
	within  float64 // how far they may be apart, as a share
	enoughU int64   // the window that the original asks for, µs; 0 for that of the test
	apart   string  // why that is more than one of the tolerances, if it is
}

// figure is where an original's output has its figure, and what makes the port's unit
// of it: µs, or MB/s.
type figure struct {
	pattern string
	of      func(float64) float64
}

func same(v float64) float64          { return v }
func fromNanos(v float64) float64     { return v / 1000 }
func fromPerSecond(n float64) float64 { return 1e6 / n }

// isDifference tells the programs that subtract one measurement from another. Their
// best figure would be that of the most disturbed subtrahend: the median counts.
func (p pair) isDifference() bool {
	return strings.HasPrefix(p.port, "lat_ctx/") || slices.Contains([]string{"lat_sig/op=catch", "lat_sig/op=prot", "lat_pagefault"}, p.port)
}

// What is allowed between the two, as a share: where processes are made or
// switched, more of what differs between two programs takes part.
const (
	callTolerance    = 0.10
	processTolerance = 0.15
)

var (
	micros = figure{`([\d.]+) microseconds\n`, same}
	rate   = figure{`([\d.]+) MB/sec`, same}
	second = figure{`(?m)^[\d.]+ ([\d.]+)$`, same} // of two columns: size, figure
)

// row is the figure in the line that begins with a text, in the unit that follows it.
func row(begin, unit string, of func(float64) float64) figure {
	return figure{`(?m)^` + begin + `\s+([\d.]+)` + unit, of}
}

func nanos(name string) figure { return row(name+":", " nanoseconds", fromNanos) }

var pairs = []pair{
	{"lat_syscall/op=null", "lat_syscall null", micros, callTolerance, 0, ""},
	{"lat_syscall/op=read", "lat_syscall read", micros, callTolerance, 0, ""},
	{"lat_syscall/op=write", "lat_syscall write", micros, callTolerance, 0, ""},
	{"lat_syscall/op=stat", "lat_syscall stat FILE", micros, callTolerance, 0, ""},
	{"lat_syscall/op=fstat", "lat_syscall fstat FILE", micros, callTolerance, 0, ""},
	{"lat_syscall/op=open", "lat_syscall open FILE", micros, callTolerance, 0, ""},
	{"lat_select/fds=10/for=write", "lat_select -n 10 file", micros, callTolerance, 0, ""},
	{"lat_select/fds=100/for=write", "lat_select -n 100 file", micros, callTolerance, 0, ""},
	{"lat_sig/op=install", "lat_sig install", micros, callTolerance, 0, ""},
	{"lat_sig/op=catch", "lat_sig catch", micros, callTolerance, 0, ""},
	{"lat_sig/op=prot", "lat_sig prot FILE", micros, callTolerance, 0, ""},
	{"lat_pipe", "lat_pipe", micros, callTolerance, 1_000_000, ""},
	{"lat_unix", "lat_unix", micros, callTolerance, 0, ""},
	{"lat_proc/op=fork/process=dynamic", "lat_proc fork", micros, processTolerance, 0, ""},
	{"lat_proc/op=exec/process=dynamic", "lat_proc exec", micros, processTolerance, 0, ""},
	{"lat_proc/op=sh/process=dynamic", "lat_proc shell", micros, processTolerance, 0, ""},
	{"lat_ctx/size=0K/procs=2", "lat_ctx -s 0 2", row("2", "$", same), processTolerance, 0, ""},
	{"lat_ctx/size=16K/procs=8", "lat_ctx -s 16 8", row("8", "$", same), processTolerance, 0, ""},
	{"lat_pagefault", "lat_pagefault FILE", micros, callTolerance, 0, ""},
	{"lat_mmap/size=512K", "lat_mmap 512k FILE", second, callTolerance, 0, ""},
	{"lat_mmap/size=1M", "lat_mmap 1m FILE", second, callTolerance, 0, ""},
	{"bw_pipe", "bw_pipe -M 1m", rate, callTolerance, 2_000_000, ""},
	// The original reports as if it had moved 10 MiB, whatever -M says.
	{"bw_unix", "bw_unix", rate, callTolerance, 2_000_000, ""},
	{"bw_file_rd/size=512K/op=open2close", "bw_file_rd 512k open2close FILE", second, callTolerance, 0, ""},
	{"bw_mmap_rd/size=512K/op=open2close", "bw_mmap_rd 512k open2close FILE", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=rd", "bw_mem 512k rd", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=wr", "bw_mem 512k wr", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=rdwr", "bw_mem 512k rdwr", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=cp", "bw_mem 512k cp", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=bzero", "bw_mem 512k bzero", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=bcopy", "bw_mem 512k bcopy", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=bcopy/conflict=1", "bw_mem 512k bcopy conflict", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=frd", "bw_mem 512k frd", second, 0.75, 0, ofCompiler},
	{"bw_mem/size=512K/op=fwr", "bw_mem 512k fwr", second, 0.75, 0, ofCompiler},
	{"bw_mem/size=512K/op=fcp", "bw_mem 512k fcp", second, callTolerance, 0, ""},
	{"bw_file_rd/size=512K/op=io_only", "bw_file_rd 512k io_only FILE", second, callTolerance, 0, ""},
	{"bw_mmap_rd/size=512K/op=mmap_only", "bw_mmap_rd 512k mmap_only FILE", second, callTolerance, 0, ""},
	{"lat_select/of=tcp/fds=10", "lat_select -n 10 tcp", micros, callTolerance, 0, ""},
	{"lat_select/of=tcp/fds=100", "lat_select -n 100 tcp", micros, callTolerance, 0, ""},
	{"lat_tcp", "lat_tcp localhost", micros, processTolerance, 1_000_000, ""},
	{"lat_udp", "lat_udp localhost", micros, processTolerance, 1_000_000, ""},
	{"lat_connect", "lat_connect localhost", micros, processTolerance, 0, ""},
	{"lat_unix_connect", "lat_unix_connect", micros, processTolerance, 0, ""},
	{"bw_tcp/m=64", "bw_tcp -m 64 localhost", rate, 0.6, 0, unexplained},
	{"bw_tcp/m=1437", "bw_tcp -m 1437 localhost", rate, callTolerance, 0, ""},
	{"bw_tcp/m=10M", "bw_tcp -m 10m localhost", rate, 0.6, 0, unexplained},
	{"lat_fcntl", "lat_fcntl", micros, 0.25, 0, unexplained},
	{"lat_sem", "lat_sem", micros, processTolerance, 1_000_000, ""},
	{"lat_usleep/method=usleep", "lat_usleep -u usleep 100", micros, callTolerance, 0, ""},
	{"lat_usleep/method=nanosleep", "lat_usleep -u nanosleep 100", micros, callTolerance, 0, ""},
	{"lat_usleep/method=select", "lat_usleep -u select 100", micros, callTolerance, 0, ""},
	{"lat_usleep/method=itimer", "lat_usleep -u itimer 100", micros, callTolerance, 0, ""},
	{"lat_fs/op=create/size=0k", "lat_fs -s 0k d", row("0k\t\\d+", "\t", fromPerSecond), 0.25, 0, ofFiles},
	{"lat_fs/op=delete/size=0k", "lat_fs -s 0k d", row("0k\t\\d+\t\\d+", "$", fromPerSecond), callTolerance, 0, ""},
	{"lat_fs/op=create/size=10k", "lat_fs -s 10k d", row("10k\t\\d+", "\t", fromPerSecond), 0.25, 0, ofFiles},
	{"lat_fs/op=delete/size=10k", "lat_fs -s 10k d", row("10k\t\\d+\t\\d+", "$", fromPerSecond), callTolerance, 0, ""},
	{"lat_proc/op=procedure", "lat_proc procedure", micros, callTolerance, 0, ""},
	{"lat_ops/type=integer/op=mul", "lat_ops", nanos("integer mul"), callTolerance, 0, ""},
	{"lat_ops/type=integer/op=div", "lat_ops", nanos("integer div"), callTolerance, 0, ""},
	{"lat_ops/type=integer/op=mod", "lat_ops", nanos("integer mod"), callTolerance, 0, ""},
	{"lat_ops/type=int64/op=mul", "lat_ops", nanos("int64 mul"), callTolerance, 0, ""},
	{"lat_ops/type=int64/op=div", "lat_ops", nanos("int64 div"), callTolerance, 0, ""},
	{"lat_ops/type=int64/op=mod", "lat_ops", nanos("int64 mod"), callTolerance, 0, ""},
	{"lat_ops/type=float/op=add", "lat_ops", nanos("float add"), callTolerance, 0, ""},
	{"lat_ops/type=float/op=mul", "lat_ops", nanos("float mul"), callTolerance, 0, ""},
	{"lat_ops/type=float/op=div", "lat_ops", nanos("float div"), callTolerance, 0, ""},
	{"lat_ops/type=double/op=add", "lat_ops", nanos("double add"), callTolerance, 0, ""},
	{"lat_ops/type=double/op=mul", "lat_ops", nanos("double mul"), callTolerance, 0, ""},
	{"lat_ops/type=double/op=div", "lat_ops", nanos("double div"), callTolerance, 0, ""},
	{"lat_ops/type=float/op=bogomflops", "lat_ops", nanos("float bogomflops"), callTolerance, 0, ""},
	{"lat_ops/type=double/op=bogomflops", "lat_ops", nanos("double bogomflops"), callTolerance, 0, ""},
	{"lat_rand/fn=drand48", "lat_rand", nanos("drand48 latency"), 3.5, 0, ofLibrary},
	{"lat_rand/fn=lrand48", "lat_rand", nanos("lrand48 latency"), 3.5, 0, ofLibrary},
	{"stream/v=1/op=copy", "stream -M 6m", row("STREAM copy bandwidth:", " MB", same), 0.75, 0, ofCompiler},
	{"stream/v=1/op=scale", "stream -M 6m", row("STREAM scale bandwidth:", " MB", same), 0.75, 0, ofCompiler},
	{"stream/v=1/op=triad", "stream -M 6m", row("STREAM triad bandwidth:", " MB", same), 0.75, 0, ofCompiler},
	{"lat_mem_rd/size=4K/stride=128", "lat_mem_rd 1 128", row("0.00391", "", fromNanos), callTolerance, 0, ""},
	{"lat_mem_rd/size=32K/stride=128", "lat_mem_rd 1 128", row("0.03125", "", fromNanos), callTolerance, 0, ""},
	{"lat_mem_rd/size=256K/stride=128", "lat_mem_rd 1 128", row("0.25000", "", fromNanos), callTolerance, 0, ""},
	{"lat_mem_rd/size=1M/stride=128", "lat_mem_rd 1 128", row("1.00000", "", fromNanos), callTolerance, 0, ""},
}

// Why a port and its original are farther apart than they may be.
const (
	ofCompiler  = "a loop without system calls, which another compiler made"
	ofLibrary   = "the original calls the C library's function, the port has its own"
	ofFiles     = "lmbench creates as many files as fit its window, the port 64 or 16"
	unexplained = "the cause is not known"
)

// served are the programs that have a server of their own, which -s starts.
var served = []string{"lat_tcp", "lat_udp", "bw_tcp", "lat_connect", "lat_unix_connect"}

// Of each pair the two are measured in turn, some windows at a time, and the best
// of each is compared: what else the machine does only makes them worse (but see
// isDifference).
const (
	turns       = 6
	slowTurns   = 2 // of programs with long windows
	windows     = 5
	windowUS    = 5000
	hello       = "/tmp/hello"   // where lat_proc looks for it
	unixServer  = "/tmp/af_unix" // where lat_unix_connect's server listens
	longest     = time.Minute    // of one program
	libraryCall = "lat_syscall/op=fstat"
)

// TestAgainstOriginal measures lmbench's own programs and their ports side by side.
func TestAgainstOriginal(t *testing.T) {
	bin := require.Given(t, originals, "the folder of lmbench's own programs, built (docs/lmbench.md)")
	needsHost(t)
	s := side{t: t, bin: bin, tg: New(), dir: workFolder(t), file: "d/lmbench", outputs: map[string][]string{}} // the file is as deep as the port's
	ownStore(t)
	t.Setenv("XDG_CACHE_HOME", s.dir) // one file system for both
	s.installHello()
	err := os.Mkdir(filepath.Join(s.dir, filepath.Dir(s.file)), 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(s.dir, s.file), make([]byte, 1<<20), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.img, err = s.tg.Build(context.Background(), hv.Build{Name: "linux", Arch: "amd64"}, func(string) {}); err != nil {
		t.Fatal(err)
	}
	onOneCPU(t)
	s.serve()
	t.Logf("%-38s %12s %12s  %s", "", "original", "port", "port/original")
	for _, p := range pairs {
		if p.port == libraryCall && s.fstatByPath() {
			p.port += "/call=newfstatat"
		}
		t.Run(p.port, func(t *testing.T) {
			one := s
			one.t = t
			one.compare(p)
		})
	}
}

// side is what the two sides share.
type side struct {
	t        *testing.T
	bin, dir string
	file     string
	tg       *Target
	img      *hv.Image
	outputs  map[string][]string // of the original, by its arguments, one for each turn
}

// serve starts the originals' servers, on the processor where all else runs.
func (s *side) serve() {
	s.t.Helper()
	os.Remove(unixServer) // that of a server that was killed
	for _, name := range served {
		cmd := exec.Command(filepath.Join(s.bin, name), "-s")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() {
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			cmd.Wait()
		})
	}
	s.t.Cleanup(func() { os.Remove(unixServer) })
	time.Sleep(time.Second) // until they listen
}

// workFolder is on a file system in memory, if there is one, so that no disk takes
// part.
func workFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "xsmbench-lmbench-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// installHello puts the original's program to where it looks for it, unless one
// is there.
func (s *side) installHello() {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.bin, "hello"))
	if err != nil {
		s.t.Fatal(err)
	}
	f, err := os.OpenFile(hello, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if os.IsExist(err) {
		return
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { os.Remove(hello) })
	_, err = f.Write(text)
	if e := f.Close(); err != nil || e != nil {
		s.t.Fatal(err, e)
	}
}

// fstatByPath reports whether the C library's fstat is newfstatat with an empty
// path: from 2.33 to 2.38.
func (s *side) fstatByPath() bool {
	var minor int
	_, err := fmt.Sscanf(libraryText(context.Background()), "glibc 2.%d", &minor)
	return err == nil && minor >= 33 && minor < 39
}

// compare measures a pair and says how they relate.
func (s *side) compare(p pair) {
	if b, ok := bench.Find("Lmbench/" + p.port); !ok || !s.tg.Offers(b) {
		s.t.Errorf("%s: this machine does not run it: %s", p.port, s.tg.Refuses(b))
		return
	}
	n := turns
	if p.enoughU > windowUS || strings.HasPrefix(p.args, "lat_mem_rd") {
		n = slowTurns
	}
	var original, port []float64
	for turn := range n {
		if v := s.original(p, turn); v > 0 {
			original = append(original, v)
		}
		if v := s.ported(p); v > 0 {
			port = append(port, v)
		}
	}
	if original == nil || port == nil {
		s.t.Errorf("%s: no figure: original %v, port %v", p.port, original, port)
		return
	}
	s.judge(p, p.centre(original), p.centre(port))
}

// centre is the figure of some turns.
func (p pair) centre(figures []float64) float64 {
	slices.Sort(figures)
	switch {
	case p.isDifference():
		return figures[len(figures)/2]
	case strings.HasPrefix(p.port, "bw_"), strings.HasPrefix(p.port, "stream/"):
		return figures[len(figures)-1]
	}
	return figures[0]
}

// judge prints the two figures, and fails if they are too far apart.
func (s *side) judge(p pair, original, port float64) {
	ratio := port / original
	s.t.Logf("%-38s %12.4f %12.4f  %.3f", p.port, original, port, ratio)
	if p.apart != "" {
		s.t.Logf("%s: known to be apart: %s", p.port, p.apart)
	}
	if ratio > 1+p.within || ratio < 1/(1+p.within) {
		s.t.Errorf("%s: %.3f of the original's, which is more than %.0f %% apart", p.port, ratio, 100*p.within)
	}
}

// original is the figure of one turn of lmbench's program; 0 if it gives none, as if the
// overhead that it subtracts was disturbed.
func (s *side) original(p pair, turn int) float64 {
	for len(s.outputs[p.args]) <= turn {
		s.outputs[p.args] = append(s.outputs[p.args], s.output(p.args))
	}
	m := regexp.MustCompile(p.figure.pattern).FindStringSubmatch(s.outputs[p.args][turn])
	if m == nil {
		return 0
	}
	v, _ := strconv.ParseFloat(m[1], 64)
	if v == 0 {
		return 0
	}
	return p.figure.of(v)
}

// output runs lmbench's program once.
func (s *side) output(line string) string {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	args := strings.Fields(strings.ReplaceAll(line, "FILE", s.file))
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, args[0]), append([]string{"-N", strconv.Itoa(windows)}, args[1:]...)...)
	cmd.Dir = s.dir
	// As scripts/lmbench gives them to the programs.
	cmd.Env = append(os.Environ(), fmt.Sprintf("ENOUGH=%d", windowUS), "TIMING_O=0", "LOOP_O=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Errorf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

// ported boots the target for one benchmark, in the original's unit.
func (s *side) ported(p pair) (v float64) {
	plan := bench.Plan{
		Domains: s.tg.MeasuredDomains(), Benchmarks: []string{"Lmbench/" + p.port},
		Options: bench.Options{EnoughUS: max(windowUS, p.enoughU), Repetitions: windows},
	}
	m, err := s.tg.Boot(context.Background(), s.img, hv.BootSpec{Plan: plan})
	if err != nil {
		s.t.Fatal(err)
	}
	defer m.Close()
	err = m.Measure(context.Background(), func(got bench.Measurement) error {
		if got.Error != "" {
			return fmt.Errorf("%s: %s", p.port, got.Error)
		}
		if v = got.Values[0].Value; got.Values[0].Unit == "ns/op" {
			v /= 1000
		}
		return nil
	})
	if err != nil {
		s.t.Error(err)
	}
	return v
}

// onOneCPU has this process and all that it starts run on one processor: where two
// processes meet is a matter of luck else, and latencies have two values.
func onOneCPU(t *testing.T) {
	t.Helper()
	var mask [128]byte
	if _, _, e := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, uintptr(len(mask)), uintptr(unsafe.Pointer(&mask))); e != 0 {
		t.Fatal(e)
	}
	var one [128]byte
	for i := range mask { // the last processor that there is: the first has most interrupts
		for bit := range 8 {
			if mask[i]&(1<<bit) != 0 {
				one = [128]byte{}
				one[i] = 1 << bit
			}
		}
	}
	set := func(to *[128]byte) {
		tasks, err := filepath.Glob("/proc/self/task/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			tid, err := strconv.Atoi(filepath.Base(task))
			if err != nil {
				t.Fatal(err)
			}
			syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(tid), uintptr(len(to)), uintptr(unsafe.Pointer(to)))
		}
	}
	set(&one)
	t.Cleanup(func() { set(&mask) })
}
