package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/cmd/xsmbench/internal/cli"
)

// slurmScript is the script as sbatch keeps it: a copy under another name.
func (s *fleetSite) slurmScript(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(fleetFiles, "slurm.sh"))
	if err != nil {
		s.t.Fatal(err)
	}
	checkCommands(s.t, []string{string(text)})
	path := filepath.Join(s.dir, name)
	s.write(path, string(text))
	if err := os.Chmod(path, 0o755); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// slurmArgs are those of the script, as a user gives them.
func (s *fleetSite) slurmArgs() []string {
	return append(strings.Fields(fleetPlan), "--source", ".", "--builds", fmt.Sprintf("before=flask@%s,after=flask@%s", s.base, s.change))
}

// fakeSbatch keeps its arguments and its environment, and says a number of a job.
const fakeSbatch = `n=$(ls "$SPOOL" | wc -l)
printf '%s\n' "$@" >"$SPOOL/$n"
env -0 >"$SPOOL.env"
echo $((100 + n))
`

// TestFleetSlurm runs docs/fleet/slurm.sh with a fake of sbatch, and then each task as
// Slurm would. One has a boot that fails, and asks to be started again; another one is
// killed and started again.
func TestFleetSlurm(t *testing.T) {
	t.Parallel()
	s := newFleetSite(t, true)
	s.fake("sbatch", fakeSbatch)
	s.fake("scontrol", `echo "$@" >>"$SPOOL.scontrol"`+"\n")
	s.fake("sleep", "exit 0\n")
	const tasks = 3
	run := filepath.Join(s.dir, "night")
	env := s.machine("login")
	maps.Copy(env, map[string]string{"SPOOL": s.mkdir(filepath.Join(s.dir, "spool")), "SHARDS": fmt.Sprint(tasks), "RUN": run, "GATE": "--only after",
		"XDG_CACHE_HOME": filepath.Join(s.dir, "cache")})
	script := s.slurmScript("slurm.sh")
	submit := shellScript{argv: append([]string{script}, s.slurmArgs()...), dir: s.repo, env: env}
	if said := s.mustRun("submit", submit, 0); !strings.Contains(said, "shards: job array 100; merge and gate: job 101; logs: "+run+".shards") {
		t.Errorf("submit says:\n%s", said)
	}
	array, merge := s.submitted("0"), s.submitted("1")
	for _, want := range []string{"--array=1-3", "--requeue"} {
		if !strings.Contains(array, want+"\n") {
			t.Errorf("the array has no %s:\n%s", want, array)
		}
	}
	if !strings.Contains(merge, "--dependency=afterany:100\n") {
		t.Errorf("the merge does not wait:\n%s", merge)
	}
	job := s.exported()
	args := jobArgs(t, array)
	sideBySide(tasks, func(i int) { s.task(i+1, tasks, run, job, args) })
	s.mustRun("merge", shellScript{argv: jobArgs(t, merge), dir: s.repo, env: with(job, "SLURM_JOB_ID", "101")}, cli.ExitRegression)
	if t.Failed() {
		return
	}
	sameRun(t, s.wholeOf("run", "--source", ".", "--builds", fmt.Sprintf("before=flask@%s,after=flask@%s", s.base, s.change)), run)
	s.checkGate(run+".shards/junit.xml", true)
	if text, err := os.ReadFile(filepath.Join(s.dir, "spool.scontrol")); err != nil || string(text) != "requeue 100_1\n" {
		t.Errorf("scontrol was told %q (%v)", text, err)
	}
}

// TestFleetSlurmRefuses: what is wrong is said before anything is submitted.
func TestFleetSlurmRefuses(t *testing.T) {
	t.Parallel()
	s := newFleetSite(t, false)
	s.fake("sbatch", "echo submitted\n")
	script := s.slurmScript("slurm.sh")
	for _, c := range []struct{ shards, run, args, want string }{
		{"", "/run", "--target counting", "SHARDS: set it to the number of shards"},
		{"3", "", "--target counting", "RUN: set it to the run directory"},
		{"3", "run", "--target counting", "RUN=run: give the whole path"},
		{"3", "/run", "--target countin", "countin"},
		{"3", "/run", "--target counting --budget 1m", "--budget"},
		{"5000", "/run", "--target counting", "5000"},
	} {
		env := with(s.machine("login"), "SHARDS", c.shards)
		env["RUN"] = c.run
		code, said, err := shellScript{argv: append([]string{script}, strings.Fields(c.args)...), dir: s.dir, env: env}.run()
		if err != nil || code == 0 || !strings.Contains(said, c.want) || strings.Contains(said, "submitted") {
			t.Errorf("%+v: exit code %d (%v)\n%s", c, code, err, said)
		}
	}
}

