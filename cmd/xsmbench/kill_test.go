package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/cmd/xsmbench/internal/cli"
	"xsmbench/experiment"
	"xsmbench/results"
)

var (
	killRuns = flag.Int("kill.runs", 6, "runs that TestKilledRuns ends")
	killSeed = flag.Uint64("kill.seed", 1, "seed of how TestKilledRuns ends runs, and when")
	killAll  = flag.Bool("kill.all", false, "end runs in the ways that take long or need privileges, too")
)

// limitVariable is the environment variable that bounds the size of the files
// that the program under test may write, in bytes.
const limitVariable = "XSMBENCH_FILE_LIMIT"

// limitFiles does as the variable says.
func limitFiles() {
	var bytes uint64
	if _, err := fmt.Sscan(os.Getenv(limitVariable), &bytes); err == nil {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: bytes}); err != nil {
			fmt.Fprintln(os.Stderr, limitVariable, err)
			os.Exit(99)
		}
	}
}

// killing is one way to end a run.
type killing struct {
	name string
	args []string // of the run
	// end starts the run and ends it at a random moment; usual is what the run
	// is if it is left alone.
	end   func(t *testing.T, v *victim, random *rand.Rand, usual whole)
	often int // in comparison with the others
	// needs is what keeps it from being done here, "" if nothing does.
	needs func() string
}

// The target fake measures by arithmetic, and its figures are the same each
// time. The model is a process of its own, but has to be built.
var (
	fakeRun  = []string{"--target", "fake", "--rounds", "3", "--layouts", "1", "--bench", "lat_syscall|lat_proc|lat_sig"}
	modelRun = []string{"--target", "model", "--builds", "native,dummy", "--rounds", "2", "--layouts", "1", "--bench", "lat_syscall/op=(null|read)"}
)

var killings = []killing{
	{"SIGKILL of the program", fakeRun, killProgram, 5, func() string { return "" }},
	{"file too large", fakeRun, boundFiles, 2, func() string { return "" }},
	{"disk full", fakeRun, fillDisk, 1, func() string {
		return or(!*killAll, "-kill.all") + or(os.Getuid() != 0, "root") + or(runtime.GOOS != "linux", "Linux")
	}},
	{"SIGKILL of the machine", modelRun, killMachine, 2, func() string {
		_, err := os.Stat("../../cmd/xsmmodel")
		return or(!*killAll, "-kill.all") + or(err != nil, "the model's source") + or(runtime.GOOS != "linux", "Linux")
	}},
}

func or(missing bool, what string) string {
	if missing {
		return " " + what
	}
	return ""
}

// TestKilledRuns ends runs at random moments: no sample of a boot that ended is
// lost or changed, and the run resumes to what a run in one go gives. "make
// bench-kill" ends 200, in all ways.
func TestKilledRuns(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // of the model's images
	t.Logf("seed %d", *killSeed)
	all := 0
	for _, k := range killings {
		if k.needs() == "" {
			all += k.often
		}
	}
	for i, k := range killings {
		t.Run(k.name, func(t *testing.T) {
			if needs := k.needs(); needs != "" {
				t.Skip("needs" + needs)
			}
			usual := wholeRun(t, k.args)
			random := rand.New(rand.NewPCG(*killSeed, uint64(i)))
			n := (*killRuns*k.often + all - 1) / all
			for i := range n {
				v := &victim{dir: filepath.Join(t.TempDir(), "run"), args: k.args}
				k.end(t, v, random, usual)
				v.check(t, usual.figures)
				// A report takes longer than the run, of samples that were compared.
				if *killAll || i == n-1 {
					v.report(t)
				}
				if t.Failed() {
					return
				}
			}
			t.Logf("%d runs", n)
		})
	}
}

// whole is a run that was left alone.
type whole struct {
	figures map[string]float64
	took    time.Duration
	largest int64 // file, in bytes
	all     int64 // bytes on the disk
}

