package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"xsmbench/cmd/xsmbench/internal/cli"
)

// TestFleetGitLab runs the jobs of docs/fleet/gitlab-ci.yml as runners would, for a
// merge request that makes system calls slower. One shard's runner dies, and the job is
// retried. The run that is merged is that of one machine, and the gate fails.
func TestFleetGitLab(t *testing.T) {
	t.Parallel()
	s := newFleetSite(t, true)
	p := &gitlabPipeline{fleetSite: s, jobs: readGitLabJobs(t), artifacts: map[string][]string{}, xsmbench: "file://" + s.program()}
	p.check()
	p.run("xsmbench:program", 0)
	p.run("xsmbench:shard", 0)
	p.run("xsmbench", cli.ExitRegression)
	if t.Failed() {
		return
	}
	end := p.artifacts["xsmbench"][0]
	sameRun(t, s.whole(s.base, s.change), filepath.Join(end, ".run"))
	s.checkGate(filepath.Join(end, "reports", "junit.xml"), true)
	s.checkInstalled(p.jobs["xsmbench:shard"].Parallel + 1) // one of them twice
}

func readGitLabJobs(t *testing.T) map[string]gitlabJob {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(fleetFiles, "gitlab-ci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var jobs map[string]gitlabJob
	if err := yaml.Unmarshal(text, &jobs); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(jobs, func(name string, _ gitlabJob) bool { return strings.HasPrefix(name, ".") })
	return jobs
}

// gitlabPipeline is what GitLab knows of a pipeline.
type gitlabPipeline struct {
	*fleetSite
	jobs     map[string]gitlabJob
	xsmbench string // where it is cloned from

	mu        sync.Mutex
	artifacts map[string][]string // directories, by job
}

// check holds the jobs against what GitLab and this program have.
func (p *gitlabPipeline) check() {
	p.t.Helper()
	var script []string
	for name, j := range p.jobs {
		for _, n := range j.Needs {
			if _, ok := p.jobs[n]; !ok {
				p.t.Errorf("%s needs %s, which is no job", name, n)
			}
		}
		if j.Image == "" || len(j.Rules) == 0 || j.Artifacts.Paths == nil {
			p.t.Errorf("%s: %+v", name, j)
		}
		script = append(script, slices.Concat(j.BeforeScript, j.Script)...)
	}
	checkCommands(p.t, script)
	shard, end := p.jobs["xsmbench:shard"], p.jobs["xsmbench"]
	if shard.Parallel < 2 || shard.Retry < 1 || !slices.Contains(end.Needs, "xsmbench:shard") || end.AllowFailure.ExitCodes != cli.ExitInconclusive {
		p.t.Fatalf("%+v\n%+v", shard, end)
	}
	for kind, file := range end.Artifacts.Reports {
		if !strings.Contains(strings.Join(end.Script, "\n"), file) {
			p.t.Errorf("report %s: nothing writes %s", kind, file)
		}
	}
}

// run runs a job as often as its "parallel" says. The runner of the second one dies
// once.
func (p *gitlabPipeline) run(name string, want int) {
	p.t.Helper()
	j := p.jobs[name]
	n := max(1, j.Parallel)
	p.artifacts[name] = make([]string, n)
	sideBySide(n, func(i int) {
		what := fmt.Sprintf("%s %d/%d", name, i+1, n)
		if i == 1 && j.Retry > 0 {
			p.once(what+", whose runner dies", name, i, true, killedCode)
		}
		p.once(what, name, i, false, want)
	})
}

// once runs a job in a new directory, and keeps its artifacts.
func (p *gitlabPipeline) once(what, name string, i int, dies bool, want int) {
	j := p.jobs[name]
	dir := filepath.Join(p.dir, strings.NewReplacer("/", "-", " ", "-").Replace(what), "xen")
	p.git("clone", "-q", p.repo, dir)
	p.git("-C", dir, "checkout", "-q", p.change)
	for _, need := range j.Needs {
		for _, from := range p.artifacts[need] {
			if err := copyTo(from, dir, true); err != nil {
				p.t.Error(err)
			}
		}
	}
	script := shellScript{dir: dir, env: p.env(what, j, dir, i),
		argv: []string{"bash", "-eo", "pipefail", "-c", strings.Join(slices.Concat(j.BeforeScript, j.Script), "\n")}}
	if dies {
		script.until = bootEnded(filepath.Join(dir, ".shards", fmt.Sprint(i+1)))
	}
	p.mustRun(what, script, want)
	if !dies {
		p.keep(name, i, dir, j)
	}
}

// env are a job's variables. Those of the project stand above those of the file.
func (p *gitlabPipeline) env(what string, j gitlabJob, dir string, i int) map[string]string {
	env := p.machine(what)
	maps.Copy(env, map[string]string{
		"GITLAB_CI": "true", "CI_PROJECT_DIR": dir, "CI_COMMIT_SHA": p.change, "CI_MERGE_REQUEST_DIFF_BASE_SHA": p.base,
		"CI_NODE_TOTAL": fmt.Sprint(max(1, j.Parallel)),
	})
	if j.Parallel > 0 {
		env["CI_NODE_INDEX"] = fmt.Sprint(i + 1)
	}
	for k, v := range j.Variables {
		env[k] = os.Expand(v, func(name string) string { return env[name] })
	}
	env["XSMBENCH"], env["XSMBENCH_PLAN"] = p.xsmbench, fleetPlan
	return env
}

func (p *gitlabPipeline) keep(name string, i int, dir string, j gitlabJob) {
	kept := filepath.Join(p.dir, "artifacts", name, fmt.Sprint(i))
	for _, path := range j.Artifacts.Paths {
		if err := copyTo(filepath.Join(dir, path), filepath.Join(kept, path), true); err != nil {
			p.t.Error(err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.artifacts[name][i] = kept
}
