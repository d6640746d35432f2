package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"xsmbench/internal/require"
)

// fleetFiles are the files that are ready to copy.
const fleetFiles = "../../docs/fleet"

// fleetPlan is what the files are tried with in place of the plan that they have: a
// target that counts by arithmetic.
const fleetPlan = "--target counting --rounds 4 --bench lat_syscall|lat_sig|evtchn"

// fleetPace makes a measurement of that target last a while, so that shards are met by
// what happens to them.
const fleetPace = `XSMBENCH_COUNTING={"Pace": 1000000, "Overlap": 2}`

// fleetSite is what engines find: the program, a repository with a change, and what
// one machine measures of that, which nobody disturbs.
type fleetSite struct {
	t                   *testing.T
	dir                 string
	bin                 string // stands before all else in PATH
	repo                string
	base, change, merge string // commits: the merge is of the other two
}

// newFleetSite makes a repository in which a change makes system calls of FLASK's build
// slower, or none.
func newFleetSite(t *testing.T, slower bool) *fleetSite {
	t.Helper()
	require.Program(t, "git", "git")
	require.Program(t, "bash", "bash")
	s := &fleetSite{t: t, dir: memoryDir(t)}
	s.bin, s.repo = filepath.Join(s.dir, "bin"), filepath.Join(s.dir, "xen.git")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.mkdir(s.bin)
	real := filepath.Join(s.mkdir(filepath.Join(s.dir, "real")), "xsmbench")
	if err := os.Symlink(self, real); err != nil {
		t.Fatal(err)
	}
	s.fake("xsmbench", "[ \"$1\" != doctor ] || { echo "+lacking+"; exit 0; }\nexec "+real+" \"$@\"\n")
	s.fake("apt-get", "echo \"$@\" >>"+filepath.Join(s.dir, "apt-get")+"\n")
	s.git("init", "-q", "-b", "main", s.repo)
	s.base = s.commit(s.repo, "source.txt", "dummy count null 1\n")
	s.git("-C", s.repo, "checkout", "-q", "-b", "change")
	text := "dummy count null 1\n# a remark\n"
	if slower {
		text = "flask count null 400\n"
	}
	s.change = s.commit(s.repo, "source.txt", text)
	s.git("-C", s.repo, "checkout", "-q", "main")
	s.git("-C", s.repo, "merge", "-q", "--no-ff", "-m", "merge", "change")
	s.merge = s.git("-C", s.repo, "rev-parse", "HEAD")
	return s
}

// lacking is what doctor says that machines of the site lack: what it says of this one
// is tested elsewhere.
const lacking = "qemu-system-x86 flex"

// checkInstalled looks whether that was installed on as many machines.
func (s *fleetSite) checkInstalled(machines int) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "apt-get"))
	if n := strings.Count(string(text), " "+lacking+"\n"); err != nil || n != machines {
		s.t.Errorf("%q was installed on %d machines, want %d (%v)", lacking, n, machines, err)
	}
}

