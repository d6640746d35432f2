//go:build linux

package linux

import (
	"bytes"
	"context"
	"fmt"
	"net"
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

// What lmbench's HTTP server serves, and how many pages its client asks for.
const (
	httpFile  = "lmbench-page.html"
	httpBytes = 10 << 10
	httpPages = 2000
)

// portMapper is where lat_rpc's server says at which port it is.
const portMapper = "127.0.0.1:111"

// served are the programs that have a server of their own, which -s starts.
var served = []string{"lat_tcp", "lat_udp", "bw_tcp", "lat_connect", "lat_unix_connect"}

// Of each pair the two are measured in turn, some windows at a time, and the best
// of each is compared: what else the machine does only makes them worse (but see
// isDerived). Two that are too far apart get more turns.
const (
	turns       = 6
	slowTurns   = 2 // of programs with long windows
	manyTurns   = 12
	patience    = 3 // times that all turns are taken, if something else went on
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
	httpPort string
	outputs  map[string][]string // of the original, by its arguments, one for each turn
}

// serve starts the originals' servers, on the processor where all else runs.
func (s *side) serve() {
	s.t.Helper()
	os.Remove(unixServer) // that of a server that was killed
	for _, name := range served {
		s.start(name, "-s")
	}
	if mapped() {
		s.start("lat_rpc", "-s")
	}
	page := strings.Repeat("x", httpBytes)
	if err := os.WriteFile(filepath.Join(s.dir, httpFile), []byte(page), 0o644); err != nil {
		s.t.Fatal(err)
	}
	s.httpPort = freePort(s.t)
	s.start("lmhttp", s.httpPort)
	s.t.Cleanup(func() { os.Remove(unixServer) })
	time.Sleep(time.Second) // until they listen
}

// mapped reports whether this machine has a port mapper.
func mapped() bool {
	c, err := net.Dial("tcp", portMapper)
	if err == nil {
		c.Close()
	}
	return err == nil
}

// freePort is one at which nobody listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// start starts a server, until the test ends. One may go on as another process of its
// group.
func (s *side) start(name string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	})
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
	if strings.HasPrefix(p.args, "lat_rpc") && !mapped() {
		s.t.Skip("lat_rpc needs a port mapper (rpcbind)")
	}
	if b, ok := bench.Find("Lmbench/" + p.port); !ok || !s.tg.Offers(b) {
		s.t.Errorf("%s: this machine does not run it: %s", p.port, s.tg.Refuses(b))
		return
	}
	n := turns
	if p.enoughU > windowUS || strings.HasPrefix(p.args, "lat_mem_rd") {
		n = slowTurns
	}
	switch p.args[:strings.IndexByte(p.args+" ", ' ')] {
	case "lat_fs": // where the files' memory lies makes a difference
		n = manyTurns
	case "lat_fcntl": // the original has its files in /tmp
		n = manyTurns
		s.t.Setenv("XDG_CACHE_HOME", s.t.TempDir())
	}
	var original, port []float64
	for again := 0; again < patience; again++ {
		for turn := range n {
			if v := s.original(p, again*n+turn); v > 0 {
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
		if p.agrees(p.centre(original), p.centre(port)) {
			break
		}
	}
	s.judge(p, p.centre(original), p.centre(port))
}

// agrees reports whether the two figures are as near to each other as they may be.
func (p pair) agrees(original, port float64) bool {
	ratio := port / original
	return ratio <= 1+p.within && ratio >= 1/(1+p.within)
}

// centre is the figure of some turns.
func (p pair) centre(figures []float64) float64 {
	slices.Sort(figures)
	switch {
	case p.isDerived():
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
	if !p.agrees(original, port) {
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
	args := strings.Fields(strings.NewReplacer("FILE", s.file, "PORT", s.httpPort).Replace(line))
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, args[0]), append(windowsOf(args[0]), args[1:]...)...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if args[0] == "lat_http" {
		cmd.Stdin = strings.NewReader(strings.Repeat(httpFile+"\n", httpPages))
	}
	// As scripts/lmbench gives them to the programs.
	cmd.Env = append(os.Environ(), fmt.Sprintf("ENOUGH=%d", windowUS), "TIMING_O=0", "LOOP_O=0")
	out := &complaints{of: cmd}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		s.t.Errorf("%s: %v\n%s", line, err, out.text.String())
	}
	return out.text.String()
}

// windowsOf are the arguments that say how many windows a program is to measure, if it
// has them.
func windowsOf(program string) []string {
	if slices.Contains([]string{"lat_http", "mhz"}, program) {
		return nil
	}
	return []string{"-N", strconv.Itoa(windows)}
}

// complaints is a program's output without what lat_fifo's second process prints when
// the first one has closed its files. It prints that for ever, since the signal that is to
// end it has a handler, its parent's. So it is killed here, and its parent prints the
// figure.
type complaints struct {
	text bytes.Buffer
	of   *exec.Cmd
}

const (
	complaint  = "(w) read/write on pipe"
	mostOutput = 1 << 20
)

func (c *complaints) Write(b []byte) (int, error) {
	n := len(b)
	if last := bytes.LastIndex(b, []byte(complaint)); last >= 0 {
		killYoungest(c.of.Process.Pid)
		_, b, _ = bytes.Cut(b[last:], []byte("\n")) // the figure may be behind them
	}
	if c.text.Len() < mostOutput {
		c.text.Write(b)
	}
	return n, nil
}

// killYoungest kills the process of a group that was made last, but not its first.
func killYoungest(group int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	last := group
	for _, name := range stats {
		text, _ := os.ReadFile(name)
		var pid, parent, of int
		var state string
		_, after, _ := bytes.Cut(text, []byte(") ")) // behind the program's name
		fmt.Sscan(string(text), &pid)
		fmt.Sscan(string(after), &state, &parent, &of)
		if of == group {
			last = max(last, pid)
		}
	}
	if last != group {
		syscall.Kill(last, syscall.SIGKILL)
	}
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