func wholeRun(t *testing.T, args []string) whole {
	t.Helper()
	v := &victim{dir: filepath.Join(t.TempDir(), "run"), args: args}
	v.run(t) // builds what is to be built
	v.dir += "2"
	begun := time.Now()
	v.run(t)
	w := whole{took: time.Since(begun), figures: v.figures(t)}
	err := filepath.Walk(v.dir, func(_ string, info fs.FileInfo, err error) error {
		if err == nil {
			w.largest = max(w.largest, info.Size())
			w.all += (info.Size() + 4095) &^ 4095
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// victim is a run that is ended.
type victim struct {
	dir   string
	args  []string
	cmd   *exec.Cmd
	saw   strings.Builder // standard error of cmd
	ended map[string]string
	how   []string
}

// start begins the run, or resumes it.
func (v *victim) start(t *testing.T, env ...string) {
	t.Helper()
	args := append([]string{"run", "-o", v.dir}, v.args...)
	if _, err := results.ReadRun(v.dir); err == nil {
		args = []string{"run", "--resume", v.dir}
	}
	v.cmd = program(t, `{"Pace": 200000}`, args...)
	v.cmd.Env = append(v.cmd.Env, env...)
	v.saw.Reset()
	v.cmd.Stderr = &v.saw
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// run leaves the run alone.
func (v *victim) run(t *testing.T) {
	t.Helper()
	v.start(t)
	if err := v.cmd.Wait(); err != nil {
		t.Fatalf("%s: %v: %v\n%s", v.story(), v.cmd.Args, err, v.saw.String())
	}
}

func (v *victim) story() string { return strings.Join(v.how, ", then ") }

// killProgram kills the program, and mostly the resumed one again.
func killProgram(t *testing.T, v *victim, random *rand.Rand, usual whole) {
	for range 1 + random.IntN(3) {
		after := time.Duration(random.Int64N(int64(usual.took)))
		v.how = append(v.how, fmt.Sprintf("killed after %v", after))
		v.start(t)
		time.Sleep(after)
		v.remember(t)
		v.cmd.Process.Kill()
		v.cmd.Wait()
	}
}

// boundFiles lets no file become larger than some size.
func boundFiles(t *testing.T, v *victim, random *rand.Rand, usual whole) {
	limit := random.Int64N(usual.largest)
	v.how = append(v.how, fmt.Sprintf("no file above %d bytes", limit))
	v.start(t, fmt.Sprintf("%s=%d", limitVariable, limit))
	v.fails(t, syscall.EFBIG)
}

// fillDisk runs on a disk that is too small, and makes it larger then.
func fillDisk(t *testing.T, v *victim, random *rand.Rand, usual whole) {
	disk := filepath.Dir(v.dir)
	pages := 1 + random.Int64N(usual.all>>12)
	v.how = append(v.how, fmt.Sprintf("a disk of %d pages", pages))
	mount := func(flags uintptr, size string) {
		if err := mountTmpfs(disk, flags, size); err != nil {
			t.Fatalf("mount a disk: %v", err)
		}
	}
	mount(0, fmt.Sprintf("size=%dk", 4*pages))
	t.Cleanup(func() { unmount(disk) })
	v.start(t)
	v.fails(t, syscall.ENOSPC)
	mount(remount, "size=64m")
}

// fails waits for the run, which fails if not all that it writes was within
// the bounds.
func (v *victim) fails(t *testing.T, cause error) {
	t.Helper()
	err := v.cmd.Wait()
	v.remember(t)
	if err == nil {
		return
	}
	if code := v.cmd.ProcessState.ExitCode(); code != cli.ExitFailed || !strings.Contains(v.saw.String(), cause.Error()) {
		t.Errorf("%s: exit code %d, want %d and %q:\n%s", v.story(), code, cli.ExitFailed, cause, v.saw.String())
	}
}

// killMachine kills the machine that the program runs.
func killMachine(t *testing.T, v *victim, random *rand.Rand, usual whole) {
	after := time.Duration(random.Int64N(int64(usual.took)))
	v.start(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	killed := make(chan string, 1)
	go func() {
		time.Sleep(after)
		for ctx.Err() == nil {
			if pid, name := machineOf(v.cmd.Process.Pid); pid != 0 {
				syscall.Kill(pid, syscall.SIGKILL)
				killed <- name
				return
			}
			time.Sleep(time.Millisecond)
		}
		killed <- "none"
	}()
	err := v.cmd.Wait()
	cancel()
	name := <-killed
	v.how = append(v.how, fmt.Sprintf("machine %s killed after %v", name, after))
	v.remember(t)
	if code := v.cmd.ProcessState.ExitCode(); err != nil && (code != cli.ExitFailed || !strings.Contains(v.saw.String(), "signal: killed")) {
		t.Errorf("%s: exit code %d:\n%s", v.story(), code, v.saw.String())
	}
}

// machineOf finds a child of a process that is no go command.
func machineOf(parent int) (pid int, name string) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	for _, t := range tasks {
		text, _ := os.ReadFile(t)
		for child := range strings.FieldsSeq(string(text)) {
			exe, err := os.Readlink("/proc/" + child + "/exe")
			if _, scanErr := fmt.Sscan(child, &pid); err == nil && scanErr == nil && strings.Contains(exe, "xsmbench") && pid != os.Getpid() {
				return pid, filepath.Base(exe)
			}
		}
	}
	return 0, ""
}

// remember keeps what the files hold up to their last end line.
func (v *victim) remember(t *testing.T) {
	t.Helper()
	v.stillThere(t)
	v.ended = map[string]string{}
	files, err := filepath.Glob(filepath.Join(v.dir, "results", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if i := strings.LastIndex(string(text), "\n# end: "); i >= 0 {
			if n := strings.IndexByte(string(text[i+1:]), '\n'); n >= 0 {
				v.ended[f] = string(text[:i+1+n+1])
			}
		}
	}
}

// stillThere checks that what was remembered is unchanged.
func (v *victim) stillThere(t *testing.T) {
	t.Helper()
	for f, want := range v.ended {
		text, err := os.ReadFile(f)
		if err != nil || !strings.HasPrefix(string(text), want) {
			t.Errorf("%s: %s no longer begins with what was written: %v", v.story(), f, err)
		}
	}
}

// check resumes the run, and compares it with one in one go.
func (v *victim) check(t *testing.T, want map[string]float64) {
	t.Helper()
	v.stillThere(t)
	v.run(t)
	v.stillThere(t)
	if v.args[1] == "fake" {
		if diff := cmp.Diff(want, v.figures(t)); diff != "" {
			t.Errorf("%s: figures (-in one go +resumed):\n%s", v.story(), diff)
		}
	} else if diff := cmp.Diff(places(want), places(v.figures(t))); diff != "" {
		t.Errorf("%s: samples (-in one go +resumed):\n%s", v.story(), diff)
	}
	v.checkPlan(t)
}

// report checks that there can be one of the run.
func (v *victim) report(t *testing.T) {
	t.Helper()
	report := program(t, "{}", "report", v.dir)
	if out, err := report.CombinedOutput(); err != nil {
		t.Errorf("%s: report: %v\n%s", v.story(), err, out)
	}
}

// figures are the values of the ended samples, each of its own place.
func (v *victim) figures(t *testing.T) map[string]float64 {
	t.Helper()
	samples, _, err := results.ReadFiles(v.dir)
	if err != nil {
		t.Fatalf("%s: %v", v.story(), err)
	}
	all := map[string]float64{}
	for _, s := range samples {
		at := fmt.Sprintf("%s %s %s round=%d order=%d layout=%d", s.Build, s.Domain, s.Benchmark, s.Round, s.Order, s.Layout)
		if _, twice := all[at]; twice || !s.Ended {
			t.Errorf("%s: sample twice, or of a boot that did not end: %s", v.story(), at)
		}
		all[at] = s.Values[0].Value
	}
	return all
}

func places(figures map[string]float64) []string {
	var list []string
	for at := range figures {
		list = append(list, at)
	}
	slices.Sort(list)
	return list
}

// checkPlan checks that each build booted once in each round, as far as samples
// tell, and that no two boots have one number.
func (v *victim) checkPlan(t *testing.T) {
	t.Helper()
	run, err := results.ReadRun(v.dir)
	if err != nil {
		t.Fatalf("%s: %v", v.story(), err)
	}
	samples, _, err := results.ReadFiles(v.dir)
	if err != nil {
		t.Fatalf("%s: %v", v.story(), err)
	}
	boots := map[results.Key]int{}
	places := map[int]results.Key{}
	for _, s := range samples {
		at := results.Key{Round: s.Round, Build: s.Build, Arch: s.Arch}
		if n, ok := boots[at]; ok && n != s.Boot.Boot {
			t.Errorf("%s: %v has samples of boots %d and %d", v.story(), at, n, s.Boot.Boot)
		}
		if other, ok := places[s.Boot.Boot]; ok && other != at {
			t.Errorf("%s: boot %d is that of %v and of %v", v.story(), s.Boot.Boot, other, at)
		}
		boots[at], places[s.Boot.Boot] = s.Boot.Boot, at
	}
	for _, slot := range experiment.Schedule(run.Spec) {
		if boots[results.KeyOf(slot.Round, slot.Build)] == 0 {
			t.Errorf("%s: %s did not boot in round %d", v.story(), slot.Build.Name, slot.Round)
		}
	}
}