// submitted are the arguments of a submission, one a line.
func (s *fleetSite) submitted(n string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "spool", n))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// exported is the environment that jobs inherit.
func (s *fleetSite) exported() map[string]string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "spool.env"))
	if err != nil {
		s.t.Fatal(err)
	}
	env := map[string]string{}
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(text), "\x00"), "\x00") {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	return env
}

// jobArgs are the script and its arguments, without sbatch's flags.
func jobArgs(t *testing.T, submission string) []string {
	t.Helper()
	all := strings.Split(strings.TrimSuffix(submission, "\n"), "\n")
	for len(all) > 0 && strings.HasPrefix(all[0], "--") {
		all = all[1:]
	}
	if len(all) < 2 {
		t.Fatalf("submitted: %s", submission)
	}
	return all
}

func with(env map[string]string, name, value string) map[string]string {
	out := maps.Clone(env)
	out[name] = value
	return out
}

// task runs a task of the array as often as Slurm would.
func (s *fleetSite) task(i, of int, run string, job map[string]string, args []string) {
	env := taskEnv(i, of, job)
	script := shellScript{argv: args, dir: s.repo, env: env}
	what := fmt.Sprintf("task %d", i)
	switch i {
	case 1:
		script.env = with(env, "XSMBENCH_COUNTING", `{"Failures": [{"Build": "before", "Boot": 1, "Kind": "guest"}]}`)
		s.mustRun(what+", of which a boot fails", script, cli.ExitFailed)
		script.env = with(env, "SLURM_RESTART_COUNT", "1")
	case 2:
		script.until = bootEnded(fmt.Sprintf("%s.shards/%d", run, i))
		s.mustRun(what+", whose node dies", script, killedCode)
		script.until, script.env = nil, with(env, "SLURM_RESTART_COUNT", "1")
	}
	s.mustRun(what, script, 0)
}

// taskEnv is what a task of the array finds.
func taskEnv(i, of int, job map[string]string) map[string]string {
	env := maps.Clone(job)
	maps.Copy(env, map[string]string{
		"SLURM_JOB_ID": fmt.Sprint(102 + i), "SLURM_ARRAY_JOB_ID": "100", "SLURM_ARRAY_TASK_ID": fmt.Sprint(i),
		"SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": fmt.Sprint(of), "SLURM_ARRAY_TASK_COUNT": fmt.Sprint(of), "SLURM_ARRAY_TASK_STEP": "1",
	})
	return env
}

// TestFleetSlurmSeries likewise runs the script for a series. The nodes of two tasks die.
func TestFleetSlurmSeries(t *testing.T) {
	t.Parallel()
	s := newFleetSite(t, false)
	s.fake("sbatch", fakeSbatch)
	const tasks = 3
	run, store := filepath.Join(s.dir, "branch"), filepath.Join(s.dir, "runs.db")
	env := s.machine("login")
	maps.Copy(env, map[string]string{"SPOOL": s.mkdir(filepath.Join(s.dir, "spool")), "SHARDS": fmt.Sprint(tasks), "RUN": run, "GATE": "--only flask",
		"STORE": store, "XDG_CACHE_HOME": filepath.Join(s.dir, "cache")})
	args := s.revisions()
	submit := shellScript{argv: append([]string{s.slurmScript("slurm.sh")}, args...), dir: s.dir, env: env}
	if said := s.mustRun("submit", submit, 0); !strings.Contains(said, "7 revisions of native, flask") {
		t.Errorf("submit says:\n%s", said)
	}
	job, shard := s.exported(), jobArgs(t, s.submitted("0"))
	sideBySide(tasks, func(i int) {
		task := shellScript{argv: shard, dir: s.dir, env: taskEnv(i+1, tasks, job)}
		if i > 0 {
			task.until = bootEnded(fmt.Sprintf("%s.shards/%d", run, i+1))
			s.mustRun(fmt.Sprintf("task %d, whose node dies", i+1), task, killedCode)
			task.until, task.env = nil, with(task.env, "SLURM_RESTART_COUNT", "1")
		}
		s.mustRun(fmt.Sprintf("task %d", i+1), task, 0)
	})
	merge := shellScript{argv: jobArgs(t, s.submitted("1")), dir: s.dir, env: with(job, "SLURM_JOB_ID", "101")}
	said := s.mustRun("merge", merge, cli.ExitRegression)
	if t.Failed() {
		return
	}
	s.checkGate(run+".shards/junit.xml", true)
	whole := s.wholeSeries(args)
	sameSeries(t, filepath.Join(s.dir, "whole"), run)
	if !strings.Contains(said, strings.ReplaceAll(whole, filepath.Join(s.dir, "whole"), run)) {
		t.Errorf("the job that merges says:\n%s\none machine says:\n%s", said, whole)
	}
	if _, err := os.Stat(store); err != nil {
		t.Error(err)
	}
}
