package main

import (
	"context"
	"flag"
	"fmt"
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

	"xsmbench/cli"
	"xsmbench/results"
	"xsmbench/rounds"
)

var (
	killRuns = flag.Int("kill.runs", 12, "runs that TestKilledRuns kills")
	killSeed = flag.Uint64("kill.seed", 1, "seed of what TestKilledRuns kills, and when")
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
	// end starts the run and ends it at a random moment; usual is how long the
	// run takes if it is left alone.
	end func(t *testing.T, v *victim, random *rand.Rand, usual time.Duration)
	// often is how many of ten runs are ended in this way.
	often int
}

// The target fake measures by arithmetic, and its figures are the same each
// time. The model is a process of its own.
var (
	fakeRun  = []string{"--target", "fake", "--rounds", "3", "--bench", "lat_syscall/op=(null|read|write)"}
	modelRun = []string{"--target", "model", "--builds", "native,dummy", "--rounds", "2", "--layouts", "1", "--bench", "lat_syscall/op=(null|read)"}
)

var killings = []killing{
	{"SIGKILL of the program", fakeRun, killProgram, 5},
	{"disk full", fakeRun, fillDisk, 3},
	{"SIGKILL of the machine", modelRun, killMachine, 2},
}

// TestKilledRuns ends runs at random moments: no sample of a boot that ended is
// lost or changed, and the run resumes to what a run in one go gives. "make
// bench-kill" ends 200.
func TestKilledRuns(t *testing.T) {
	cache := t.TempDir() // of the model's images
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Logf("seed %d", *killSeed)
	random := rand.New(rand.NewPCG(*killSeed, 0))
	share := 0
	for _, k := range killings {
		n := *killRuns * k.often / 10
		if share += k.often; share == 10 {
			n = *killRuns - done(killings, *killRuns, k.name)
		}
		t.Run(k.name, func(t *testing.T) {
			if k.args[1] == "model" {
				if _, err := os.Stat("../../cmd/xsmmodel"); err != nil {
					t.Skip("the model's source is not here")
				}
			}
			want, usual := wholeRun(t, k.args)
			for range n {
				v := &victim{dir: filepath.Join(t.TempDir(), "run"), args: k.args}
				k.end(t, v, random, usual)
				v.check(t, want)
				if t.Failed() {
					return
				}
			}
			t.Logf("%d runs", n)
		})
	}
}

// done is how many runs the killings before a name have.
func done(all []killing, runs int, name string) int {
	n := 0
	for _, k := range all {
		if k.name != name {
			n += runs * k.often / 10
		}
	}
	return n
}

// wholeRun leaves a run alone, and gives its figures and how long it takes.
func wholeRun(t *testing.T, args []string) (map[string]float64, time.Duration) {
	t.Helper()
	v := &victim{dir: filepath.Join(t.TempDir(), "run"), args: args}
	v.run(t, nil) // builds what is to be built
	begun := time.Now()
	v.dir += "2"
	v.run(t, nil)
	return v.figures(t), time.Since(begun)
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
	v.cmd = program(t, `{"Pace": 1000000}`, args...)
	v.cmd.Env = append(v.cmd.Env, env...)
	v.saw.Reset()
	v.cmd.Stderr = &v.saw
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// run leaves the run alone.
func (v *victim) run(t *testing.T, env []string) {
	t.Helper()
	v.start(t, env...)
	if err := v.cmd.Wait(); err != nil {
		t.Fatalf("%s: %v: %v\n%s", v.story(), v.cmd.Args, err, v.saw.String())
	}
}

func (v *victim) story() string { return strings.Join(v.how, ", then ") }

// killProgram kills the program, and mostly the resumed one again.
func killProgram(t *testing.T, v *victim, random *rand.Rand, usual time.Duration) {
	for range 1 + random.IntN(3) {
		after := time.Duration(random.Int64N(int64(usual)))
		v.how = append(v.how, fmt.Sprintf("killed after %v", after))
		v.start(t)
		time.Sleep(after)
		v.remember(t)
		v.cmd.Process.Kill()
		v.cmd.Wait()
	}
}

// fillDisk lets no file become larger than some size.
func fillDisk(t *testing.T, v *victim, random *rand.Rand, _ time.Duration) {
	limit := random.IntN(6000)
	v.how = append(v.how, fmt.Sprintf("no file above %d bytes", limit))
	v.start(t, fmt.Sprintf("%s=%d", limitVariable, limit))
	err := v.cmd.Wait()
	v.remember(t)
	said := v.saw.String()
	if code := v.cmd.ProcessState.ExitCode(); err != nil && code != cli.ExitFailed || err != nil && !strings.Contains(said, syscall.EFBIG.Error()) {
		t.Errorf("%s: exit code %d, want %d and %q:\n%s", v.story(), code, cli.ExitFailed, syscall.EFBIG.Error(), said)
	}
}

// killMachine kills the machine that the program runs.
func killMachine(t *testing.T, v *victim, random *rand.Rand, usual time.Duration) {
	if runtime.GOOS != "linux" {
		t.Skip("finds machines in /proc")
	}
	after := time.Duration(random.Int64N(int64(usual)))
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
	v.run(t, nil)
	v.stillThere(t)
	if v.args[1] == "fake" {
		if diff := cmp.Diff(want, v.figures(t)); diff != "" {
			t.Errorf("%s: figures (-in one go +resumed):\n%s", v.story(), diff)
		}
	} else if diff := cmp.Diff(places(want), places(v.figures(t))); diff != "" {
		t.Errorf("%s: samples (-in one go +resumed):\n%s", v.story(), diff)
	}
	v.checkPlan(t)
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
	for _, slot := range rounds.Schedule(run.Spec) {
		if boots[results.KeyOf(slot.Round, slot.Build)] == 0 {
			t.Errorf("%s: %s did not boot in round %d", v.story(), slot.Build.Name, slot.Round)
		}
	}
}