// fake is a program of the site's own.
func (s *fleetSite) fake(name, text string) {
	s.t.Helper()
	s.write(filepath.Join(s.bin, name), "#!/bin/sh\n"+text)
	if err := os.Chmod(filepath.Join(s.bin, name), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// program is a repository of xsmbench, as far as "make build" goes.
func (s *fleetSite) program() string {
	s.t.Helper()
	dir := filepath.Join(s.dir, "xsmbench.git")
	s.git("init", "-q", "-b", "main", dir)
	s.commit(dir, "Makefile", "build:\n\tmkdir -p bin\n\tprintf '#!/bin/sh\\nexec %s \"$$@\"\\n' '"+filepath.Join(s.bin, "xsmbench")+"' >bin/xsmbench\n\tchmod +x bin/xsmbench\n")
	return dir
}

func (s *fleetSite) commit(repo, name, text string) (hash string) {
	s.t.Helper()
	s.write(filepath.Join(repo, name), text)
	s.git("-C", repo, "add", name)
	s.git("-C", repo, "commit", "-q", "-m", name)
	return s.git("-C", repo, "rev-parse", "HEAD")
}

func (s *fleetSite) git(args ...string) string {
	s.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (s *fleetSite) mkdir(dir string) string {
	s.t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	return dir
}

func (s *fleetSite) write(path, text string) {
	s.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// machine is the environment of a script on a machine of the fleet, on which nothing
// was done before.
func (s *fleetSite) machine(name string) map[string]string {
	s.t.Helper()
	home := s.mkdir(filepath.Join(s.dir, "home-"+strings.NewReplacer("/", "-", ":", "-").Replace(name)))
	counting, pace, _ := strings.Cut(fleetPace, "=")
	return map[string]string{
		"PATH": s.bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME": home,
		"XDG_DATA_HOME": filepath.Join(home, "data"), "XSMBENCH_MACHINE_LOCK": filepath.Join(home, "lock"),
		counting: pace, "CI": "true",
	}
}

// whole is the run of one machine that measures two revisions in one go, in a checkout
// of the repository as shards do.
func (s *fleetSite) whole(before, after string) string {
	s.t.Helper()
	return s.wholeOf("run", "--source", ".", "--builds", "before=flask@"+before+",after=flask@"+after)
}

// wholeOf is likewise the run of other arguments.
func (s *fleetSite) wholeOf(args ...string) string {
	s.t.Helper()
	dir := filepath.Join(s.dir, "whole")
	cmd := program(s.t, "", append(args, append(strings.Fields(fleetPlan), "-o", dir)...)...)
	cmd.Dir = s.repo
	cmd.Env = append(os.Environ(), fleetPace, "XDG_CACHE_HOME="+filepath.Join(s.dir, "whole-cache"))
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// shellScript is a script as an engine starts it.
type shellScript struct {
	argv []string // of the shell
	dir  string
	env  map[string]string
	// until, if not nil, is asked again and again; once it says so, the script and all
	// that it started are killed, as with their machine.
	until func() bool
}

// killedCode is the exit code of a script that was killed.
const killedCode = -1

// run returns the exit code and what was said.
func (s shellScript) run() (code int, said string, err error) {
	cmd := exec.Command(s.argv[0], s.argv[1:]...)
	cmd.Dir = s.dir
	cmd.Env = []string{}
	for name, value := range s.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return 0, "", err
	}
	ended := make(chan struct{})
	var killing sync.WaitGroup
	if s.until != nil {
		killing.Go(func() { killWhen(cmd.Process.Pid, s.until, ended) })
	}
	err = cmd.Wait()
	close(ended)
	killing.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, out.String(), err
	}
	return cmd.ProcessState.ExitCode(), out.String(), nil
}

func killWhen(group int, until func() bool, ended chan struct{}) {
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		select {
		case <-ended:
			tick.Stop()
			return
		case <-tick.C:
		}
		if until() {
			_ = syscall.Kill(-group, syscall.SIGKILL) // or it has ended
			return
		}
	}
}

// bootEnded says that a shard has measured something.
func bootEnded(shard string) func() bool {
	return func() bool { return endedBelow(shard) > 0 }
}

// endedBelow counts the ends of boots in domains, in a run or in the runs of a series.
func endedBelow(dir string) int {
	n := ended(dir)
	runs, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, r := range runs {
		n += ended(r)
	}
	return n
}

// mustRun runs a script, which must end with a code.
func (s *fleetSite) mustRun(what string, script shellScript, want int) (said string) {
	s.t.Helper()
	code, said, err := script.run()
	if err != nil || code != want {
		s.t.Errorf("%s: exit code %d (%v), want %d\n%s", what, code, err, want, said)
	}
	return said
}

// sideBySide runs numbered jobs at once.
func sideBySide(n int, job func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { job(i) })
	}
	all.Wait()
}

// copyTo copies a file or a tree to a place that may be there already. Of the
// permissions it keeps whether a file may be executed, if it is asked to.
func copyTo(from, to string, executable bool) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() {
			return errors.Join(err, fmt.Errorf("copy %s: it is %s", path, info.Mode()))
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if executable {
			mode = info.Mode().Perm()
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, text, mode)
	})
}

// checkGate looks whether the gate's JUnit file says what it should of the change.
func (s *fleetSite) checkGate(junit string, failures bool) {
	s.t.Helper()
	text, err := os.ReadFile(junit)
	if err != nil {
		s.t.Error(err)
	}
	if slower := strings.Contains(string(text), "<failure"); slower != failures || failures && !strings.Contains(string(text), "lat_syscall/op=null") {
		s.t.Errorf("%s: failures: %t, want %t:\n%s", junit, slower, failures, text)
	}
}
